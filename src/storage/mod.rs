//! Where finished videos and their thumbnails are stored, and their addresses.
//!
//! ```text
//! settings ─ which storage, and which kind of address
//! location ─ a directory, or a bucket of a provider
//! variables, peer ─ the environment's: the providers' own, and those by which the peer names a bucket
//! local, object ─ a directory, a bucket; both are a Storage
//! storages ─ the one of the settings, and those where older videos are
//! ```

mod local;
mod location;
mod object;
mod peer;
mod settings;
mod storages;
mod variables;

use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use local::LocalStorage;
pub use location::{Bucket, Location, Provider};
use object::Cause;
pub use object::ObjectStorage;
pub use settings::{AddressKind, Checksums, Settings, SettingsError};
pub use storages::{ServiceUrl, Storages};
pub use variables::Variables;

/// A place for files, each under a key of ours such as `{job_id}.mp4`.
///
/// Every storage keeps these promises; `tests/contract/` holds each of them: a file is stored whole
/// or not at all, and outlives the process once [`put`](Self::put) returns; a second `put` replaces the
/// first; files are streamed, and never whole in memory.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Stores a file, and may take it away. Its key tells its media type. The fence is checked last,
    /// before the file appears under its key. Until then, notes may be kept beside the file, for
    /// [`abandon`](Self::abandon).
    async fn put(&self, key: &str, file: &Path, fence: &dyn Fence) -> Result<(), StorageError>;

    /// Removes what a [`put`](Self::put) of the file has left behind that was cut off, as by a
    /// crash. As far as that is possible: nobody waits for it.
    async fn abandon(&self, key: &str, file: &Path);

    /// An address for clients that holds for `at_least` that long, as far as the storage can promise
    /// it. Whether there is a file under the key is not checked.
    async fn url(&self, key: &str, at_least: Duration) -> Result<String, StorageError>;

    /// What is known of a file; `None`: there is none.
    async fn metadata(&self, key: &str) -> Result<Option<Metadata>, StorageError>;

    /// The bytes of a file in `range`, or all; `None`: there is no such file. The range must lie
    /// within the file.
    async fn read(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredFile>, StorageError>;

    /// Gives a file of the storage another name as well, and replaces what has it. `false`: there is no such file.
    async fn copy(&self, from: &str, to: &str) -> Result<bool, StorageError>;

    /// Removes a file, if there is one.
    async fn delete(&self, key: &str) -> Result<(), StorageError>;

    /// Shows whether files can be stored now.
    async fn probe(&self) -> Result<(), StorageError>;
}

/// Whether the result of an attempt may still be stored.
#[async_trait]
pub trait Fence: Send + Sync {
    async fn check(&self) -> Result<(), FenceError>;
}

/// Why a result may not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceError {
    /// Another attempt has the job.
    Lost,
    /// Nobody can tell at the moment.
    Unknown,
}

impl FenceError {
    /// Of a file that was to be stored.
    pub fn at(self, key: &str) -> StorageError {
        let key = key.to_owned();
        match self {
            Self::Lost => StorageError::Fenced(key),
            Self::Unknown => StorageError::FenceUnknown(key),
        }
    }
}

/// For files that nobody else can store.
pub struct NoFence;

#[async_trait]
impl Fence for NoFence {
    async fn check(&self) -> Result<(), FenceError> {
        Ok(())
    }
}

/// Ends the names of notes that are kept beside files.
pub const NOTE_ENDING: &str = ".upload";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Bytes.
    pub size: u64,
    pub modified: SystemTime,
    /// Changes with the content; without quotes.
    pub etag: Option<String>,
}

/// A file, or a range of it, on its way.
pub struct StoredFile {
    /// Of the whole file.
    pub metadata: Metadata,
    pub stream: BoxStream<'static, std::io::Result<Bytes>>,
}

#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the storage failed on {key:?}")]
    Failed {
        key: String,
        /// For operators: says what to do, and holds no secret.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    #[error("the storage refuses access to {key:?}")]
    Refused {
        key: String,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    #[error("the file for {key:?} is not there")]
    NoFile {
        key: String,
        #[source]
        cause: std::io::Error,
    },
    /// The fence does not hold any more.
    #[error("{0:?} was not stored: its attempt has lost the job")]
    Fenced(String),
    #[error("{0:?} was not stored: nobody can tell whether its attempt still has the job")]
    FenceUnknown(String),
}

impl StorageError {
    /// What to do about it, of a store that tells: fit for anyone to read.
    pub fn cure(&self) -> Option<String> {
        match self {
            Self::Failed { cause, .. } | Self::Refused { cause, .. } => cause
                .downcast_ref::<Cause>()
                .map(|cause| cause.cure().to_owned()),
            Self::NoFile { .. } | Self::Fenced(_) | Self::FenceUnknown(_) => None,
        }
    }

    /// The file itself, which is gone only if the system says so.
    pub fn unreadable(key: &str, cause: std::io::Error) -> Self {
        if cause.kind() == std::io::ErrorKind::NotFound {
            let key = key.to_owned();
            Self::NoFile { key, cause }
        } else {
            Self::failed(key, cause)
        }
    }

    pub fn failed(key: &str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed {
            key: key.to_owned(),
            cause: cause.into(),
        }
    }
}

/// The media type of a file, by the ending of its key.
pub fn media_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, ending)| ending) {
        Some("mp4") => "video/mp4",
        Some("jpg") => "image/jpeg",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
