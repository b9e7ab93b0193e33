//! The cluster's backend: any number of nodes share the jobs in one PostgreSQL.
//!
//! ```text
//! database ─ connections, deadlines, errors
//! store (with outbox, photos, queries, retention) ─ what is stored, and in which order jobs are served
//! listener ─ what other nodes tell: new jobs, ends, cancellations
//! wake ─ the workers of this node that wait for a job
//! ```
//!
//! Leases run by the clock of the database. A node renews those of its attempts; whichever node notices that
//! one has lapsed puts its job back. What is told by notifications is found by polls as well, a little later.

mod database;
mod listener;
mod outbox;
mod photos;
mod queries;
mod retention;
mod store;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use log::{error, info};
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use database::Database;
pub use database::StoreError;
use store::{Accepted, Store};
use wake::Wake;

use super::backend::{
    AcceptError, Acceptance, Attempt, Backend, BackendError, Bounds, Cancelled, ClaimedWebhooks,
    Delivery, JobEvent, JobQuery, JobStatus, LaneLoad, Lease, ListedJob, ListedWebhook, NewWebhook,
    OldVideos, PageEnd, Serves, UploadedPhoto, WebhookClaim, WebhookQuery,
};
use crate::errors::chain;
use crate::job::{
    Finish, Idempotency, Job, JobId, JobState, Lane, Timestamp, UnstoredVideos, set_clock,
};
use crate::spec::Upload;

/// Of sqlx: tells which parameters in `DATABASE_URL` it does not know, with their values, which may be secrets.
pub const REVEALING_LOGGER: &str = "sqlx_postgres::options";

/// How long an attempt holds its job without a renewal.
pub const LEASE: Duration = Duration::from_secs(15);

/// A few times in each lease.
const RENEW_INTERVAL: Duration = Duration::from_secs(5);

/// Between looks for a job that no notification has told of.
const POLL: Duration = Duration::from_secs(1);

/// Between attempts to claim a job while the store fails.
const CLAIM_AGAIN: Duration = Duration::from_secs(1);

/// For receivers of events that are busy for a moment.
const EVENTS_KEPT: usize = 4096;

/// Where the jobs are, and who this is. The URL holds a password.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://…`
    pub url: String,
    /// The data directory of this node, by a name of its own: what its last process has left is its.
    pub holder: String,
    pub bounds: Bounds,
    /// [`LEASE`], but for tests.
    pub lease: Duration,
    /// The longest delivery of a webhook.
    pub webhook_timeout: Duration,
}

pub struct PostgresBackend {
    store: Store,
    bounds: Bounds,
    runtime: Handle,
    wake: Arc<Wake>,
    events: broadcast::Sender<JobEvent>,
    /// No more jobs are claimed.
    closed: CancellationToken,
    /// Ends the tasks of this backend.
    tasks: CancellationToken,
}

impl Drop for PostgresBackend {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl PostgresBackend {
    /// Connects, brings the job store up to date, and puts the jobs back that the last process with this data
    /// directory was working on. To be called in the runtime that is to run the statements.
    pub async fn open(settings: Settings) -> Result<Self, StoreError> {
        let bounds = settings.bounds;
        let lease = settings.lease;
        let store = Store::open(settings).await?;
        let recovered = store.recover().await?;
        if recovered > 0 {
            info!("{recovered} unfinished jobs are back in the queue");
        }
        store.recover_webhooks().await?;
        let wake = Arc::new(Wake::new(bounds.workers));
        let events = broadcast::Sender::new(EVENTS_KEPT);
        let tasks = CancellationToken::new();
        let database = store.database.clone();
        let listener = database.listener().await?;
        let listening = listener::listen(listener, database, wake.clone(), events.clone());
        tokio::spawn(tasks.clone().run_until_cancelled_owned(listening));
        let watch = listener::put_lapsed_back(store.clone(), lease);
        tokio::spawn(tasks.clone().run_until_cancelled_owned(watch));
        Ok(Self {
            store,
            bounds,
            runtime: Handle::current(),
            wake,
            events,
            closed: CancellationToken::new(),
            tasks,
        })
    }

    /// Shows whether the job store answers, and changes nothing.
    pub async fn probe_url(url: &str) -> Result<(), StoreError> {
        Database::probe_url(url).await
    }

    /// Nobody may be listening.
    fn tell(&self, event: JobEvent) {
        let _ = self.events.send(event);
    }

    fn tell_of_webhook(&self, webhook: Option<&NewWebhook>) {
        if webhook.is_some() {
            self.tell(JobEvent::WebhookWritten);
        }
    }
}

#[async_trait]
impl Backend for PostgresBackend {
    async fn accept(
        &self,
        job: &Job,
        idempotency: Option<&Idempotency>,
    ) -> Result<Acceptance, AcceptError> {
        let lane = job.request.lane;
        let bound = self.bounds.of(lane);
        let accepted = self.store.accept(job, idempotency, bound).await;
        match accepted.map_err(BackendError::from)? {
            Accepted::As(acceptance) => Ok(acceptance),
            Accepted::KeyReused => Err(AcceptError::KeyReused),
            Accepted::Full => Err(AcceptError::Full {
                lane,
                bound: bound.unwrap_or_default(),
            }),
        }
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
        while !self.closed.is_cancelled() {
            let pause = match self.runtime.block_on(self.store.claim(serves)) {
                Ok(Some(job)) => return Some(job),
                Ok(None) => POLL,
                Err(error) => {
                    error!("a job could not be claimed: {}", chain(&error));
                    CLAIM_AGAIN
                }
            };
            let woken = self.wake.wait(serves, pause);
            self.runtime
                .block_on(self.closed.run_until_cancelled(woken));
        }
        None
    }

    async fn renew(&self, attempt: Attempt, progress: f64) -> Result<Lease, BackendError> {
        Ok(match self.store.renew(attempt, progress).await? {
            None => Lease::Lost,
            Some(renewed) if renewed.cancel_requested => Lease::CancelRequested,
            Some(_) => Lease::Held,
        })
    }

    async fn ask_for_progress(&self, ids: &[JobId]) -> Result<(), BackendError> {
        Ok(self.store.ask_for_progress(ids).await?)
    }

    fn renew_interval(&self) -> Duration {
        RENEW_INTERVAL
    }

    async fn made(&self, attempt: Attempt, video: &UnstoredVideos) -> Result<bool, BackendError> {
        Ok(self.store.made(attempt, video).await?)
    }

    async fn take_unstored(&self) -> Result<Vec<Job>, BackendError> {
        Ok(self.store.take_unstored().await?)
    }

    async fn finish(
        &self,
        attempt: Attempt,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<bool, BackendError> {
        let finished = self.store.finish(attempt, finish, webhook).await?;
        // Also if it had lost the job: an earlier try may have been recorded without an answer.
        self.tell_of_webhook(webhook);
        Ok(finished)
    }

    async fn release(&self, attempt: Attempt) -> Result<bool, BackendError> {
        Ok(self.store.release(attempt).await?)
    }

    async fn cancel(
        &self,
        id: JobId,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<Cancelled, BackendError> {
        let cancelled = self.store.cancel(id, finish, webhook).await?;
        if cancelled == Cancelled::Ended {
            self.tell_of_webhook(webhook);
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
        Ok(self.store.statuses(&[id]).await?.pop())
    }

    async fn statuses(&self, ids: &[JobId]) -> Result<Vec<JobStatus>, BackendError> {
        Ok(self.store.statuses(ids).await?)
    }

    async fn list(&self, query: &JobQuery) -> Result<Vec<ListedJob>, BackendError> {
        Ok(self.store.list(query).await?)
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
        Ok(self.store.queue_length().await?)
    }

    async fn load(&self) -> Result<Vec<LaneLoad>, BackendError> {
        Ok(self.store.load().await?)
    }

    fn bound(&self, lane: Lane) -> Option<usize> {
        self.bounds.of(lane)
    }

    async fn claim_webhooks(
        &self,
        claim: WebhookClaim<'_>,
    ) -> Result<ClaimedWebhooks, BackendError> {
        Ok(self.store.claim_webhooks(claim).await?)
    }

    async fn record_delivery(
        &self,
        id: &str,
        attempt: u32,
        delivery: &Delivery,
    ) -> Result<(), BackendError> {
        Ok(self.store.record_delivery(id, attempt, delivery).await?)
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

    /// All times are by the clock of the database.
    async fn follow_clock(&self, step: i64) -> Result<(), BackendError> {
        set_clock(step);
        Ok(())
    }

    async fn probe(&self) -> Result<(), BackendError> {
        Ok(self.store.database.probe().await?)
    }

    fn events(&self) -> broadcast::Receiver<JobEvent> {
        self.events.subscribe()
    }

    fn close(&self) {
        self.closed.cancel();
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn shut_down(&self) {
        self.closed.cancel();
        self.tasks.cancel();
        self.store.database.close();
    }
}
