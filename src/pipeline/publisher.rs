//! From a job to a video in the storage.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::error;
use tokio_util::sync::CancellationToken;

use super::{Observer, Pipeline, PipelineError};
use crate::errors::chain;
use crate::job::{Failure, FailureCode, Job, JobId, StoredVideo};
use crate::picture;
use crate::spec::Size;
use crate::storage::{Storage, StorageError};

/// The key under which [`Publisher::test_storage`] stores its file.
pub const TEST_FILE: &str = "success.txt";

/// Renders videos and stores them; cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    pub pipeline: Pipeline,
    pub storage: Arc<dyn Storage>,
    /// Where videos are made before they are stored. On the file system of a local storage, so that
    /// storing is a rename.
    pub work_dir: PathBuf,
}

impl Publisher {
    pub fn publish(
        &self,
        job: &Job,
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> Result<StoredVideo, PipelineError> {
        // Each attempt has its own files: a process that outlived the last one may hold others.
        let temporary = |kind| {
            let name = format!("{}.{}.{kind}", job.id, job.attempt);
            TemporaryFile::new(self.work_dir.join(name))
        };
        let spec = &job.request.spec;
        let video = temporary("mp4");
        let rendered = self.pipeline.render(spec, video.path(), observer, cancel)?;
        if !observer.may_store() {
            return Err(PipelineError::Cancelled);
        }
        let thumbnail_url = match &rendered.thumbnail {
            None => None,
            Some(frame) => {
                let thumbnail = temporary("jpg");
                write_thumbnail(frame, rendered.size, thumbnail.path())?;
                Some(self.store(&job.id.thumbnail_name(), thumbnail.path())?)
            }
        };
        Ok(StoredVideo {
            url: self.store(&job.id.video_name(), video.path())?,
            size: rendered.size,
            frames: rendered.frames,
            frame_rate: spec.output.frame_rate,
            thumbnail_url,
            bytes: rendered.bytes,
        })
    }

    /// Stores a file for good, and tells its address.
    fn store(&self, key: &str, file: &Path) -> Result<String, PipelineError> {
        let stored = self.pipeline.runtime.block_on(async {
            self.storage.put(key, file).await?;
            self.storage.url(key).await
        });
        stored.map_err(|error| {
            error!("{key} could not be stored: {}", chain(&error));
            storage_failure("the video could not be stored")
        })
    }

    /// Shows that videos can be stored, by a small text file, and tells its address.
    pub async fn test_storage(&self) -> Result<String, StorageError> {
        let file = TemporaryFile::new(self.work_dir.join(JobId::random().to_string()));
        let written = tokio::fs::write(file.path(), "Kinora can store files here.\n").await;
        written.map_err(|cause| StorageError::failed(TEST_FILE, cause))?;
        self.storage.put(TEST_FILE, file.path()).await?;
        self.storage.url(TEST_FILE).await
    }
}

fn write_thumbnail(frame: &[u8], size: Size, file: &Path) -> Result<(), PipelineError> {
    let drawn = picture::thumbnail(frame, size).map_err(io::Error::other);
    drawn
        .and_then(|jpeg| std::fs::write(file, jpeg))
        .map_err(|error| {
            error!("a thumbnail could not be made: {error}");
            storage_failure("the thumbnail could not be stored")
        })
}

fn storage_failure(message: &str) -> PipelineError {
    PipelineError::Failed(Failure::new(FailureCode::StorageFailed, message))
}

/// A file that is removed when this is dropped, unless it was moved before.
pub struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Err: it was moved, or never made.
        let _ = std::fs::remove_file(&self.0);
    }
}
