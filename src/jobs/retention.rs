//! What becomes of jobs, videos and photos whose time is over. On each node: who is second finds nothing left to do.

use std::time::Duration;

use log::{error, info};
use tokio_util::sync::CancellationToken;

use super::backend::BackendError;
use super::{Jobs, Settings};
use crate::errors::chain;
use crate::pipeline::{Publisher, StorageError};

/// Between sweeps, at most.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// And at least, whatever times are set.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(200);

/// Of one statement, so that nobody waits for it long.
const BATCH: u32 = 200;

/// Sweeps now and then.
pub struct Retention {
    jobs: Jobs,
    publisher: Publisher,
    videos: Option<Duration>,
    ended_jobs: Option<Duration>,
    photos: Duration,
}

/// Why a sweep was broken off. The next one goes on.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Jobs(#[from] BackendError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Retention {
    pub fn new(jobs: Jobs, publisher: Publisher, settings: &Settings) -> Self {
        Self {
            jobs,
            publisher,
            videos: settings.keep_videos,
            ended_jobs: settings.keep_jobs,
            photos: settings.keep_photos,
        }
    }

    /// Until it is cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let times = [self.videos, self.ended_jobs, Some(self.photos)];
        let shortest = times.into_iter().flatten().min().unwrap_or(self.photos);
        let interval = (shortest / 10).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
        let sweeps = async {
            loop {
                self.sweep().await;
                tokio::time::sleep(interval).await;
            }
        };
        cancel.run_until_cancelled(sweeps).await;
    }

    async fn sweep(&self) {
        // One that fails is no reason to leave the others out.
        for swept in [
            self.sweep_videos().await,
            self.sweep_jobs().await,
            self.sweep_photos().await,
        ] {
            if let Err(error) = swept {
                error!(
                    "what is no longer kept could not be removed: {}",
                    chain(&error)
                );
            }
        }
    }

    async fn sweep_videos(&self) -> Result<(), SweepError> {
        let Some(age) = self.videos else {
            return Ok(());
        };
        let backend = &self.jobs.shared.backend;
        let mut count = 0;
        loop {
            let old = backend.old_videos(age, BATCH).await?;
            for job in &old {
                if let Some(Ok(videos)) = job.finish.as_ref().map(|finish| &finish.outcome) {
                    self.publisher.delete_stored(job.id, videos).await?;
                }
                // Not before: what is marked is not looked for again.
                backend.mark_deleted(job.id).await?;
            }
            count += old.len();
            if old.len() < BATCH as usize {
                break;
            }
        }
        if count > 0 {
            info!("the files of {count} jobs were deleted: they are older than retention.videos");
        }
        Ok(())
    }

    async fn sweep_jobs(&self) -> Result<(), SweepError> {
        let Some(age) = self.ended_jobs else {
            return Ok(());
        };
        // Of a job that is forgotten, nobody would delete the files.
        let keeps_videos = self.videos.is_some();
        let mut count = 0;
        loop {
            let removed = self
                .jobs
                .shared
                .backend
                .remove_jobs(age, keeps_videos, BATCH);
            let removed = removed.await?;
            count += removed;
            if removed < BATCH as usize {
                break;
            }
        }
        if count > 0 {
            info!("{count} jobs were forgotten: they are older than retention.jobs");
        }
        Ok(())
    }

    async fn sweep_photos(&self) -> Result<(), SweepError> {
        let backend = &self.jobs.shared.backend;
        loop {
            let files = backend.retire_photos(self.photos, BATCH).await?;
            for file in &files {
                self.publisher.delete_photo(file).await?;
            }
            backend.remove_photos(&files).await?;
            if files.len() < BATCH as usize {
                return Ok(());
            }
        }
    }
}
