//! Jobs: submitted, waited for, asked about, cancelled; and the workers that do them.
//!
//! ```text
//! Jobs ─▶ backend (a trait, with what it promises) ─▶ sqlite, postgres (with row, the same in both)
//! worker ─ claims jobs and runs the pipeline
//! events ─ what the backend tells, passed on
//! attempt, cancellation ─ one job in the hands of this process, and what ends it early
//! retention ─ what becomes of jobs, videos and photos whose time is over
//! storing, finish ─ a video on its way to the storage; the end of a job
//! ```

mod attempt;
pub mod backend;
mod cancellation;
mod clock;
mod events;
mod finish;
pub mod postgres;
mod retention;
mod row;
mod settings;
pub mod sqlite;
mod storing;
mod waiters;
mod worker;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::{error, info, warn};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;

pub use backend::{
    AcceptError, Backend, BackendError, Cancelled, JobEvent, JobQuery, JobStatus, LaneLoad,
    ListedJob, ListedWebhook, UploadedPhoto, WebhookQuery, WebhookState,
};
pub use cancellation::{CancelReason, Cancellation};
pub use retention::Retention;
pub use settings::Settings;
pub use storing::Storing;
pub use worker::Workers;

use crate::errors::chain;
use crate::job::{
    Failure, FailureCode, Finish, Idempotency, Job, JobId, JobRequest, JobState, Lane, ProcessInfo,
    Timestamp, UnstoredVideos, VideoUrls,
};
use crate::metrics::metrics;
use crate::request_id;
use attempt::AttemptHandle;
pub use backend::ASKED_TIME;
use backend::{Acceptance, NewWebhook};
use waiters::Waiters;

/// Between looks whether anybody waits for a job.
const ANSWERED_INTERVAL: Duration = Duration::from_millis(50);

/// What the webhook about a finished job is made from.
#[derive(Clone, Copy)]
pub struct WebhookSource {
    /// Prints the webhook's body, in the form of the job's dialect, with the addresses of its videos.
    pub print: fn(&Job, &[VideoUrls]) -> Vec<u8>,
    /// The wait before the first attempt.
    pub delay: Duration,
}

/// A handle; cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    shared: Arc<Shared>,
}

struct Shared {
    backend: Arc<dyn Backend>,
    runtime: Handle,
    webhook_source: WebhookSource,
    waiters: Waiters,
    /// The attempts of this process.
    running: Mutex<HashMap<JobId, AttemptHandle>>,
    /// No more jobs are claimed.
    closing: CancellationToken,
    /// Running attempts are given up, and their jobs go back to the queue.
    stopping: CancellationToken,
    /// The name of this node.
    node: String,
    queue_id: u64,
}

/// A job that is stored and will be finished.
pub struct Accepted {
    pub id: JobId,
    /// Resolves to the finished job; fails when the service stops before a worker has begun it.
    pub finished: oneshot::Receiver<Job>,
}

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error(transparent)]
    Accept(#[from] AcceptError),
    #[error("the task was cut off")]
    CutOff,
}

impl Jobs {
    /// To be called in the runtime that is to run its tasks.
    pub fn new(backend: Arc<dyn Backend>, webhook_source: WebhookSource, node: String) -> Self {
        let jobs = Self {
            shared: Arc::new(Shared {
                backend,
                runtime: Handle::current(),
                webhook_source,
                waiters: Waiters::default(),
                running: Mutex::default(),
                closing: CancellationToken::new(),
                stopping: CancellationToken::new(),
                node,
                // Like the peer's: a number that is this process's own.
                queue_id: Timestamp::now().0.unsigned_abs(),
            }),
        };
        tokio::spawn(jobs.clone().follow_events());
        tokio::spawn(clock::follow(jobs.shared.backend.clone()));
        jobs
    }

    /// Accepts a job: once this returns, the job is stored and will be finished. A request that was accepted before with
    /// the same idempotency key is the job of that time.
    pub async fn submit(
        &self,
        request: JobRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<Accepted, SubmitError> {
        let job = Job::new(request);
        let (id, dialect) = (job.id, job.request.dialect.clone());
        let finished = self.shared.waiters.register(id);
        let shared = self.shared.clone();
        // A task of its own: a caller who hangs up must not cut an acceptance in two.
        let accepted = self.shared.runtime.spawn(async move {
            let accepted = shared.backend.accept(&job, idempotency.as_ref()).await;
            if !matches!(accepted, Ok(Acceptance::New)) {
                shared.waiters.take(job.id);
            }
            accepted
        });
        match accepted.await {
            Ok(Ok(Acceptance::New)) => {
                metrics().jobs_accepted.with_label_values(&[&dialect]).inc();
                info!(
                    "job {id} is accepted, from request {}",
                    request_id::current()
                );
                Ok(Accepted { id, finished })
            }
            Ok(Ok(Acceptance::Known(id))) => Ok(Accepted {
                id,
                finished: self.wait_for(id).await?,
            }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(SubmitError::CutOff),
        }
    }

    /// The job that was accepted with the same key, if it was.
    pub async fn known(&self, idempotency: &Idempotency) -> Result<Option<Accepted>, AcceptError> {
        match self.shared.backend.known(idempotency).await? {
            Some(id) => Ok(Some(Accepted {
                id,
                finished: self.wait_for(id).await?,
            })),
            None => Ok(None),
        }
    }

    /// Waits for a job that was accepted before. Resolves to the finished job.
    async fn wait_for(&self, id: JobId) -> Result<oneshot::Receiver<Job>, AcceptError> {
        let finished = self.shared.waiters.register(id);
        // It may have ended before anybody waited.
        match self.job(id).await? {
            Some(job) if job.state == JobState::Done => self.answer_waiters(&job),
            _ => {}
        }
        Ok(finished)
    }

    pub async fn job(&self, id: JobId) -> Result<Option<Job>, BackendError> {
        self.shared.backend.job(id).await
    }

    pub async fn status(&self, id: JobId) -> Result<Option<JobStatus>, BackendError> {
        self.shared.backend.status(id).await
    }

    pub async fn statuses(&self, ids: &[JobId]) -> Result<Vec<JobStatus>, BackendError> {
        self.shared.backend.statuses(ids).await
    }

    /// Asks whoever works on these jobs to tell their progress more often for a while.
    pub async fn ask_for_progress(&self, ids: &[JobId]) -> Result<(), BackendError> {
        self.shared.backend.ask_for_progress(ids).await
    }

    pub async fn list(&self, query: &JobQuery) -> Result<Vec<ListedJob>, BackendError> {
        self.shared.backend.list(query).await
    }

    /// Records that the files of a finished job are deleted. `false`: it is not finished, or not known.
    pub async fn mark_deleted(&self, id: JobId) -> Result<bool, BackendError> {
        self.shared.backend.mark_deleted(id).await
    }

    /// Writes down a photo that is about to be stored. `false`: there are `most` already.
    pub async fn begin_photo(
        &self,
        photo: &UploadedPhoto,
        most: u32,
    ) -> Result<bool, BackendError> {
        self.shared.backend.begin_photo(photo, most).await
    }

    /// `false`: it was retired meanwhile.
    pub async fn photo_stored(&self, file: &str) -> Result<bool, BackendError> {
        self.shared.backend.photo_stored(file).await
    }

    /// The uploaded photos of these ids. From now on, they count as used.
    pub async fn use_photos(&self, ids: &[String]) -> Result<Vec<UploadedPhoto>, BackendError> {
        self.shared.backend.use_photos(ids).await
    }

    pub async fn remove_photos(&self, files: &[String]) -> Result<(), BackendError> {
        self.shared.backend.remove_photos(files).await
    }

    pub async fn webhooks(&self, query: &WebhookQuery) -> Result<Vec<ListedWebhook>, BackendError> {
        self.shared.backend.list_webhooks(query).await
    }

    /// Tells of a finished job once more, with addresses of today. `None`: it has not ended, or nobody was to be told.
    pub async fn tell_again(
        &self,
        job: &Job,
        urls: &[VideoUrls],
    ) -> Result<Option<String>, BackendError> {
        let webhook = self.webhook(job, urls);
        match webhook.filter(|_| job.finish.is_some()) {
            Some(webhook) => {
                let id = self.shared.backend.add_webhook(job.id, &webhook).await?;
                Ok(Some(id))
            }
            None => Ok(None),
        }
    }

    /// Tells of what happens to jobs, on whichever node.
    pub fn events(&self) -> broadcast::Receiver<JobEvent> {
        self.shared.backend.events()
    }

    /// Shows whether the job store answers.
    pub async fn probe(&self) -> Result<(), BackendError> {
        self.shared.backend.probe().await
    }

    /// What waits and what runs, in each lane.
    pub async fn load(&self) -> Result<Vec<LaneLoad>, BackendError> {
        self.shared.backend.load().await
    }

    pub async fn states_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(JobId, JobState)>, BackendError> {
        self.shared.backend.states_since(since).await
    }

    /// Ends a waiting job as cancelled, and asks the worker of a running one to do so.
    pub async fn cancel(&self, id: JobId) -> Result<Cancelled, BackendError> {
        let Some(mut job) = self.job(id).await? else {
            return Ok(Cancelled::TooLate);
        };
        let finish = Finish {
            at: Timestamp::now(),
            outcome: Err(cancelled()),
            process: self.process_info().await,
        };
        job.state = JobState::Done;
        job.finish = Some(finish.clone());
        let webhook = self.webhook(&job, &[]);
        let backend = &self.shared.backend;
        let cancelled = backend.cancel(id, &finish, webhook.as_ref()).await?;
        if cancelled == Cancelled::Ended {
            finish::note_end(&job);
        }
        Ok(cancelled)
    }

    /// Takes over the videos that a process before this one has made and not stored. To be called
    /// once, before workers are started.
    pub async fn store_what_is_left(&self, storing: &Storing) -> Result<(), BackendError> {
        let jobs = self.shared.backend.take_unstored().await?;
        let videos: Vec<&UnstoredVideos> = jobs
            .iter()
            .filter_map(|job| job.unstored.as_ref())
            .collect();
        match storing.publisher().discard_all_but(&videos) {
            Ok(cut_off) => {
                let publisher = storing.publisher().clone();
                self.shared
                    .runtime
                    .spawn(async move { publisher.abandon(cut_off).await });
            }
            Err(error) => warn!("files of ended attempts could not be removed: {error}"),
        }
        if !videos.is_empty() {
            info!("{} finished videos are still to be stored", videos.len());
        }
        for job in jobs {
            if let Some(video) = job.unstored.clone() {
                storing.start(self, job, video);
            }
        }
        Ok(())
    }

    /// This process, and its queue as it is now.
    pub async fn process_info(&self) -> ProcessInfo {
        let queue_length = self.shared.backend.queue_length().await;
        ProcessInfo {
            node: self.shared.node.clone(),
            pid: std::process::id(),
            queue_id: self.shared.queue_id,
            queue_length: queue_length.unwrap_or_else(|error| {
                error!("the queue's length is unknown: {}", chain(&error));
                0
            }),
        }
    }

    /// The bound of the normal lane.
    pub fn max_queue_length(&self) -> Option<usize> {
        self.shared.backend.bound(Lane::Normal)
    }

    /// Begins no more jobs. What runs goes on; what waits stays for the next start, and its callers are let go, unless
    /// other nodes may do it.
    pub fn close(&self) {
        self.shared.backend.close();
        self.shared.closing.cancel();
        if !self.shared.backend.is_shared() {
            self.shared.runtime.spawn(self.clone().let_waiters_go());
        }
    }

    /// Cancelled when no more jobs are begun.
    pub fn closing(&self) -> CancellationToken {
        self.shared.closing.clone()
    }

    pub fn is_closing(&self) -> bool {
        self.shared.closing.is_cancelled()
    }

    /// Ends the waiting for jobs that no worker has claimed.
    async fn let_waiters_go(self) {
        for id in self.shared.waiters.close() {
            let job = self.job(id).await;
            if !job.is_ok_and(|job| job.is_some_and(|job| job.state != JobState::Queued)) {
                self.shared.waiters.take(id);
            }
        }
    }

    /// Waits until nobody waits for a job. To be called once it is closed.
    pub async fn answered(&self) {
        while !self.shared.waiters.ids().is_empty() {
            tokio::time::sleep(ANSWERED_INTERVAL).await;
        }
    }

    /// Gives up what runs, and puts it back into the queue. Who waits for a job of another node is let go, and nobody
    /// waits any more.
    pub fn interrupt(&self) {
        self.shared.stopping.cancel();
        self.shared.waiters.close();
        let running: HashSet<JobId> = self.running().keys().copied().collect();
        let mut waiting = self.shared.waiters.ids();
        waiting.retain(|id| !running.contains(id));
        for id in waiting {
            self.shared.waiters.take(id);
        }
    }

    /// The webhook that tells of a finished job, if one was asked for.
    fn webhook(&self, job: &Job, urls: &[VideoUrls]) -> Option<NewWebhook> {
        let WebhookSource { print, delay } = self.shared.webhook_source;
        let url = job.request.webhook_url.clone()?;
        Some(NewWebhook {
            url,
            body: print(job, urls),
            delay,
        })
    }

    fn running(&self) -> MutexGuard<'_, HashMap<JobId, AttemptHandle>> {
        let running = &self.shared.running;
        running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cancelled() -> Failure {
    Failure::new(FailureCode::Cancelled, "the job was cancelled")
}
