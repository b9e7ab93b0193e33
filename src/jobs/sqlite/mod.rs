//! The embedded backend: SQLite keeps the jobs, bounded crossbeam lanes wake the workers. For one
//! process, which has the file for itself.
//!
//! ```text
//! store (with outbox, photos, queries, retention) ─ what is stored, and in which order jobs are served
//! lanes ─ how many wait, and who is woken
//! running ─ the attempts of this process
//! ```
//!
//! A lease lasts as long as the process: nobody else can take its jobs, so only the next start finds
//! some to give to others. Progress is in memory, for the same reason.

mod lanes;
mod outbox;
mod photos;
mod queries;
mod retention;
mod running;
mod store;

use std::collections::HashSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use log::{error, info};
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use lanes::Lanes;
use queries::PlacedJob;
use running::Running;
pub use store::StoreError;
use store::{Begun, Store};

use super::backend::{
    AcceptError, Acceptance, Attempt, Backend, BackendError, Bounds, Cancelled, ClaimedWebhooks,
    Delivery, JobEvent, JobQuery, JobStatus, LaneLoad, Lease, ListedJob, ListedWebhook, NewWebhook,
    OldVideos, PageEnd, Serves, UploadedPhoto, WebhookClaim, WebhookQuery,
};
use crate::errors::chain;
use crate::job::{
    Finish, Idempotency, Job, JobId, JobState, Lane, PublicState, Timestamp, UnstoredVideos,
};
use crate::spec::Upload;

/// Between attempts to claim a job while the store fails, as on a full disk.
const CLAIM_AGAIN: Duration = Duration::from_secs(1);

/// Renewals only bring the progress, which is cheap here.
const RENEW_INTERVAL: Duration = Duration::from_millis(100);

/// For receivers of events that are busy for a moment.
const EVENTS_KEPT: usize = 1024;

pub struct SqliteBackend {
    store: Store,
    lanes: Lanes,
    runtime: Handle,
    running: Running,
    /// Held while a request with an idempotency key is accepted.
    keyed: tokio::sync::Mutex<()>,
    /// Ids of webhooks that a sender has in hand.
    claimed_webhooks: tokio::sync::Mutex<HashSet<String>>,
    events: broadcast::Sender<JobEvent>,
}

impl SqliteBackend {
    /// Opens the job store in `file`, brings it up to date, and puts the jobs that were running when
    /// the last process ended back into their lanes. To be called in the runtime that is to run the
    /// statements.
    pub async fn open(file: &Path, bounds: Bounds) -> Result<Self, StoreError> {
        let store = Store::open(file).await?;
        let waiting = store.recover().await?;
        if !waiting.is_empty() {
            info!("{} unfinished jobs are back in the queue", waiting.len());
        }
        Ok(Self {
            store,
            lanes: Lanes::new(bounds, &waiting),
            runtime: Handle::current(),
            running: Running::default(),
            keyed: tokio::sync::Mutex::default(),
            claimed_webhooks: tokio::sync::Mutex::default(),
            events: broadcast::Sender::new(EVENTS_KEPT),
        })
    }

    /// Shows whether the job store in `file` answers, and changes nothing: its process may be running.
    pub async fn probe_file(file: &Path) -> Result<(), StoreError> {
        Store::probe_file(file).await
    }

    /// Begins an attempt for a token of `lane`. `None`: the backend was closed meanwhile.
    fn begin(&self, lane: Lane) -> Option<Begun> {
        loop {
            match self.runtime.block_on(self.store.begin(lane)) {
                Ok(begun) => return Some(begun),
                Err(error) => error!("a job could not be claimed: {}", chain(&error)),
            }
            if self.lanes.is_closed() {
                return None;
            }
            thread::sleep(CLAIM_AGAIN);
        }
    }

    /// Frees the worker of an attempt, once.
    fn end(&self, attempt: Attempt) {
        if let Some(serves) = self.running.take_place(attempt) {
            self.lanes.free(serves);
        }
    }

    /// Nobody may be listening.
    fn tell(&self, event: JobEvent) {
        let _ = self.events.send(event);
    }

    fn tell_end(&self, id: JobId, webhook: Option<&NewWebhook>) {
        self.tell(JobEvent::Finished(id));
        if webhook.is_some() {
            self.tell(JobEvent::WebhookWritten);
        }
    }

    /// Lets the next renewal tell that a running job is to be cancelled.
    async fn mark_cancelled(&self, id: JobId) -> Result<(), StoreError> {
        loop {
            if self.running.request_cancel(id) {
                return Ok(());
            }
            // Between the statement that claims it and its place in memory, or ended meanwhile.
            let runs = |job: Job| job.state == JobState::Running;
            if !self.store.job(id).await?.is_some_and(runs) {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }
}

fn status(placed: PlacedJob, progress: Option<f64>) -> JobStatus {
    let PlacedJob {
        job,
        queue_position,
        ..
    } = placed;
    JobStatus {
        progress: match job.public_state() {
            PublicState::Done => 1.0,
            PublicState::Running => progress.unwrap_or(0.0),
            _ => 0.0,
        },
        queue_position,
        job,
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    async fn accept(
        &self,
        job: &Job,
        idempotency: Option<&Idempotency>,
    ) -> Result<Acceptance, AcceptError> {
        // Held until the job is stored: the same request may be coming again at this moment.
        let _keyed = match idempotency {
            Some(idempotency) => {
                let keyed = self.keyed.lock().await;
                if let Some(id) = self.known(idempotency).await? {
                    return Ok(Acceptance::Known(id));
                }
                let forgotten = self.store.forget_key(&idempotency.key).await;
                forgotten.map_err(BackendError::from)?;
                Some(keyed)
            }
            None => None,
        };
        let slot = self.lanes.reserve(job.request.lane)?;
        let inserted = self.store.insert(job, idempotency).await;
        inserted.map_err(BackendError::from)?;
        slot.fill();
        Ok(Acceptance::New)
    }

    async fn known(&self, idempotency: &Idempotency) -> Result<Option<JobId>, AcceptError> {
        let known = self.store.known(&idempotency.key).await;
        match known.map_err(BackendError::from)? {
            Some((id, hash)) if hash == idempotency.request_hash => Ok(Some(id)),
            Some(_) => Err(AcceptError::KeyReused),
            None => Ok(None),
        }
    }

    fn claim(&self, serves: Serves) -> Option<Job> {
        loop {
            let lane = self.lanes.take(serves)?;
            let job = match self.begin(lane)? {
                Begun::Job(job) => job,
                Begun::NoJob => {
                    self.lanes.found_none(lane, serves);
                    continue;
                }
                Begun::Unreadable => {
                    self.lanes.free(serves);
                    continue;
                }
            };
            self.running.begin(&job, Some(serves));
            return Some(*job);
        }
    }

    async fn renew(&self, attempt: Attempt, progress: f64) -> Result<Lease, BackendError> {
        Ok(self.running.renew(attempt, progress))
    }

    /// It is told often enough.
    async fn ask_for_progress(&self, _: &[JobId]) -> Result<(), BackendError> {
        Ok(())
    }

    fn renew_interval(&self) -> Duration {
        RENEW_INTERVAL
    }

    async fn made(&self, attempt: Attempt, video: &UnstoredVideos) -> Result<bool, BackendError> {
        self.end(attempt);
        Ok(self.store.made(attempt, video).await?)
    }

    async fn take_unstored(&self) -> Result<Vec<Job>, BackendError> {
        let jobs = self.store.take_unstored().await?;
        jobs.iter().for_each(|job| self.running.begin(job, None));
        Ok(jobs)
    }

    async fn finish(
        &self,
        attempt: Attempt,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<bool, BackendError> {
        self.end(attempt);
        let finished = self.store.finish(attempt, finish, webhook).await?;
        self.running.forget(attempt);
        if finished {
            self.tell_end(attempt.job, webhook);
        }
        Ok(finished)
    }

    async fn release(&self, attempt: Attempt) -> Result<bool, BackendError> {
        self.end(attempt);
        let lane = self.store.release(attempt).await?;
        self.running.forget(attempt);
        if let Some(lane) = lane {
            self.lanes.add(lane);
        }
        Ok(lane.is_some())
    }

    async fn cancel(
        &self,
        id: JobId,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<Cancelled, BackendError> {
        let (cancelled, lane) = self.store.cancel(id, finish, webhook).await?;
        match (cancelled, lane) {
            (Cancelled::Ended, Some(lane)) => {
                self.lanes.withdraw(lane);
                self.tell_end(id, webhook);
            }
            (Cancelled::Requested, _) => {
                self.mark_cancelled(id).await?;
                self.tell(JobEvent::CancelRequested(id));
            }
            _ => {}
        }
        Ok(cancelled)
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, BackendError> {
        Ok(self.store.job(id).await?)
    }

    async fn ended(&self, ids: &[JobId]) -> Result<Vec<JobId>, BackendError> {
        Ok(self.store.ended(ids).await?)
    }

    async fn status(&self, id: JobId) -> Result<Option<JobStatus>, BackendError> {
        Ok(self.statuses(&[id]).await?.pop())
    }

    async fn statuses(&self, ids: &[JobId]) -> Result<Vec<JobStatus>, BackendError> {
        // Read before the rows: a job that ends in between is then done, and not back at 0.
        let progress = self.running.progress(ids);
        let placed = self.store.placed(ids).await?;
        let statuses = placed.into_iter().map(|placed| {
            let progress = progress.get(&placed.job.id).copied();
            status(placed, progress)
        });
        Ok(statuses.collect())
    }

    async fn list(&self, query: &JobQuery) -> Result<Vec<ListedJob>, BackendError> {
        let placed = self.store.list(query).await?;
        let ids: Vec<JobId> = placed.iter().map(|placed| placed.job.id).collect();
        let progress = self.running.progress(&ids);
        let listed = placed.into_iter().map(|placed| {
            let progress = progress.get(&placed.job.id).copied();
            ListedJob {
                seq: placed.seq,
                status: status(placed, progress),
            }
        });
        Ok(listed.collect())
    }

    async fn find_same(&self, job: &Job) -> Result<Option<Job>, BackendError> {
        Ok(self.store.find_same(job).await?)
    }

    async fn mark_deleted(&self, id: JobId) -> Result<bool, BackendError> {
        Ok(self.store.mark_deleted(id).await?)
    }

    async fn states_since(&self, since: Timestamp) -> Result<Vec<(JobId, JobState)>, BackendError> {
        Ok(self.store.states_since(since).await?)
    }

    async fn queue_length(&self) -> Result<usize, BackendError> {
        Ok(self.lanes.length())
    }

    async fn load(&self) -> Result<Vec<LaneLoad>, BackendError> {
        Ok(self.store.load().await?)
    }

    fn bound(&self, lane: Lane) -> Option<usize> {
        self.lanes.bounds().of(lane)
    }

    async fn claim_webhooks(
        &self,
        claim: WebhookClaim<'_>,
    ) -> Result<ClaimedWebhooks, BackendError> {
        // Held over the query: what is recorded meanwhile stays claimed until then.
        let mut claimed = self.claimed_webhooks.lock().await;
        // One moment for both queries: what falls due in between is in the answer of the second.
        let now = Timestamp::now();
        let most = claim.limit as usize + claimed.len();
        let mut due = self.store.due_webhooks(now, claim, most).await?;
        let next_at = self.store.next_webhook_at(now).await?;
        // Last, when nothing can fail any more.
        due.retain(|webhook| !claimed.contains(&webhook.id));
        due.truncate(claim.limit as usize);
        claimed.extend(due.iter().map(|webhook| webhook.id.clone()));
        Ok(ClaimedWebhooks {
            due,
            next_in: next_at.map(|next| Duration::from_secs_f64(next.seconds_since(now))),
        })
    }

    async fn record_delivery(
        &self,
        id: &str,
        attempt: u32,
        delivery: &Delivery,
    ) -> Result<(), BackendError> {
        self.store.record_delivery(id, attempt, delivery).await?;
        // A claim that has read its row before is answered first.
        self.claimed_webhooks.lock().await.remove(id);
        Ok(())
    }

    async fn list_webhooks(
        &self,
        query: &WebhookQuery,
    ) -> Result<Vec<ListedWebhook>, BackendError> {
        Ok(self.store.list_webhooks(query).await?)
    }

    async fn add_webhook(&self, job: JobId, webhook: &NewWebhook) -> Result<String, BackendError> {
        let id = self.store.add_webhook(job, webhook).await?;
        self.tell(JobEvent::WebhookWritten);
        Ok(id)
    }

    async fn begin_photo(&self, photo: &UploadedPhoto, most: u32) -> Result<bool, BackendError> {
        Ok(self.store.begin_photo(photo, most).await?)
    }

    async fn photo_stored(&self, file: &str) -> Result<bool, BackendError> {
        Ok(self.store.photo_stored(file).await?)
    }

    async fn use_photos(&self, ids: &[String]) -> Result<Vec<UploadedPhoto>, BackendError> {
        Ok(self.store.use_photos(ids).await?)
    }

    async fn retire_photos(
        &self,
        unused_for: Duration,
        limit: u32,
    ) -> Result<Vec<Upload>, BackendError> {
        Ok(self.store.retire_photos(unused_for, limit).await?)
    }

    async fn remove_photos(&self, files: &[String]) -> Result<(), BackendError> {
        Ok(self.store.remove_photos(files).await?)
    }

    async fn old_videos(
        &self,
        older_than: Duration,
        after: Option<PageEnd>,
        limit: u32,
    ) -> Result<OldVideos, BackendError> {
        Ok(self.store.old_videos(older_than, after, limit).await?)
    }

    async fn remove_jobs(
        &self,
        older_than: Duration,
        keeps_videos: bool,
        limit: u32,
    ) -> Result<usize, BackendError> {
        Ok(self
            .store
            .remove_jobs(older_than, keeps_videos, limit)
            .await?)
    }

    async fn follow_clock(&self, step: i64) -> Result<(), BackendError> {
        // No claim may compare times by the old clock with the new one.
        let _claimed = self.claimed_webhooks.lock().await;
        Ok(self.store.follow_clock(step).await?)
    }

    async fn probe(&self) -> Result<(), BackendError> {
        Ok(self.store.probe().await?)
    }

    fn events(&self) -> broadcast::Receiver<JobEvent> {
        self.events.subscribe()
    }

    fn close(&self) {
        self.lanes.close();
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn shut_down(&self) {
        self.store.close().await;
    }
}
