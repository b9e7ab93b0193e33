//! The job backend: where jobs are stored, and which worker gets which. The embedded one is in `sqlite`, the
//! cluster's in `postgres`.

mod outbox;

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::job::{
    Finish, Idempotency, Job, JobId, JobState, Lane, PublicState, Timestamp, UnstoredVideos,
};
use crate::spec::{Size, Upload};
pub use outbox::{
    ClaimedWebhooks, Delivery, DueWebhook, ListedWebhook, NEW, NewWebhook, Receivers, WebhookClaim,
    WebhookQuery, WebhookState, later_webhook_id, webhook_id,
};

/// A job store with its queue and its webhook outbox.
///
/// Every backend keeps these promises; `tests/contract/` holds each of them:
///
/// - **Durable**: when [`accept`](Self::accept) returns, the job outlives the process and a power cut.
/// - **Bounded**: at most [`bound`](Self::bound) jobs of a lane wait for a worker, at every moment
///   and under any concurrency. A job is refused only when that many are waiting.
/// - **Once**: a request with an idempotency key is accepted once in [`KEY_LIFETIME`], under any concurrency.
/// - **Ordered**: jobs are served express lane first, then in the order of acceptance, which is a
///   sequence number and no clock. A job whose process died while it was running comes after the
///   others of its lane. [`status`](Self::status) reports positions in the same order.
/// - **Exclusive**: an attempt has its job alone, until it ends or its holder is lost. What
///   was accepted and not finished is then given to another attempt.
/// - **Fenced**: an attempt that has lost its job can neither renew, finish nor release it.
/// - **Atomic**: the result and its webhook are written together or not at all.
/// - **Made once**: a video that [`made`](Self::made) has recorded is not made again: once its
///   process has died, [`take_unstored`](Self::take_unstored) gives its job to whoever has its files.
/// - **Heard**: whoever reads [`events`](Self::events) hears of the end of every job, wherever it
///   was worked on.
/// - **At least once**: a webhook is claimed by one sender at a time, and again until its delivery
///   is recorded.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Puts a new job at the end of its lane; with an idempotency key, unless it was accepted before.
    async fn accept(
        &self,
        job: &Job,
        idempotency: Option<&Idempotency>,
    ) -> Result<Acceptance, AcceptError>;

    /// The job that was accepted with the same key, if it was.
    async fn known(&self, idempotency: &Idempotency) -> Result<Option<JobId>, AcceptError>;

    /// Waits for the next job of the lanes that `serves` names, and begins an attempt at it. `None`
    /// once the backend is closed. Blocks: call it on a worker's own thread.
    fn claim(&self, serves: Serves) -> Option<Job>;

    /// Keeps an attempt's lease, and stores its progress, from 0 to 1.
    async fn renew(&self, attempt: Attempt, progress: f64) -> Result<Lease, BackendError>;

    /// Asks for the progress of these jobs: for [`ASKED_TIME`], whoever works on them renews more often.
    async fn ask_for_progress(&self, ids: &[JobId]) -> Result<(), BackendError>;

    /// How often an attempt has to be renewed.
    fn renew_interval(&self) -> Duration;

    /// Records that an attempt's video is made and waits to be stored, and frees the worker's place
    /// first, whatever follows. The attempt goes on. `false`: it had lost its job.
    async fn made(&self, attempt: Attempt, video: &UnstoredVideos) -> Result<bool, BackendError>;

    /// Begins an attempt at each job whose video was made here by a process that has ended, and that
    /// is not stored. None of them takes a worker's place. To be called once, before the first claim.
    async fn take_unstored(&self) -> Result<Vec<Job>, BackendError>;

    /// Ends an attempt and its job, and writes the webhook that tells of it. `false`: the attempt
    /// had lost its job, and nothing was written. Frees the worker's place first, whatever follows.
    async fn finish(
        &self,
        attempt: Attempt,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<bool, BackendError>;

    /// Gives an attempt's job back unfinished and unmade, to its old place in the order. `false`: the attempt
    /// had lost it. Frees the worker's place in both cases.
    async fn release(&self, attempt: Attempt) -> Result<bool, BackendError>;

    /// Cancels a job. A waiting one ends as `finish` says, with its webhook; the worker of a running
    /// one is told, and finishes it.
    async fn cancel(
        &self,
        id: JobId,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<Cancelled, BackendError>;

    async fn job(&self, id: JobId) -> Result<Option<Job>, BackendError>;

    /// Which of these jobs have ended.
    async fn ended(&self, ids: &[JobId]) -> Result<Vec<JobId>, BackendError>;

    async fn status(&self, id: JobId) -> Result<Option<JobStatus>, BackendError>;

    /// The same for several jobs; those that are not known are left out.
    async fn statuses(&self, ids: &[JobId]) -> Result<Vec<JobStatus>, BackendError>;

    async fn list(&self, query: &JobQuery) -> Result<Vec<ListedJob>, BackendError>;

    /// The newest job of the same specifications whose videos are there.
    async fn find_same(&self, job: &Job) -> Result<Option<Job>, BackendError>;

    /// Records that the files of a finished job are deleted. `false`: it is not finished, or not known.
    async fn mark_deleted(&self, id: JobId) -> Result<bool, BackendError>;

    /// The states of the jobs that changed since then, newest first, ten thousand at most.
    async fn states_since(&self, since: Timestamp) -> Result<Vec<(JobId, JobState)>, BackendError>;

    /// Jobs of the normal lane that wait for a worker to be free.
    async fn queue_length(&self) -> Result<usize, BackendError>;

    /// What waits and what runs, in each lane.
    async fn load(&self) -> Result<Vec<LaneLoad>, BackendError>;

    /// How many jobs of a lane may wait; `None`: any number.
    fn bound(&self, lane: Lane) -> Option<usize>;

    /// Claims webhooks that are due, those of each receiver in turn.
    async fn claim_webhooks(
        &self,
        claim: WebhookClaim<'_>,
    ) -> Result<ClaimedWebhooks, BackendError>;

    /// Records what became of a claimed webhook, which had been sent `attempt` times before: nothing, unless it is
    /// still the same claim's.
    async fn record_delivery(
        &self,
        id: &str,
        attempt: u32,
        delivery: &Delivery,
    ) -> Result<(), BackendError>;

    /// Webhooks, newest first.
    async fn list_webhooks(&self, query: &WebhookQuery)
    -> Result<Vec<ListedWebhook>, BackendError>;

    /// Writes one more webhook about a finished job, beside that of its end. Tells its id.
    async fn add_webhook(&self, job: JobId, webhook: &NewWebhook) -> Result<String, BackendError>;

    /// Writes down a photo that is about to be stored. `false`: there are `most` already.
    async fn begin_photo(&self, photo: &UploadedPhoto, most: u32) -> Result<bool, BackendError>;

    /// Records that a photo is stored, and may be used. `false`: it was retired meanwhile.
    async fn photo_stored(&self, file: &str) -> Result<bool, BackendError>;

    /// The photos of these ids that are stored. From now on, they count as used.
    async fn use_photos(&self, ids: &[String]) -> Result<Vec<UploadedPhoto>, BackendError>;

    /// Takes photos out of use that were not used for so long, and that no unfinished job names. Tells where they are:
    /// also those that were taken out before and not removed, or that were to be stored a while ago.
    async fn retire_photos(
        &self,
        unused_for: Duration,
        limit: u32,
    ) -> Result<Vec<Upload>, BackendError>;

    /// Forgets photos whose files are deleted.
    async fn remove_photos(&self, files: &[String]) -> Result<(), BackendError>;

    /// Jobs that ended longer ago, and whose videos are there: the oldest first, from those after an earlier page on.
    async fn old_videos(
        &self,
        older_than: Duration,
        after: Option<PageEnd>,
        limit: u32,
    ) -> Result<OldVideos, BackendError>;

    /// Forgets jobs that ended longer ago, and their webhooks, unless one is pending; with `keeps_videos`, only those
    /// whose videos are not there. Tells how many.
    async fn remove_jobs(
        &self,
        older_than: Duration,
        keeps_videos: bool,
        limit: u32,
    ) -> Result<usize, BackendError>;

    /// The machine's clock was set forward by so many milliseconds, or back: sets the clock of this process, and moves
    /// the times of what waits along, as far as they are by that clock.
    async fn follow_clock(&self, step: i64) -> Result<(), BackendError>;

    /// Shows whether the job store answers.
    async fn probe(&self) -> Result<(), BackendError>;

    /// What happens to jobs from now on, on whichever node. A receiver that lags, or reads
    /// [`JobEvent::Missed`], has to look up what it waits for.
    fn events(&self) -> broadcast::Receiver<JobEvent>;

    /// Claims no more jobs, and refuses new ones unless others will do them. What waits stays; running attempts go on.
    fn close(&self);

    /// Whether other processes accept and do the same jobs.
    fn is_shared(&self) -> bool;

    /// Closes the connections. Nothing else may be called after it.
    async fn shut_down(&self);
}

/// How many jobs may wait. `None`: any number.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub normal: Option<usize>,
    pub express: Option<usize>,
    /// Workers that serve both lanes, beside the one that serves the express lane alone.
    pub workers: usize,
}

impl Bounds {
    pub fn of(&self, lane: Lane) -> Option<usize> {
        match lane {
            Lane::Normal => self.normal,
            Lane::Express => self.express,
        }
    }
}

/// Which lanes a worker serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Both, express first.
    Both,
    ExpressOnly,
}

/// One attempt at a job. The number is the fence: a later attempt has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub job: JobId,
    pub number: u32,
}

impl Attempt {
    /// The one that a claim has begun.
    pub fn of(job: &Job) -> Self {
        Self {
            job: job.id,
            number: job.attempt,
        }
    }
}

/// The jobs of a lane that have not ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneLoad {
    pub lane: Lane,
    pub waiting: u64,
    pub running: u64,
    /// Since the oldest that waits was accepted.
    pub oldest: Option<Duration>,
}

/// What a renewal found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    Held,
    /// Held, and the job is to be cancelled.
    CancelRequested,
    /// The job was given to another attempt, or has ended.
    Lost,
}

/// What a cancellation found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// The job was waiting, and has ended.
    Ended,
    /// The job is running, and its worker was told.
    Requested,
    /// There is no such job, or it had ended before.
    TooLate,
}

/// A job and how far it is.
#[derive(Clone, Debug)]
pub struct JobStatus {
    pub job: Job,
    /// From 0 to 1; 1 for a finished video.
    pub progress: f64,
    /// From 1, of all lanes together; only while the job waits.
    pub queue_position: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEvent {
    Finished(JobId),
    /// There is one more in the outbox, which is to be sent from here.
    WebhookWritten,
    CancelRequested(JobId),
    /// Somebody wants to know how far it is.
    ProgressAsked(JobId),
    /// Events may have been lost.
    Missed,
}

/// A photo that a client has uploaded.
#[derive(Clone, Debug, PartialEq)]
pub struct UploadedPhoto {
    /// SHA-256 of its bytes, in hex.
    pub id: String,
    pub upload: Upload,
    /// Upright.
    pub size: Size,
    pub bytes: u64,
}

/// How long the progress of a job is asked for at a time.
pub const ASKED_TIME: Duration = Duration::from_secs(10);

/// How long a photo may take to be stored.
pub const STORING_TIME: Duration = Duration::from_secs(15 * 60);

/// A page of jobs whose videos are there.
#[derive(Clone, Debug)]
pub struct OldVideos {
    pub jobs: Vec<Job>,
    /// `None`: this is the last one.
    pub end: Option<PageEnd>,
}

/// Where a page ends and the next one begins.
#[derive(Clone, Copy, Debug)]
pub struct PageEnd {
    /// In milliseconds, of its last job.
    pub changed_at: i64,
    /// And its number in the order of acceptance.
    pub seq: i64,
}

/// How long a client may send a request again with the same idempotency key.
pub const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    New,
    /// The same request was accepted as this job.
    Known(JobId),
}

/// Which jobs are listed, newest first. Jobs whose files were deleted are not.
#[derive(Clone, Copy, Debug)]
pub struct JobQuery {
    pub state: Option<PublicState>,
    /// Jobs that were accepted before this one of an earlier page.
    pub before: Option<u64>,
    pub limit: u32,
}

/// A job in a list.
#[derive(Clone, Debug)]
pub struct ListedJob {
    pub status: JobStatus,
    /// Its number in the order of acceptance.
    pub seq: u64,
}

/// Why a job was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error("the queue is full")]
    Full { lane: Lane, bound: usize },
    #[error("the service is stopping")]
    Closed,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// The backend could not do its work. The cause is for the log.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    #[error("the job store failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    /// It may answer again soon.
    #[error("the job store does not answer")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}
