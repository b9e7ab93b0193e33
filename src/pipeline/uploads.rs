//! Photos that clients upload: how they arrive, and how they are read again for videos.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use log::{debug, error};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::temporary_file::TemporaryFile;
use crate::errors::chain;
use crate::job::{FailureCode, JobId};
use crate::media_type::{self, Kind};
use crate::spec::Upload;
use crate::storage::{StorageError, Storages};

/// How long a storage that fails is asked for a photo.
const PATIENCE: Duration = Duration::from_secs(60);

/// And how often.
const PAUSE: Duration = Duration::from_secs(2);

/// Tell the type of a picture.
const HEAD_BYTES: usize = 4096;

/// Why an uploaded photo cannot be read. The text completes "image_url …".
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("is not there any more: it was uploaded, and not used for too long")]
    Gone,
    #[error("is {0} and no picture")]
    OtherType(&'static str),
    #[error("is of no known type")]
    UnknownType,
    #[error("is empty")]
    Empty,
    #[error("is larger than the limit of {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("could not be read from the storage")]
    Storage(#[source] StorageError),
    #[error("broke off on its way from the storage")]
    BrokeOff(#[source] io::Error),
    #[error("could not be written to our disk")]
    NotWritten(#[source] io::Error),
}

impl UploadError {
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Gone => FailureCode::FileUnreadable,
            Self::OtherType(_) | Self::UnknownType | Self::Empty => FailureCode::NotAPicture,
            Self::TooLarge { .. } => FailureCode::TooLarge,
            Self::NotWritten(error) if error.kind() == io::ErrorKind::StorageFull => {
                FailureCode::DiskFull
            }
            Self::Storage(_) | Self::BrokeOff(_) | Self::NotWritten(_) => {
                FailureCode::StorageFailed
            }
        }
    }

    /// For the operator, but for what is the client's.
    pub fn log(&self, name: &str) {
        match self {
            Self::Gone
            | Self::OtherType(_)
            | Self::UnknownType
            | Self::Empty
            | Self::TooLarge { .. } => debug!("{name}: {self}"),
            Self::Storage(_) | Self::BrokeOff(_) | Self::NotWritten(_) => {
                error!("an uploaded photo {}", chain(self));
            }
        }
    }
}

/// A photo on its way into a file.
pub struct ArrivingPhoto {
    path: TemporaryFile,
    file: tokio::fs::File,
    /// Its beginning, until its type is known.
    head: Option<Vec<u8>>,
    is_drawing: bool,
    hash: Sha256,
    bytes: u64,
}

/// A photo in a file, which may still be none.
pub struct ArrivedPhoto {
    pub file: TemporaryFile,
    /// SHA-256, in hex.
    pub id: String,
    pub bytes: u64,
    /// SVG, which only a logo can be.
    pub is_drawing: bool,
}

impl ArrivingPhoto {
    pub async fn begin(directory: PathBuf) -> Result<Self, UploadError> {
        let path = TemporaryFile::new(directory.join(format!("{}.photo", JobId::random())));
        let file = tokio::fs::File::create_new(path.path()).await;
        Ok(Self {
            file: file.map_err(UploadError::NotWritten)?,
            path,
            head: Some(Vec::new()),
            is_drawing: false,
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    /// Err: also as soon as it is known that it is no picture.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), UploadError> {
        self.hash.update(chunk);
        self.bytes += chunk.len() as u64;
        if let Some(head) = &mut self.head {
            head.extend_from_slice(chunk);
            if head.len() >= HEAD_BYTES {
                self.check_type()?;
            }
        }
        let written = self.file.write_all(chunk).await;
        written.map_err(UploadError::NotWritten)
    }

    pub async fn finish(mut self) -> Result<ArrivedPhoto, UploadError> {
        self.check_type()?;
        self.file.flush().await.map_err(UploadError::NotWritten)?;
        let hash = self.hash.finalize();
        Ok(ArrivedPhoto {
            file: self.path,
            id: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: self.bytes,
            is_drawing: self.is_drawing,
        })
    }

    fn check_type(&mut self) -> Result<(), UploadError> {
        let Some(head) = self.head.take() else {
            return Ok(());
        };
        if head.is_empty() {
            return Err(UploadError::Empty);
        }
        let found = media_type::sniff(&head).ok_or(UploadError::UnknownType)?;
        match found.kind {
            Kind::Picture(_) | Kind::Heif => Ok(()),
            Kind::Svg | Kind::Xml => {
                self.is_drawing = true;
                Ok(())
            }
            _ => Err(UploadError::OtherType(found.name)),
        }
    }
}

/// Copies a photo from its storage into `file`. No storages: no photo was uploaded. A storage that fails is asked for a
/// while.
pub async fn fetch(
    storages: Option<&Storages>,
    place: &Upload,
    limit: u64,
    file: File,
) -> Result<File, UploadError> {
    let storages = storages.ok_or(UploadError::Gone)?;
    let mut file = tokio::fs::File::from_std(file);
    let began = Instant::now();
    loop {
        match copy(storages, place, limit, &mut file).await {
            Ok(()) => return Ok(file.into_std().await),
            Err(error @ (UploadError::Storage(_) | UploadError::BrokeOff(_))) => {
                if began.elapsed() >= PATIENCE {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
        let emptied = async {
            file.rewind().await?;
            file.set_len(0).await
        };
        emptied.await.map_err(UploadError::NotWritten)?;
    }
}

async fn copy(
    storages: &Storages,
    place: &Upload,
    limit: u64,
    file: &mut tokio::fs::File,
) -> Result<(), UploadError> {
    let storage = storages.named(place.storage.as_deref());
    let storage = storage.map_err(UploadError::Storage)?;
    let read = storage.read(&place.file, None).await;
    let mut stored = read
        .map_err(UploadError::Storage)?
        .ok_or(UploadError::Gone)?;
    if stored.metadata.size > limit {
        return Err(UploadError::TooLarge { limit });
    }
    while let Some(chunk) = stored.stream.next().await {
        let chunk = chunk.map_err(UploadError::BrokeOff)?;
        let written = file.write_all(&chunk).await;
        written.map_err(UploadError::NotWritten)?;
    }
    file.flush().await.map_err(UploadError::NotWritten)
}
