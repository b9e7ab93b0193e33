//! From a job to a video in the storage: it is made on this machine's disk, and then stored.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{debug, error, warn};
use tokio_util::sync::CancellationToken;

use super::stored_photos;
use super::temporary_file::TemporaryFile;
use super::{Made, Observer, Pipeline, PipelineError, VideoOrder};
use crate::errors::chain;
use crate::job::{
    Failure, FailureCode, Job, JobId, Remarks, StoredVideo, StoredVideos, Timestamp,
    UnstoredVideos, VideoFacts, VideoKey, VideoUrls,
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
        let rendered = match pipeline.render_unless(known, &orders, observer, cancel)? {
            Made::New(rendered) => rendered,
            Made::Before => return Ok(Made::Before),
        };
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
        for file in &files {
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
        Ok(Made::New(UnstoredVideos {
            name,
            first,
            others: videos.split_off(1),
            made_at: Timestamp::now(),
            content_hash: rendered.content_hash,
            remarks: Remarks {
                skipped: rendered.skipped,
                warnings,
            },
        }))
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

    /// A video that was stored just now, with its addresses if they are of this service.
    async fn stored(&self, video: VideoKey, facts: &VideoFacts) -> StoredVideo {
        let stored = StoredVideo {
            facts: facts.clone(),
            url: None,
            thumbnail_url: None,
        };
        let storage = self.storages.current();
        match self
            .urls_in(&**storage, video, &stored, Duration::ZERO)
            .await
        {
            Ok(urls) if self.storages.is_served_here(&urls.video) => StoredVideo {
                url: Some(urls.video),
                thumbnail_url: urls.thumbnail,
                ..stored
            },
            // Err: it is stored all the same.
            _ => stored,
        }
    }

    /// Removes what is on this machine's disk of videos, and what uploads of them have left behind.
    pub async fn discard(&self, id: JobId, videos: &UnstoredVideos) {
        let storage = self.storages.current();
        for index in 0..videos.all().count() {
            let video = id.video(index);
            for (ending, key) in [("mp4", video.file_name()), ("jpg", video.thumbnail_name())] {
                let file = self.unstored(&videos.name, index, ending);
                storage.abandon(&key, &file).await;
                // Err: it was moved, or never made.
                let _ = tokio::fs::remove_file(file).await;
            }
        }
    }

    /// Removes every file that waits to be stored, but those of `videos`. Tells which uploads were
    /// cut off: of these, the notes are still there.
    pub fn discard_all_but(&self, videos: &[&UnstoredVideos]) -> io::Result<Vec<PathBuf>> {
        let mut cut_off = Vec::new();
        for entry in std::fs::read_dir(&self.unstored_dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // With the dot: an attempt's number may begin with another's.
            let belongs = |video: &UnstoredVideos| {
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
            if let Some(key) = key_of(&file) {
                self.storages.current().abandon(&key, &file).await;
            }
        }
    }

    fn unstored(&self, name: &str, index: usize, ending: &str) -> PathBuf {
        self.unstored_dir.join(file_name(name, index, ending))
    }

    /// The addresses of stored videos, good for `at_least` that long if the storage can promise it.
    pub async fn urls(
        &self,
        id: JobId,
        videos: &StoredVideos,
        at_least: Duration,
    ) -> Result<Vec<VideoUrls>, StorageError> {
        let storage = self.storages.named(videos.storage.as_deref())?;
        let mut urls = Vec::new();
        for (index, video) in videos.all().enumerate() {
            let key = id.video(index);
            urls.push(self.urls_in(&*storage, key, video, at_least).await?);
        }
        Ok(urls)
    }

    async fn urls_in(
        &self,
        storage: &dyn Storage,
        key: VideoKey,
        video: &StoredVideo,
        at_least: Duration,
    ) -> Result<VideoUrls, StorageError> {
        let url = storage.url(&key.file_name(), at_least).await?;
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
            true => Some(storage.url(&key.thumbnail_name(), at_least).await?),
            false => None,
        };
        Ok(VideoUrls {
            video: url,
            thumbnail,
        })
    }

    /// The same for an answer, which is not held up by a storage that cannot tell: then they are
    /// addresses of this service.
    pub async fn urls_for_answer(&self, id: JobId, videos: &StoredVideos) -> Vec<VideoUrls> {
        match self.urls(id, videos, Duration::ZERO).await {
            Ok(urls) => urls,
            Err(error) => {
                warn!(
                    "the video of job {id} has no address of its own: {}",
                    chain(&error)
                );
                let videos = videos.all().enumerate();
                let urls = videos.map(|(index, video)| {
                    let key = id.video(index);
                    let thumbnail = || self.storages.service_url(&key.thumbnail_name());
                    VideoUrls {
                        video: self.storages.service_url(&key.file_name()),
                        thumbnail: video.has_thumbnail().then(thumbnail),
                    }
                });
                urls.collect()
            }
        }
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

/// The name of a file that waits to be stored.
fn file_name(name: &str, index: usize, ending: &str) -> String {
    match index {
        0 => format!("{name}.{ending}"),
        index => format!("{name}.{}.{ending}", index + 1),
    }
}

/// In the storage, of a file that waited to be stored.
fn key_of(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    if stored_photos::is_photo(name) {
        return Some(name.to_owned());
    }
    let parts: Vec<&str> = name.split('.').collect();
    let (id, number, ending) = match parts[..] {
        [id, _, ending] => (id, None, ending),
        [id, _, number, ending] => (id, Some(number.parse::<usize>().ok()?), ending),
        _ => return None,
    };
    let video = id.parse::<JobId>().ok()?;
    let video = video.video(number.map_or(0, |number| number.saturating_sub(1)));
    Some(format!("{video}.{ending}"))
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
