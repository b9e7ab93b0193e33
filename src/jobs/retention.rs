//! What becomes of jobs, videos and photos whose time is over. On each node: who is second finds nothing left to do.

use std::collections::HashSet;
use std::time::Duration;

use log::{error, info};
use tokio_util::sync::CancellationToken;

use super::backend::BackendError;
use super::{Jobs, Settings};
use crate::errors::chain;
use crate::metrics::metrics;
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
                    "what is no longer kept could not be looked for: {}",
                    chain(&error)
                );
            }
        }
    }

    async fn sweep_videos(&self) -> Result<(), BackendError> {
        let Some(age) = self.videos else {
            return Ok(());
        };
        let backend = &self.jobs.shared.backend;
        let mut failing = Failing::default();
        let (mut count, mut after) = (0, None);
        loop {
            let page = backend.old_videos(age, after, BATCH).await?;
            for job in &page.jobs {
                let Some(Ok(videos)) = job.finish.as_ref().map(|finish| &finish.outcome) else {
                    continue;
                };
                let deleting = self.publisher.delete_stored(job.id, videos);
                if failing.try_in(videos.storage.as_deref(), deleting).await {
                    // Not before: what is marked is not looked for again.
                    backend.mark_deleted(job.id).await?;
                    count += 1;
                }
            }
            after = page.end;
            if after.is_none() {
                break;
            }
        }
        if count > 0 {
            info!("the files of {count} jobs were deleted: they are older than retention.videos");
        }
        Ok(())
    }

    async fn sweep_jobs(&self) -> Result<(), BackendError> {
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

    async fn sweep_photos(&self) -> Result<(), BackendError> {
        let backend = &self.jobs.shared.backend;
        let mut failing = Failing::default();
        loop {
            let retired = backend.retire_photos(self.photos, BATCH).await?;
            let mut deleted = Vec::with_capacity(retired.len());
            for photo in &retired {
                let deleting = self.publisher.delete_photo(photo);
                if failing.try_in(photo.storage.as_deref(), deleting).await {
                    deleted.push(photo.file.clone());
                }
            }
            backend.remove_photos(&deleted).await?;
            // Those that failed would come again.
            if retired.len() < BATCH as usize || deleted.len() < retired.len() {
                return Ok(());
            }
        }
    }
}

/// Storages that failed in this sweep: nothing else is tried there, and the others are not held up.
#[derive(Default)]
struct Failing(HashSet<Option<String>>);

impl Failing {
    /// Whether something was done in a storage.
    async fn try_in(
        &mut self,
        storage: Option<&str>,
        work: impl Future<Output = Result<(), StorageError>>,
    ) -> bool {
        let name = storage.map(str::to_owned);
        if self.0.contains(&name) {
            return false;
        }
        let done = work.await;
        if let Err(error) = &done {
            metrics().storage_errors.inc();
            error!(
                "what is no longer kept could not be deleted: {}",
                chain(error)
            );
            self.0.insert(name);
        }
        done.is_ok()
    }
}
