//! Storing: what is left of a job once its video is made. It takes no worker, and as long as the
//! storage needs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use log::{error, info, warn};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::attempt::RunningAttempt;
use super::backend::Attempt;
use super::{CancelReason, Jobs, cancelled};
use crate::errors::chain;
use crate::job::{
    Failure, FailureCode, Job, JobId, Outcome, StoredVideos, Timestamp, UnstoredVideos, VideoUrls,
};
use crate::metrics::{metrics, result_label};
use crate::pipeline::{Publisher, StorageError};

/// Videos on their way to the storage at once.
const CONCURRENT: usize = 8;

const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// How often the log hears of a storage that goes on failing.
const LOG_AGAIN: Duration = Duration::from_secs(60);

/// Stores videos in tasks of its own; cheap to clone.
#[derive(Clone)]
pub struct Storing {
    publisher: Publisher,
    /// How long a storage may fail, from when the video was made.
    patience: Duration,
    /// How long the addresses in a webhook are needed.
    webhook_lifetime: Duration,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// Why a video is not stored.
enum NotStored {
    Failed(StorageError),
    Cancelled,
}

impl Storing {
    pub fn new(publisher: Publisher, patience: Duration, webhook_lifetime: Duration) -> Self {
        Self {
            publisher,
            patience,
            webhook_lifetime,
            slots: Arc::new(Semaphore::new(CONCURRENT)),
            tasks: TaskTracker::new(),
        }
    }

    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// The addresses of stored videos, good for a webhook if the storage can tell.
    pub async fn urls(&self, id: JobId, videos: &StoredVideos) -> Vec<VideoUrls> {
        match self.publisher.urls(id, videos, self.webhook_lifetime).await {
            Ok(urls) => urls,
            Err(_) => self.publisher.urls_for_answer(id, videos).await,
        }
    }

    /// Stores a job's video and ends the job, in a task of its own.
    pub fn start(&self, jobs: &Jobs, job: Job, video: UnstoredVideos) {
        let (storing, jobs) = (self.clone(), jobs.clone());
        let runtime = jobs.shared.runtime.clone();
        let task = async move {
            let run = AssertUnwindSafe(storing.run(&jobs, &job, &video));
            if run.catch_unwind().await.is_err() {
                error!("storing the video of job {} panicked", job.id);
                storing
                    .end(&jobs, &job, &video, Err(Failure::internal()), &[])
                    .await;
            }
        };
        self.tasks.spawn_on(task, &runtime);
    }

    /// Waits until every video is stored. No other may be started.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn run(&self, jobs: &Jobs, job: &Job, video: &UnstoredVideos) {
        let attempt = RunningAttempt::storing(jobs, job);
        match self.store(job, video, &attempt).await {
            Ok((stored, urls)) => self.end(jobs, job, video, Ok(stored), &urls).await,
            Err(NotStored::Failed(StorageError::NoFile { cause, .. })) => {
                error!(
                    "the video of job {} is not on disk any more: {cause}",
                    job.id
                );
                drop(attempt);
                self.make_again(jobs, job, video).await;
            }
            Err(NotStored::Failed(error)) => {
                error!(
                    "job {} fails, as its video could not be stored: {}",
                    job.id,
                    chain(&error)
                );
                let failure = self.failure(&error);
                self.end(jobs, job, video, Err(failure), &[]).await;
            }
            Err(NotStored::Cancelled) => match attempt.cancellation().reason() {
                Some(CancelReason::Requested) => {
                    self.end(jobs, job, video, Err(cancelled()), &[]).await;
                }
                Some(CancelReason::Stopping) => {
                    info!(
                        "the video of job {} will be stored after the next start",
                        job.id
                    );
                    // Nobody here will end the job.
                    jobs.shared.waiters.take(job.id);
                }
                Some(CancelReason::LeaseLost | CancelReason::TimeLimit) | None => {
                    warn!("job {} is worked on elsewhere; this attempt ends", job.id);
                    self.publisher.discard(job.id, video).await;
                }
            },
        }
    }

    /// Ends the job. Its files go once that is written: a crash before finds everything as it was.
    async fn end(
        &self,
        jobs: &Jobs,
        job: &Job,
        video: &UnstoredVideos,
        outcome: Outcome,
        urls: &[VideoUrls],
    ) {
        let failed = outcome.is_err();
        if let Some(writing) = jobs.finish(job.clone(), outcome, urls).await {
            // Err: it panicked, and the next start begins again here.
            let _ = writing.await;
        }
        if failed && has_failed(jobs, job.id).await {
            self.publisher.delete(job.id, video.all().count()).await;
        }
        self.publisher.discard(job.id, video).await;
    }

    /// Tries until the video is stored, or patience is over.
    async fn store(
        &self,
        job: &Job,
        video: &UnstoredVideos,
        attempt: &RunningAttempt,
    ) -> Result<(StoredVideos, Vec<VideoUrls>), NotStored> {
        let token = attempt.cancellation().token();
        let mut backoff = Backoff::default();
        let mut logged: Option<Instant> = None;
        let mut stored = None;
        // By the clock that nobody sets, but for what earlier processes have waited.
        let (waited_before, began) = (
            Timestamp::now().seconds_since(video.made_at),
            Instant::now(),
        );
        loop {
            let tried = tokio::select! {
                biased;
                () = token.cancelled() => return Err(NotStored::Cancelled),
                tried = self.try_to_store(job, video, attempt, &mut stored) => tried,
            };
            let error = match tried {
                Ok(stored) => return Ok(stored),
                // The fence has cancelled the token.
                Err(StorageError::Fenced(_)) => return Err(NotStored::Cancelled),
                Err(error @ StorageError::NoFile { .. }) => return Err(NotStored::Failed(error)),
                Err(error) => error,
            };
            let waited = waited_before + began.elapsed().as_secs_f64();
            // Nor could its end be recorded while the job store is away.
            let is_known = !matches!(error, StorageError::FenceUnknown(_));
            if is_known && waited >= self.patience.as_secs_f64() {
                return Err(NotStored::Failed(error));
            }
            if logged.is_none_or(|at| at.elapsed() >= LOG_AGAIN) {
                logged = Some(Instant::now());
                warn!(
                    "the video of job {} waits on disk, as {}",
                    job.id,
                    chain(&error)
                );
            }
            tokio::select! {
                () = token.cancelled() => return Err(NotStored::Cancelled),
                () = tokio::time::sleep(backoff.next()) => {}
            }
        }
    }

    /// What was stored by an earlier try is not stored again.
    async fn try_to_store(
        &self,
        job: &Job,
        video: &UnstoredVideos,
        attempt: &RunningAttempt,
        stored: &mut Option<StoredVideos>,
    ) -> Result<(StoredVideos, Vec<VideoUrls>), StorageError> {
        // Err: never, as nobody closes it.
        let _slot = self.slots.acquire().await;
        let publisher = &self.publisher;
        let stored = match stored {
            Some(stored) => stored,
            None => {
                let began = Instant::now();
                let tried = publisher.store(job.id, video, attempt).await;
                note_store(&tried, began);
                stored.insert(tried?)
            }
        };
        let urls = publisher
            .urls(job.id, stored, self.webhook_lifetime)
            .await?;
        Ok((stored.clone(), urls))
    }

    /// Its files are gone: the job is begun anew.
    async fn make_again(&self, jobs: &Jobs, job: &Job, video: &UnstoredVideos) {
        self.publisher.discard(job.id, video).await;
        while let Err(error) = jobs.shared.backend.release(Attempt::of(job)).await {
            error!("job {} could not be put back: {}", job.id, chain(&error));
            tokio::time::sleep(MAX_BACKOFF).await;
        }
        if jobs.shared.closing.is_cancelled() {
            // Nobody here will begin it.
            jobs.shared.waiters.take(job.id);
        }
    }

    fn failure(&self, error: &StorageError) -> Failure {
        let why = match error {
            StorageError::Refused { .. } => "the storage refused access",
            _ => "the storage could not be reached or did not take it",
        };
        let patience = humantime::format_duration(self.patience);
        let message = format!("the video could not be stored within {patience}: {why}");
        Failure::new(FailureCode::StorageFailed, message)
    }
}

/// Counts an attempt to store videos.
fn note_store(tried: &Result<StoredVideos, StorageError>, began: Instant) {
    let labels = [result_label(tried)];
    let seconds = began.elapsed().as_secs_f64();
    metrics()
        .store_seconds
        .with_label_values(&labels)
        .observe(seconds);
    match tried {
        Ok(videos) => {
            let bytes = videos.all().map(|video| video.facts.bytes);
            metrics().stored_bytes.inc_by(bytes.sum());
        }
        Err(StorageError::Fenced(_) | StorageError::FenceUnknown(_)) => {}
        Err(_) => metrics().storage_errors.inc(),
    }
}

/// Whether the job has ended so for good: another attempt may have it, and have stored its video.
pub async fn has_failed(jobs: &Jobs, id: JobId) -> bool {
    // Err: nothing is known, and nothing is deleted.
    let job = jobs.job(id).await.ok().flatten();
    let finish = job.and_then(|job| job.finish);
    finish.is_some_and(|finish| finish.outcome.is_err())
}

/// Doubles up to a bound; each wait is between a half and the whole of it, so that jobs that wait for
/// one storage do not all come at once.
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST_BACKOFF)
    }
}

impl Backoff {
    fn next(&mut self) -> Duration {
        let longest = self.0;
        self.0 = (self.0 * 2).min(MAX_BACKOFF);
        let random = Uuid::new_v4().as_u128() as u32;
        longest.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_ten_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..12).map(|_| backoff.next()).collect();
        assert!(waits[0] <= FIRST_BACKOFF && waits[0] >= FIRST_BACKOFF / 2);
        assert!(waits.iter().all(|wait| *wait <= MAX_BACKOFF));
        assert!(waits[11] >= MAX_BACKOFF / 2, "{waits:?}");
    }
}
