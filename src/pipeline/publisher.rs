//! From a job to a video in the storage: it is made on this machine's disk, and then stored.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{debug, error, warn};
use tokio_util::sync::CancellationToken;

use super::{Observer, Pipeline, PipelineError, VideoOrder};
use crate::errors::chain;
use crate::job::{
    Failure, FailureCode, Job, JobId, StoredVideo, Timestamp, UnstoredVideo, VideoFacts, VideoUrls,
};
use crate::picture;
use crate::spec::Size;
use crate::storage::{Fence, NOTE_ENDING, NoFence, Storage, StorageError, Storages};

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
    /// Makes a job's video, and its thumbnail, as files that wait to be stored. Blocks.
    pub fn make(
        &self,
        job: &Job,
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> Result<UnstoredVideo, PipelineError> {
        // Each attempt has its own files: a process that outlived the last one may hold others.
        let name = format!("{}.{}", job.id, job.attempt);
        let temporary =
            |ending| TemporaryFile::new(self.work_dir.join(&name).with_added_extension(ending));
        let spec = &job.request.spec;
        let video = temporary("mp4");
        let order = VideoOrder {
            spec,
            file: video.path(),
        };
        let rendered = self.pipeline.render(&[order], observer, cancel)?.pop();
        let rendered = rendered.ok_or_else(|| PipelineError::Failed(Failure::internal()))?;
        if let Some(warning) = &rendered.warning {
            warn!("job {}: {warning}", job.id);
        }
        if let Some(frame) = &rendered.thumbnail {
            let thumbnail = temporary("jpg");
            write_thumbnail(frame, rendered.size, thumbnail.path())?;
            self.keep(&thumbnail, &name, "jpg")?;
        }
        self.keep(&video, &name, "mp4")?;
        Ok(UnstoredVideo {
            name,
            facts: VideoFacts {
                size: rendered.size,
                frames: rendered.frames,
                frame_rate: spec.output.frame_rate,
                bytes: rendered.bytes,
                has_thumbnail: rendered.thumbnail.is_some(),
            },
            made_at: Timestamp::now(),
        })
    }

    /// Moves a finished file to where it outlives the process.
    fn keep(&self, file: &TemporaryFile, name: &str, ending: &str) -> Result<(), PipelineError> {
        let kept = self.unstored_dir.join(format!("{name}.{ending}"));
        let synced = File::open(file.path()).and_then(|file| file.sync_all());
        let moved = synced.and_then(|()| std::fs::rename(file.path(), kept));
        moved.map_err(|error| {
            error!("a finished file could not be kept: {error}");
            storage_failure("the video could not be stored")
        })
    }

    /// Stores a video that was made. Its files may be gone afterwards.
    pub async fn store(
        &self,
        id: JobId,
        video: &UnstoredVideo,
        fence: &dyn Fence,
    ) -> Result<StoredVideo, StorageError> {
        let storage = self.storages.current();
        if video.facts.has_thumbnail {
            let file = self.unstored(video, "jpg");
            store_once(&**storage, &id.thumbnail_name(), &file, None, fence).await?;
        }
        let key = id.video_name();
        let file = self.unstored(video, "mp4");
        let bytes = video.facts.bytes;
        if tokio::fs::metadata(&file)
            .await
            .is_ok_and(|found| found.len() != bytes)
        {
            let cause = io::Error::other("the file is damaged");
            return Err(StorageError::NoFile { key, cause });
        }
        store_once(&**storage, &key, &file, Some(bytes), fence).await?;
        let stored = StoredVideo {
            facts: video.facts.clone(),
            storage: self.storages.current_name().map(str::to_owned),
            url: None,
            thumbnail_url: None,
        };
        let urls = self.urls(id, &stored, Duration::ZERO).await;
        Ok(match urls {
            Ok(urls) if self.storages.is_served_here(&urls.video) => StoredVideo {
                url: Some(urls.video),
                thumbnail_url: urls.thumbnail,
                ..stored
            },
            // Err: it is stored all the same.
            _ => stored,
        })
    }

    /// Removes what is on this machine's disk of a video, and what uploads of it have left behind.
    pub async fn discard(&self, id: JobId, video: &UnstoredVideo) {
        let storage = self.storages.current();
        for (ending, key) in [("mp4", id.video_name()), ("jpg", id.thumbnail_name())] {
            let file = self.unstored(video, ending);
            storage.abandon(&key, &file).await;
            // Err: it was moved, or never made.
            let _ = tokio::fs::remove_file(file).await;
        }
    }

    /// Removes every file that waits to be stored, but those of `videos`. Tells which uploads were
    /// cut off: of these, the notes are still there.
    pub fn discard_all_but(&self, videos: &[&UnstoredVideo]) -> io::Result<Vec<PathBuf>> {
        let mut cut_off = Vec::new();
        for entry in std::fs::read_dir(&self.unstored_dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // With the dot: an attempt's number may begin with another's.
            let belongs = |video: &UnstoredVideo| {
                let rest = name.strip_prefix(&video.name);
                rest.is_some_and(|rest| rest.starts_with('.'))
            };
            if videos.iter().any(|video| belongs(video)) {
                continue;
            }
            match name.strip_suffix(NOTE_ENDING) {
                Some(file) => cut_off.push(path.with_file_name(file)),
                None => std::fs::remove_file(&path)?,
            }
        }
        Ok(cut_off)
    }

    /// Aborts uploads of files that are not there any more.
    pub async fn abandon(&self, files: Vec<PathBuf>) {
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let (id, ending) = (name.split('.').next(), file.extension());
            if let (Some(id), Some(ending)) = (id, ending) {
                let key = format!("{id}.{}", ending.to_string_lossy());
                self.storages.current().abandon(&key, &file).await;
            }
        }
    }

    fn unstored(&self, video: &UnstoredVideo, ending: &str) -> PathBuf {
        self.unstored_dir.join(format!("{}.{ending}", video.name))
    }

    /// The addresses of a stored video, good for `at_least` that long if the storage can promise it.
    pub async fn urls(
        &self,
        id: JobId,
        video: &StoredVideo,
        at_least: Duration,
    ) -> Result<VideoUrls, StorageError> {
        let storage = self.storages.named(video.storage.as_deref())?;
        let url = storage.url(&id.video_name(), at_least).await?;
        if self.storages.keeps_addresses()
            && self.storages.is_served_here(&url)
            && let Some(told) = &video.url
        {
            return Ok(VideoUrls {
                video: told.clone(),
                thumbnail: video.thumbnail_url.clone(),
            });
        }
        let thumbnail = match video.has_thumbnail() {
            true => Some(storage.url(&id.thumbnail_name(), at_least).await?),
            false => None,
        };
        Ok(VideoUrls {
            video: url,
            thumbnail,
        })
    }

    /// The same for an answer, which is not held up by a storage that cannot tell: then it is an
    /// address of this service.
    pub async fn urls_for_answer(&self, id: JobId, video: &StoredVideo) -> VideoUrls {
        match self.urls(id, video, Duration::ZERO).await {
            Ok(urls) => urls,
            Err(error) => {
                warn!(
                    "the video of job {id} has no address of its own: {}",
                    chain(&error)
                );
                let thumbnail = || self.storages.service_url(&id.thumbnail_name());
                VideoUrls {
                    video: self.storages.service_url(&id.video_name()),
                    thumbnail: video.has_thumbnail().then(thumbnail),
                }
            }
        }
    }

    /// Removes the files of a job that did not end well from the storage, as far as it allows.
    pub async fn delete(&self, id: JobId) {
        let storage = self.storages.current();
        for key in [id.video_name(), id.thumbnail_name()] {
            if let Err(error) = storage.delete(&key).await {
                debug!("{key} was not deleted: {}", chain(&error));
            }
        }
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
