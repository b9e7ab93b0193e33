//! A job: one request for a video, from the moment it is accepted to its outcome. Knows nobody but
//! the specification it carries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::spec::{Size, VideoSpec};

/// Names a job, and through its randomness keeps its video's address unguessable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobId(Uuid);

impl JobId {
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The name of its video in the storage.
    pub fn video_name(self) -> String {
        format!("{self}.mp4")
    }

    /// The name of the picture that stands for the video.
    pub fn thumbnail_name(self) -> String {
        format!("{self}.jpg")
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    /// Finished, well or badly: the outcome tells.
    Done,
}

/// What a dialect hands in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The path that was called, echoed in some answers.
    pub endpoint: String,
    /// The caller's own name for the request.
    pub client_id: Option<String>,
    pub webhook_url: Option<String>,
    pub lane: Lane,
    pub spec: VideoSpec,
    /// What the dialect wants back with the job, in a form of its own.
    pub echo: Option<Value>,
}

/// A job as it is on record.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub request: Request,
    pub state: JobState,
    /// How often a worker has begun it. A finished job was finished by its last attempt.
    pub attempt: u32,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finish: Option<Finish>,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub struct Finish {
    pub at: Timestamp,
    pub outcome: Outcome,
    pub stamp: Stamp,
}

pub type Outcome = Result<Video, Failure>;

/// A finished video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Video {
    pub url: String,
    /// Of the picture that stands for it, if there is one.
    #[serde(default)]
    pub thumbnail_url: Option<String>,
    pub size: Size,
    pub frames: u32,
    /// Frames a second. 0 in old records, where the record fills it in.
    #[serde(default)]
    pub frame_rate: u32,
    pub bytes: u64,
}

impl Video {
    /// Seconds.
    pub fn duration(&self) -> f64 {
        f64::from(self.frames) / f64::from(self.frame_rate.max(1))
    }
}

/// Why there is no video. Worth telling the caller, and final: the same request would fail again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, in kebab-case, for programs.
    pub code: String,
    /// A sentence the caller can act on. Holds no path and no internal address.
    pub message: String,
}

impl Failure {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// For faults on our side: the log has the cause, the caller the apology.
    pub fn internal() -> Self {
        Self::new(
            "internal",
            "an internal error occurred; the job can be sent again",
        )
    }
}

/// The process that finished a job, and its queue at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    pub pid: u32,
    pub queue_id: u64,
    pub queue_length: usize,
}

/// A moment in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn now() -> Self {
        Self(
            std::time::SystemTime::UNIX_EPOCH
                .elapsed()
                .map_or(0, |since| since.as_millis() as i64),
        )
    }

    pub fn after(self, delay: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Seconds from `earlier` to `self`, never negative even if the clock was set back.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        (self.0 - earlier.0).max(0) as f64 / 1000.0
    }
}
