//! Finished videos on their way out.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::Jobs;
use crate::job::JobId;
use crate::net::{SendError, UrlError};
use crate::storage::Storage;

/// Why a video did not get to where it was to be uploaded. The text completes "upload_url …", where
/// the destination is to blame.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("the video is gone")]
    Gone,
    #[error("the video cannot be read")]
    Unreadable(#[source] io::Error),
    #[error(transparent)]
    Url(UrlError),
    #[error("answered {0}")]
    Status(u16),
    #[error(transparent)]
    Unsent(SendError),
}

impl Jobs {
    /// Whether the storage still has a finished job's video.
    pub async fn has_video(&self, id: JobId) -> io::Result<bool> {
        self.in_storage(move |storage| storage.holds(&id.video_name()))
            .await
    }

    /// Puts a finished job's video at `url`.
    pub async fn upload_video(&self, id: JobId, url: &str) -> Result<(), UploadError> {
        let opened = self.in_storage(move |storage| with_length(storage.open(&id.video_name())?));
        let (file, length) = opened.await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => UploadError::Gone,
            _ => UploadError::Unreadable(error),
        })?;
        let net = &self.shared.pipeline.studio.net;
        match net.upload(url, "video/mp4", file, length).await {
            Ok(200..300) => Ok(()),
            Ok(status) => Err(UploadError::Status(status)),
            Err(SendError::Url(error)) => Err(UploadError::Url(error)),
            Err(error) => Err(UploadError::Unsent(error)),
        }
    }

    /// Asks the storage, on a thread that may wait.
    async fn in_storage<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Storage) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let storage = Arc::clone(&self.shared.pipeline.storage);
        let asked = tokio::task::spawn_blocking(move || ask(&*storage));
        asked
            .await
            .unwrap_or_else(|panic| Err(io::Error::other(panic)))
    }
}

fn with_length(file: File) -> io::Result<(File, u64)> {
    let length = file.metadata()?.len();
    Ok((file, length))
}
