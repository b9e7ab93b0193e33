//! An upload in parts: begun, sent a few parts at a time, completed or aborted.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use log::warn;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, PutMultipartOptions, PutPayload, UploadPart};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::Interrupted;
use super::clients::{Clients, Uploads};
use crate::storage::{Fence, NOTE_ENDING};

/// The smallest part that all providers take, if it is not the last.
const PART_BYTES: u64 = 5 << 20;
/// Providers take 10,000.
const MAX_PARTS: u64 = 9_000;
/// Parts on their way at once.
const CONCURRENT_PARTS: usize = 4;

/// Memory for the bytes of all uploads, in MiB.
pub const MEMORY_MIB: u32 = 20;

pub struct Upload<'a> {
    pub clients: &'a Clients,
    pub path: &'a Path,
    pub file: &'a FilePath,
    pub memory: &'a Arc<Semaphore>,
}

impl Upload<'_> {
    /// Stores the whole file, or nothing.
    pub async fn run(
        &self,
        size: u64,
        options: PutMultipartOptions,
        fence: &dyn Fence,
        replace: bool,
    ) -> Result<(), Interrupted> {
        let mut upload = self.begin(options, replace).await?;
        let sent = async {
            self.send_parts(&mut *upload, size).await?;
            fence.check().await.map_err(Interrupted::Fence)?;
            upload.complete().await.map_err(Interrupted::Store)
        };
        match sent.await {
            Ok(_) => {
                Note::of(self.file).remove();
                Ok(())
            }
            Err(error) => {
                match upload.abort().await {
                    Ok(()) => Note::of(self.file).remove(),
                    // The note stays, and the next attempt tries again.
                    Err(error) => warn!(
                        "an upload could not be aborted: {}",
                        super::failure::summary(&error)
                    ),
                }
                Err(error)
            }
        }
    }

    async fn begin(
        &self,
        options: PutMultipartOptions,
        replace: bool,
    ) -> Result<Box<dyn MultipartUpload>, Interrupted> {
        let Some(uploads) = &self.clients.uploads else {
            let upload = self.clients.writer.put_multipart_opts(self.path, options);
            return upload.await.map_err(Interrupted::Store);
        };
        let id = uploads.creator.create_multipart_opts(self.path, options);
        let id = id.await.map_err(Interrupted::Store)?;
        if let Err(error) = Note::of(self.file).write(&id) {
            // Nobody else will know of it. Err: it is left to the bucket's rules.
            let _ = uploads.store.abort_multipart(self.path, &id).await;
            return Err(Interrupted::Note(error));
        }
        Ok(Box::new(UploadById {
            uploads: uploads.clone(),
            path: self.path.clone(),
            id,
            parts: Vec::new(),
            count: 0,
            replace,
        }))
    }

    async fn send_parts(
        &self,
        upload: &mut dyn MultipartUpload,
        size: u64,
    ) -> Result<(), Interrupted> {
        let file = Arc::new(File::open(self.file).map_err(Interrupted::File)?);
        let part_bytes = PART_BYTES.max(size.div_ceil(MAX_PARTS).next_multiple_of(1 << 20));
        // Aborted when it is dropped.
        let mut sending = JoinSet::new();
        let mut offset = 0;
        while offset < size {
            let length = part_bytes.min(size - offset);
            let memory = reserve(self.memory, length).await;
            let bytes = read_part(file.clone(), offset, length).await?;
            let part = upload.put_part(PutPayload::from_bytes(bytes));
            sending.spawn(async move {
                let sent = part.await;
                drop(memory);
                sent
            });
            while sending.len() >= CONCURRENT_PARTS {
                joined(sending.join_next().await)?;
            }
            offset += length;
        }
        while let Some(sent) = sending.join_next().await {
            joined(Some(sent))?;
        }
        Ok(())
    }
}

fn joined(
    sent: Option<Result<object_store::Result<()>, tokio::task::JoinError>>,
) -> Result<(), Interrupted> {
    match sent {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(Interrupted::Store(error)),
        Some(Err(panic)) => Err(Interrupted::Store(Error::JoinError { source: panic })),
    }
}

/// Waits for memory, at most all there is.
pub async fn reserve(memory: &Arc<Semaphore>, bytes: u64) -> Option<OwnedSemaphorePermit> {
    let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(MEMORY_MIB);
    // None: never, as nobody closes it.
    memory
        .clone()
        .acquire_many_owned(mib.min(MEMORY_MIB))
        .await
        .ok()
}

pub async fn read_part(file: Arc<File>, offset: u64, length: u64) -> Result<Bytes, Interrupted> {
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, offset)?;
        Ok(Bytes::from(bytes))
    });
    let read = read
        .await
        .unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
    read.map_err(Interrupted::File)
}

/// An upload of a provider that gives each an id.
struct UploadById {
    uploads: Uploads,
    path: Path,
    id: String,
    /// The parts that have arrived, in any order.
    parts: Vec<Arc<std::sync::OnceLock<PartId>>>,
    count: usize,
    /// Whether it may take the place of another object.
    replace: bool,
}

impl std::fmt::Debug for UploadById {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an upload of {} parts", self.count)
    }
}

#[async_trait::async_trait]
impl MultipartUpload for UploadById {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (uploads, path, id, index) = (
            self.uploads.clone(),
            self.path.clone(),
            self.id.clone(),
            self.count,
        );
        self.count += 1;
        let arrived = Arc::default();
        self.parts.push(Arc::clone(&arrived));
        Box::pin(async move {
            let part = uploads.store.put_part(&path, &id, index, data).await?;
            // Err: never, as each part is sent once.
            let _ = arrived.set(part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> object_store::Result<object_store::PutResult> {
        let parts = self.parts.iter().map(|part| part.get().cloned());
        let parts: Vec<PartId> = parts.collect::<Option<_>>().ok_or_else(|| Error::Generic {
            store: "upload",
            source: "a part is missing".into(),
        })?;
        let Uploads {
            store, completer, ..
        } = &self.uploads;
        match completer {
            Some(completer) if !self.replace => {
                let done = completer
                    .complete_multipart(&self.path, &self.id, parts.clone())
                    .await;
                match done {
                    Err(error) if super::failure::is_not_implemented(&error) => {
                        store.complete_multipart(&self.path, &self.id, parts).await
                    }
                    done => done,
                }
            }
            _ => store.complete_multipart(&self.path, &self.id, parts).await,
        }
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.uploads
            .store
            .abort_multipart(&self.path, &self.id)
            .await
    }
}

/// The id of an upload that is under way, in a file beside the one that is uploaded: whoever comes
/// after a crash aborts it.
pub struct Note(PathBuf);

impl Note {
    pub fn of(file: &FilePath) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push(NOTE_ENDING);
        Self(path.into())
    }

    fn write(&self, id: &str) -> std::io::Result<()> {
        std::fs::write(&self.0, id)
    }

    pub fn read(&self) -> Option<String> {
        std::fs::read_to_string(&self.0).ok()
    }

    pub fn remove(&self) {
        // Err: it was never written.
        let _ = std::fs::remove_file(&self.0);
    }
}
