//! Jobs: taken in, kept on record, worked off, waited for and asked after.

mod queue;
mod sqlite;
mod status;
mod upload;
mod worker;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::error;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

pub use queue::{Bounds, NoSlot, Queue};
use sqlite::NewWebhook;
pub use sqlite::{Delivery, DueWebhook, Store, StoreError};
pub use status::Standing;
use status::Underway;
pub use upload::UploadError;
pub use worker::Workers;

use crate::errors::chain;
use crate::job::{Job, JobId, JobState, Request, Stamp, Timestamp};
use crate::net::UrlError;
use crate::pipeline::{Pipeline, TEST_FILE};
use crate::setting::{Setting, at_least, positive_duration, put};
use crate::storage::StorageError;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Jobs rendered at the same time, beside the express worker.
    pub workers: usize,
    /// Jobs that may wait; 0: any number.
    pub max_queue_length: usize,
    /// The same for the express lane.
    pub max_express_queue_length: usize,
    /// For one attempt at a job, from start to finish.
    pub time_limit: Duration,
    /// Starts after which a job that never came to an end is given up.
    pub max_attempts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            workers: (cores / 2).max(2),
            max_queue_length: 10,
            max_express_queue_length: 100,
            time_limit: Duration::from_secs(30 * 60),
            max_attempts: 50,
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "jobs.workers",
            env: Some("KINORA_WORKERS"),
            accepts: "a number from 1 to 256",
            set: |s, text| put(&mut s.workers, at_least(1, text).filter(|n| *n <= 256)),
        },
        Setting {
            key: "jobs.max_queue_length",
            env: Some("MAX_QUEUE_LENGTH"),
            accepts: "a number of jobs up to 1000000, or 0 for no bound",
            set: |s, text| {
                put(
                    &mut s.max_queue_length,
                    at_least(0, text).filter(|n| *n <= 1_000_000),
                )
            },
        },
        Setting {
            key: "jobs.max_express_queue_length",
            env: Some("MAX_EXPRESS_QUEUE_LENGTH"),
            accepts: "a number of jobs up to 1000000, or 0 for no bound",
            set: |s, text| {
                put(
                    &mut s.max_express_queue_length,
                    at_least(0, text).filter(|n| *n <= 1_000_000),
                )
            },
        },
        Setting {
            key: "jobs.time_limit",
            env: None,
            accepts: "a time, such as 30m",
            set: |s, text| put(&mut s.time_limit, positive_duration(text)),
        },
        Setting {
            key: "jobs.max_attempts",
            env: None,
            accepts: "a number from 1 up",
            set: |s, text| put(&mut s.max_attempts, at_least(1, text)),
        },
    ];

    pub fn bounds(&self) -> Bounds {
        let bound = |length| (length > 0).then_some(length);
        Bounds {
            normal: bound(self.max_queue_length),
            express: bound(self.max_express_queue_length),
            workers: self.workers,
        }
    }
}

/// How a finished job is announced.
#[derive(Clone, Copy)]
pub struct Announcement {
    /// Prints the webhook's body.
    pub print: fn(&Job) -> Vec<u8>,
    /// The wait before the first attempt.
    pub delay: Duration,
}

/// The handle that everybody else holds; cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Queue,
    store: Store,
    pipeline: Pipeline,
    runtime: Handle,
    announcement: Announcement,
    /// Who waits for a job that no worker has begun; nobody once the service is stopping.
    waiting: Mutex<Option<HashMap<JobId, oneshot::Sender<Job>>>>,
    underway: Underway,
    webhook_written: Arc<Notify>,
    queue_id: u64,
}

/// A job that is on record and in the queue.
pub struct Accepted {
    pub id: JobId,
    /// Resolves to the finished job; errs when the service stops before a worker has begun it.
    pub finished: oneshot::Receiver<Job>,
}

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error(transparent)]
    NoSlot(#[from] NoSlot),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the task was cut off")]
    CutOff,
}

impl Jobs {
    /// Must be called in the runtime that is to run the record's tasks.
    pub fn new(queue: Queue, store: Store, pipeline: Pipeline, announcement: Announcement) -> Self {
        Self {
            shared: Arc::new(Shared {
                queue,
                store,
                pipeline,
                runtime: Handle::current(),
                announcement,
                waiting: Mutex::new(Some(HashMap::new())),
                underway: Underway::default(),
                webhook_written: Arc::default(),
                // Like the peer's: a number that is this process's own.
                queue_id: Timestamp::now().0.unsigned_abs(),
            }),
        }
    }

    /// Accepts a job: once this returns, the job is on disk and will be finished, come what may.
    pub async fn submit(&self, request: Request) -> Result<Accepted, SubmitError> {
        let slot = self.shared.queue.reserve(request.lane)?;
        let job = Job {
            id: JobId::random(),
            request,
            state: JobState::Queued,
            attempt: 0,
            created_at: Timestamp::now(),
            started_at: None,
            finish: None,
        };
        let jobs = self.clone();
        // A task of its own, so that a caller who hangs up in between cannot leave a recorded job
        // without its place in the queue.
        let task = self.shared.runtime.spawn(async move {
            jobs.shared.store.insert(&job).await?;
            let (sender, finished) = oneshot::channel();
            if let Some(waiting) = &mut *jobs.waiting() {
                waiting.insert(job.id, sender);
            }
            slot.fill(job.id);
            Ok(Accepted {
                id: job.id,
                finished,
            })
        });
        task.await.unwrap_or(Err(SubmitError::CutOff))
    }

    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.shared.store.job(id).await
    }

    pub async fn states_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(JobId, JobState)>, StoreError> {
        self.shared.store.states_since(since).await
    }

    /// Whether a URL may be fetched or posted to, as far as can be told without a name server.
    pub fn check_url(&self, url: &str) -> Result<(), UrlError> {
        self.shared
            .pipeline
            .studio
            .net
            .policy()
            .check_url(url)
            .map(drop)
    }

    /// Whether ffmpeg is there and can encode; if not, why, in words for anybody.
    pub async fn probe_encoder(&self) -> Result<(), String> {
        let encoder = self.shared.pipeline.studio.encoder.clone();
        let probed = tokio::task::spawn_blocking(move || {
            encoder.probe().map_err(|error| {
                error!("not ready, jobs will fail: {}", chain(&error));
                error.to_string()
            })
        });
        probed.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }

    /// Stores a small text file under [`TEST_FILE`], and tells its address.
    pub async fn test_storage(&self) -> Result<String, StorageError> {
        let pipeline = self.shared.pipeline.clone();
        let stored = tokio::task::spawn_blocking(move || pipeline.test_storage());
        stored
            .await
            .unwrap_or_else(|panic| Err(StorageError::new(TEST_FILE, io::Error::other(panic))))
    }

    /// This process, and its queue as it is now.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            pid: std::process::id(),
            queue_id: self.shared.queue_id,
            queue_length: self.shared.queue.length(),
        }
    }

    /// The bound of the normal lane.
    pub fn max_queue_length(&self) -> Option<usize> {
        self.shared.queue.bound()
    }

    /// Told whenever a webhook has been written to the outbox.
    pub fn webhook_written(&self) -> Arc<Notify> {
        self.shared.webhook_written.clone()
    }

    /// The webhook that tells of a finished job, if one was asked for.
    fn webhook(&self, job: &Job, finished_at: Timestamp) -> Option<NewWebhook> {
        let Announcement { print, delay } = self.shared.announcement;
        let url = job.request.webhook_url.clone()?;
        Some(NewWebhook {
            url,
            body: print(job),
            first_at: finished_at.after(delay),
        })
    }

    /// Takes no more jobs. What waits stays on record for the next start, and its callers are let
    /// go; what runs goes on.
    pub fn close(&self) {
        self.shared.queue.close();
        *self.waiting() = None;
    }

    /// Who waits for this job, for the worker that begins it.
    fn caller_of(&self, id: JobId) -> Option<oneshot::Sender<Job>> {
        self.waiting().as_mut()?.remove(&id)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<HashMap<JobId, oneshot::Sender<Job>>>> {
        self.shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
