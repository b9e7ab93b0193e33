//! A directory of this machine, served by this service.

use std::fs::File;
use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::{Fence, Metadata, Storage, StorageError, StoredFile};

/// Of one piece of a stream.
const CHUNK_BYTES: usize = 64 << 10;

/// The key of [`Storage::probe`]'s file, which is removed again.
const PROBE_FILE: &str = ".probe";

pub struct LocalStorage {
    directory: PathBuf,
    /// What a key is appended to, without a slash at its end.
    base_url: String,
}

impl LocalStorage {
    pub fn new(directory: PathBuf, base_url: String) -> Self {
        Self {
            directory,
            base_url,
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(key)
    }

    async fn read_file(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> io::Result<Option<StoredFile>> {
        let mut file = match tokio::fs::File::open(self.path(key)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let metadata = metadata(&file.metadata().await?)?;
        let range = range.unwrap_or(0..metadata.size);
        file.seek(SeekFrom::Start(range.start)).await?;
        let bytes = file.take(range.end - range.start);
        Ok(Some(StoredFile {
            metadata,
            stream: ReaderStream::with_capacity(bytes, CHUNK_BYTES).boxed(),
        }))
    }
}

#[async_trait]
impl Storage for LocalStorage {
    async fn put(&self, key: &str, file: &Path, fence: &dyn Fence) -> Result<(), StorageError> {
        let source = file.to_owned();
        // The bytes first, then the name: after a power cut there is a whole file or none.
        let synced = blocking(move || File::open(&source)?.sync_all()).await;
        synced.map_err(|cause| StorageError::unreadable(key, cause))?;
        fence.check().await.map_err(|error| error.at(key))?;
        let (directory, path, file) = (self.directory.clone(), self.path(key), file.to_owned());
        let stored = blocking(move || {
            match std::fs::rename(&file, &path) {
                Err(error) if error.kind() == ErrorKind::CrossesDevices => copy(&file, &path)?,
                renamed => renamed?,
            }
            File::open(directory)?.sync_all()
        });
        stored
            .await
            .map_err(|cause| StorageError::failed(key, cause))
    }

    async fn abandon(&self, key: &str, _: &Path) {
        let copied = partial(&self.path(key));
        // Err: there is none.
        let _ = tokio::fs::remove_file(copied).await;
    }

    async fn url(&self, key: &str, _: Duration) -> Result<String, StorageError> {
        Ok(format!("{}/{key}", self.base_url))
    }

    async fn metadata(&self, key: &str) -> Result<Option<Metadata>, StorageError> {
        let found = match tokio::fs::metadata(self.path(key)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            found => found.and_then(|found| metadata(&found)),
        };
        found
            .map(Some)
            .map_err(|cause| StorageError::failed(key, cause))
    }

    async fn read(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredFile>, StorageError> {
        let read = self.read_file(key, range).await;
        read.map_err(|cause| StorageError::failed(key, cause))
    }

    /// A link, which takes no room.
    async fn copy(&self, from: &str, to: &str) -> Result<bool, StorageError> {
        let (file, path) = (self.path(from), self.path(to));
        let linked = blocking(move || {
            let linked = partial(&path);
            // Err: it was never there.
            let _ = std::fs::remove_file(&linked);
            std::fs::hard_link(file, &linked)?;
            std::fs::rename(linked, path)
        });
        match linked.await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StorageError::failed(to, error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match tokio::fs::remove_file(self.path(key)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StorageError::failed(key, error))
            }
            _ => Ok(()),
        }
    }

    async fn probe(&self) -> Result<(), StorageError> {
        let path = self.path(PROBE_FILE);
        let probed = blocking(move || {
            let written = File::create(&path).and_then(|file| file.sync_all());
            written.and(std::fs::remove_file(path))
        });
        let probed = probed.await;
        probed.map_err(|cause| StorageError::failed(PROBE_FILE, cause))
    }
}

/// Copies a file from another file system, and then gives it its name.
fn copy(file: &Path, path: &Path) -> io::Result<()> {
    let copied = partial(path);
    std::fs::copy(file, &copied)?;
    File::open(&copied)?.sync_all()?;
    std::fs::rename(copied, path)
}

/// A file that is not whole yet.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work);
    done.await.map_err(io::Error::other)?
}

fn metadata(file: &std::fs::Metadata) -> io::Result<Metadata> {
    let modified = file.modified()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    Ok(Metadata {
        size: file.len(),
        modified,
        etag: Some(format!("{:x}-{nanos:x}", file.len())),
    })
}
