//! From a job to a video in the storage: it is made on this machine's disk, and then stored.
//!
//! ```text
//! unstored ─ files that wait to be stored
//! addresses ─ of stored videos
//! ```

mod addresses;
mod unstored;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{debug, error, warn};
use tokio_util::sync::CancellationToken;

use super::temporary_file::TemporaryFile;
use super::{Made, Observer, Pipeline, PipelineError, Rendered, VideoOrder};
use crate::errors::chain;
use crate::job::{
    Failure, FailureCode, Job, JobId, Remarks, StoredVideos, Timestamp, UnstoredVideos, VideoFacts,
    VideoKey,
};
use crate::picture;
use crate::spec::Size;
use crate::storage::{Fence, NoFence, Storage, StorageError, Storages};
use unstored::file_name;

/// The key under which [`Publisher::test_storage`] stores its file.
pub const TEST_FILE: &str = "success.txt";

/// Makes videos and stores them; cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    pub pipeline: Pipeline,
    pub storages: Storages,
    /// Where videos are made. Emptied at every start.
    pub work_dir: PathBuf,
    /// Where they wait to be stored, on the same file system. A local storage had better be on it too,
    /// so that storing is a rename.
    pub unstored_dir: PathBuf,
}

impl Publisher {
    /// Makes a job's videos, and their thumbnails, as files that wait to be stored; unless everything that they are made
    /// from has the hash `known`. Blocks.
    pub fn make(
        &self,
        job: &Job,
        known: Option<&str>,
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> Result<Made<UnstoredVideos>, PipelineError> {
        // Whoever cleans up may have removed it. Err: the first file tells of it.
        let _ = std::fs::create_dir_all(&self.work_dir);
        // Each attempt has its own files: a process that outlived the last one may hold others.
        let name = format!("{}.{}", job.id, job.attempt);
        let specs = &job.request.specs;
        let files: Vec<TemporaryFile> = (0..specs.len())
            .map(|index| TemporaryFile::new(self.work_dir.join(file_name(&name, index, "mp4"))))
            .collect();
        let orders: Vec<VideoOrder> = specs
            .iter()
            .zip(&files)
            .map(|(spec, file)| VideoOrder {
                spec,
                file: file.path(),
            })
            .collect();
        let pipeline = &self.pipeline;
        match pipeline.render_unless(known, &orders, observer, cancel)? {
            Made::New(rendered) => self.keep_all(job, name, &files, rendered).map(Made::New),
            Made::Before => Ok(Made::Before),
        }
    }

    /// Keeps the videos of a job, which are in these files, and their thumbnails: all or none.
    fn keep_all(
        &self,
        job: &Job,
        name: String,
        files: &[TemporaryFile],
        rendered: Rendered,
    ) -> Result<UnstoredVideos, PipelineError> {
        let specs = &job.request.specs;
        let mut videos = Vec::with_capacity(files.len());
        // Removed unless all are kept.
        let mut kept = Vec::new();
        for (index, (video, spec)) in rendered.videos.iter().zip(specs).enumerate() {
            if let Some(frame) = &video.thumbnail {
                let thumbnail = self.work_dir.join(file_name(&name, index, "jpg"));
                let thumbnail = TemporaryFile::new(thumbnail);
                write_thumbnail(frame, video.size, thumbnail.path())?;
                kept.push(self.keep(&thumbnail)?);
            }
            videos.push(VideoFacts {
                size: video.size,
                frames: video.frames,
                frame_rate: spec.output.frame_rate,
                bytes: video.bytes,
                has_thumbnail: video.thumbnail.is_some(),
            });
        }
        for file in files {
            kept.push(self.keep(file)?);
        }
        let first = videos.first().cloned();
        let first = first.ok_or_else(|| PipelineError::Failed(Failure::internal()))?;
        kept.into_iter().for_each(TemporaryFile::persist);
        let warnings = rendered.videos.into_iter().flat_map(|it| it.warnings);
        let mut warnings: Vec<String> = warnings.collect();
        warnings.dedup();
        for warning in &warnings {
            warn!("job {}: {warning}", job.id);
        }
        Ok(UnstoredVideos {
            name,
            first,
            others: videos.split_off(1),
            made_at: Timestamp::now(),
            content_hash: rendered.content_hash,
            remarks: Remarks {
                skipped: rendered.skipped,
                warnings,
            },
        })
    }

    /// Moves a finished file to where it outlives the process.
    fn keep(&self, file: &TemporaryFile) -> Result<TemporaryFile, PipelineError> {
        let name = file.path().file_name().unwrap_or_default();
        let kept = TemporaryFile::new(self.unstored_dir.join(name));
        let synced = File::open(file.path()).and_then(|file| file.sync_all());
        let moved = synced.and_then(|()| std::fs::rename(file.path(), kept.path()));
        let moved = moved.map(|()| kept);
        moved.map_err(|error| {
            error!("a finished file could not be kept: {error}");
            storage_failure("the video could not be stored")
        })
    }

    /// Stores the videos that were made. Their files may be gone afterwards.
    pub async fn store(
        &self,
        id: JobId,
        videos: &UnstoredVideos,
        fence: &dyn Fence,
    ) -> Result<StoredVideos, StorageError> {
        let mut stored = Vec::new();
        for (index, facts) in videos.all().enumerate() {
            self.store_one(id.video(index), &videos.name, facts, fence)
                .await?;
            stored.push(self.stored(id.video(index), facts).await);
        }
        let first = stored.remove(0);
        Ok(StoredVideos {
            first,
            others: stored,
            storage: self.storages.current_name().map(str::to_owned),
            content_hash: videos.content_hash.clone(),
            remarks: videos.remarks.clone(),
        })
    }

    /// Stores the videos of an earlier job as those of this one too. `None`: they are not here.
    pub async fn store_copies(
        &self,
        id: JobId,
        earlier: JobId,
        videos: &StoredVideos,
        fence: &dyn Fence,
    ) -> Result<Option<StoredVideos>, StorageError> {
        let storage = self.storages.current();
        if videos.storage.as_deref() != self.storages.current_name() {
            return Ok(None);
        }
        let mut stored = Vec::new();
        for (index, video) in videos.all().enumerate() {
            let (from, to) = (earlier.video(index), id.video(index));
            let mut names = vec![(from.file_name(), to.file_name())];
            if video.has_thumbnail() {
                names.push((from.thumbnail_name(), to.thumbnail_name()));
            }
            for (from, to) in names {
                fence.check().await.map_err(|error| error.at(&to))?;
                if !storage.copy(&from, &to).await? {
                    return Ok(None);
                }
            }
            stored.push(self.stored(to, &video.facts).await);
        }
        let first = stored.remove(0);
        Ok(Some(StoredVideos {
            first,
            others: stored,
            ..videos.clone()
        }))
    }

    async fn store_one(
        &self,
        video: VideoKey,
        name: &str,
        facts: &VideoFacts,
        fence: &dyn Fence,
    ) -> Result<(), StorageError> {
        let storage = self.storages.current();
        if facts.has_thumbnail {
            let file = self.unstored(name, video.index, "jpg");
            store_once(&**storage, &video.thumbnail_name(), &file, None, fence).await?;
        }
        let key = video.file_name();
        let file = self.unstored(name, video.index, "mp4");
        let bytes = facts.bytes;
        if tokio::fs::metadata(&file)
            .await
            .is_ok_and(|found| found.len() != bytes)
        {
            let cause = io::Error::other("the file is damaged");
            return Err(StorageError::NoFile { key, cause });
        }
        store_once(&**storage, &key, &file, Some(bytes), fence).await
    }

    /// Removes the files of a job's videos from the storage of today, as far as it allows: of a job that did not end well.
    pub async fn delete(&self, id: JobId, videos: usize) {
        if let Err(error) = self
            .delete_from(&**self.storages.current(), id, videos)
            .await
        {
            debug!("files of job {id} were not deleted: {}", chain(&error));
        }
    }

    /// Removes the files of finished videos from where they are stored.
    pub async fn delete_stored(
        &self,
        id: JobId,
        videos: &StoredVideos,
    ) -> Result<(), StorageError> {
        let storage = self.storages.named(videos.storage.as_deref())?;
        self.delete_from(&*storage, id, videos.all().count()).await
    }

    async fn delete_from(
        &self,
        storage: &dyn Storage,
        id: JobId,
        videos: usize,
    ) -> Result<(), StorageError> {
        let keys = (0..videos).map(|index| id.video(index));
        let mut deleted = Ok(());
        for name in keys.flat_map(|key| [key.file_name(), key.thumbnail_name()]) {
            // The others all the same.
            deleted = deleted.and(storage.delete(&name).await);
        }
        deleted
    }

    /// Shows that videos can be stored, by a small text file, and tells its address.
    pub async fn test_storage(&self) -> Result<String, StorageError> {
        let file = TemporaryFile::new(self.work_dir.join(JobId::random().to_string()));
        let written = tokio::fs::write(file.path(), "Kinora can store files here.\n").await;
        written.map_err(|cause| StorageError::failed(TEST_FILE, cause))?;
        let storage = self.storages.current();
        storage.put(TEST_FILE, file.path(), &NoFence).await?;
        storage.url(TEST_FILE, Duration::ZERO).await
    }
}

/// Stores a file, unless it was stored and taken away by an attempt whose end nobody wrote down.
async fn store_once(
    storage: &dyn Storage,
    key: &str,
    file: &Path,
    bytes: Option<u64>,
    fence: &dyn Fence,
) -> Result<(), StorageError> {
    match storage.put(key, file, fence).await {
        Err(StorageError::NoFile { key, cause }) => {
            let found = match storage.metadata(&key).await {
                // Whoever may only put is not told, and it is made again.
                Err(StorageError::Refused { .. }) => None,
                found => found?,
            };
            let is_ours = found.is_some_and(|found| bytes.is_none_or(|bytes| found.size == bytes));
            is_ours
                .then_some(())
                .ok_or(StorageError::NoFile { key, cause })
        }
        stored => stored,
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
