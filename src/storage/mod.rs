//! Where finished videos and their thumbnails are stored, and their addresses.

mod local;

use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use local::LocalStorage;

/// A place for files, each under a key of ours such as `{job_id}.mp4`.
///
/// Every storage keeps these promises; `tests/contract/` holds each of them: a file is stored whole
/// or not at all, and outlives the process once [`put`](Self::put) returns; a second `put` replaces the
/// first; files are streamed, and never whole in memory.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Stores a file, and may take it away. Its key tells its media type.
    async fn put(&self, key: &str, file: &Path) -> Result<(), StorageError>;

    /// An address for clients. Whether there is a file under the key is not checked.
    async fn url(&self, key: &str) -> Result<String, StorageError>;

    /// What is known of a file; `None`: there is none.
    async fn metadata(&self, key: &str) -> Result<Option<Metadata>, StorageError>;

    /// The bytes of a file in `range`, or all; `None`: there is no such file. The range must lie
    /// within the file.
    async fn read(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredFile>, StorageError>;

    /// Removes a file, if there is one.
    async fn delete(&self, key: &str) -> Result<(), StorageError>;

    /// Shows whether files can be stored now.
    async fn probe(&self) -> Result<(), StorageError>;
}

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
#[error("the storage failed on {key:?}")]
pub struct StorageError {
    key: String,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

impl StorageError {
    pub fn failed(key: &str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            key: key.to_owned(),
            cause: cause.into(),
        }
    }
}
