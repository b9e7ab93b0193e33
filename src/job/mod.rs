//! A job: one request for a video, from the moment it is accepted to its outcome. Knows nobody but
//! the specification that it carries.

mod failure;
mod timestamp;
mod videos;

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::spec::VideoSpec;
pub use failure::{Failure, FailureCode};
pub use timestamp::{Timestamp, clock_step, set_clock};
pub use videos::{
    NoVideoKey, Remarks, SkippedPhoto, StoredVideo, StoredVideos, UnstoredVideos, VideoFacts,
    VideoKey, VideoUrls,
};

/// Identifies a job. Random, so that the address of its video cannot be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobId(Uuid);

impl JobId {
    /// Of its text.
    const LENGTH: usize = 36;

    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// One of its videos, counted from 0.
    pub fn video(self, index: usize) -> VideoKey {
        VideoKey { job: self, index }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Which queue a job stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Normal,
    /// Served first by every worker, and by one worker alone.
    Express,
}

/// Where a job is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    /// Finished; the outcome says how.
    Done,
}

/// The same, with how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublicState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl PublicState {
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    pub fn is_end(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A client's name for a request, which is done once however often it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Idempotency {
    pub key: String,
    /// Of the request: another one with this key is a mistake.
    pub request_hash: String,
}

/// What a dialect submits.
#[derive(Clone, Debug)]
pub struct JobRequest {
    /// The name of the dialect, which prints the webhook.
    pub dialect: String,
    /// The path that was called, repeated in some answers.
    pub endpoint: String,
    /// The caller's own name for the request.
    pub client_id: Option<String>,
    pub webhook_url: Option<String>,
    pub lane: Lane,
    /// Of its videos, which show the same photos. Never empty.
    pub specs: Vec<VideoSpec>,
    /// Stored for the dialect, in a form of its own.
    pub dialect_data: Option<Value>,
}

/// A job as it is stored.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub request: JobRequest,
    pub state: JobState,
    /// How many times it has been claimed. Only the last attempt can finish it.
    pub attempt: u32,
    /// How many processes died in the middle of it.
    pub crashes: u32,
    /// Cancellation was requested while an attempt was running.
    pub cancel_requested: bool,
    /// The videos, from when they are made until they are stored.
    pub unstored: Option<UnstoredVideos>,
    /// When it was accepted, by the clock of the job store; until then, when this was made.
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    /// When a worker of this process was given it, by the clock that nobody sets.
    pub claimed: Option<Instant>,
    pub finish: Option<Finish>,
    /// When its files were deleted.
    pub deleted_at: Option<Timestamp>,
}

impl Job {
    pub fn public_state(&self) -> PublicState {
        match (self.state, &self.finish) {
            (JobState::Queued, _) => PublicState::Queued,
            (JobState::Running, _) | (JobState::Done, None) => PublicState::Running,
            (JobState::Done, Some(finish)) => match &finish.outcome {
                Ok(_) => PublicState::Done,
                Err(failure) if failure.code == FailureCode::Cancelled => PublicState::Cancelled,
                Err(_) => PublicState::Failed,
            },
        }
    }

    /// The present time by the clock that told `started_at`, counted from the claim: that clock may have been set since, or
    /// be another machine's.
    pub fn now(&self) -> Timestamp {
        match (self.started_at, self.claimed) {
            (Some(started), Some(claimed)) => started.after(claimed.elapsed()),
            _ => Timestamp::now(),
        }
    }

    /// A job that nobody has accepted yet.
    pub fn new(request: JobRequest) -> Self {
        Self {
            id: JobId::random(),
            request,
            state: JobState::Queued,
            attempt: 0,
            crashes: 0,
            cancel_requested: false,
            unstored: None,
            created_at: Timestamp::now(),
            started_at: None,
            claimed: None,
            finish: None,
            deleted_at: None,
        }
    }
}

/// How a job ended.
#[derive(Clone, Debug)]
pub struct Finish {
    pub at: Timestamp,
    pub outcome: Outcome,
    pub process: ProcessInfo,
}

pub type Outcome = Result<StoredVideos, Failure>;

/// The process that finished a job, and its queue at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// The name of its node. Old versions did not store it.
    #[serde(default)]
    pub node: String,
    pub pid: u32,
    pub queue_id: u64,
    pub queue_length: usize,
}
