//! A job: one request for a video, from the moment it is accepted to its outcome. Knows nobody but
//! the specification that it carries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::spec::{Size, VideoSpec};

/// Identifies a job. Random, so that the address of its video cannot be guessed.
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

    /// The name of its thumbnail in the storage.
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
    /// Finished; the outcome says how.
    Done,
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
    pub spec: VideoSpec,
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
    /// Cancellation was requested while an attempt was running.
    pub cancel_requested: bool,
    /// The video, from when it is made until it is stored.
    pub unstored: Option<UnstoredVideo>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finish: Option<Finish>,
}

impl Job {
    /// A job that nobody has accepted yet.
    pub fn new(request: JobRequest) -> Self {
        Self {
            id: JobId::random(),
            request,
            state: JobState::Queued,
            attempt: 0,
            cancel_requested: false,
            unstored: None,
            created_at: Timestamp::now(),
            started_at: None,
            finish: None,
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

pub type Outcome = Result<StoredVideo, Failure>;

/// A video that is made, and on this machine's disk until it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnstoredVideo {
    /// Of its files, without their endings.
    pub name: String,
    #[serde(flatten)]
    pub facts: VideoFacts,
    pub made_at: Timestamp,
}

/// A finished video in the storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredVideo {
    #[serde(flatten)]
    pub facts: VideoFacts,
    /// The name of the storage; `None`: the directory that is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Its addresses through the service that stored it, if that is how they are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
}

impl StoredVideo {
    pub fn has_thumbnail(&self) -> bool {
        // Old versions wrote the address alone.
        self.facts.has_thumbnail || self.thumbnail_url.is_some()
    }
}

/// What is known of a finished video, wherever it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoFacts {
    pub size: Size,
    pub frames: u32,
    /// Frames a second. 0 in rows of old versions, where the job store fills it in.
    #[serde(default)]
    pub frame_rate: u32,
    /// Of the file.
    pub bytes: u64,
    #[serde(default)]
    pub has_thumbnail: bool,
}

/// The addresses of a stored video, made for one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoUrls {
    pub video: String,
    pub thumbnail: Option<String>,
}

impl VideoFacts {
    /// Seconds.
    pub fn duration(&self) -> f64 {
        f64::from(self.frames) / f64::from(self.frame_rate.max(1))
    }
}

/// Why a job ended without a video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub code: FailureCode,
    /// A sentence for the caller. Holds no path and no internal address.
    pub message: String,
}

impl Failure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// For an error inside the service: the log has the cause.
    pub fn internal() -> Self {
        Self::new(
            FailureCode::Internal,
            "an internal error occurred; the job can be sent again",
        )
    }
}

/// The kinds of failure, stable and in kebab-case on the wire. `docs/api.md` explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// The address guard refuses the URL.
    UrlNotAllowed,
    /// The server answered with an error status or a bad redirect.
    BadAnswer,
    TooLarge,
    TimedOut,
    Unreachable,
    NotAPicture,
    NotSound,
    /// A file of the command line.
    FileUnreadable,
    EncoderFailed,
    DiskFull,
    StorageFailed,
    TimeLimit,
    TooManyAttempts,
    Cancelled,
    /// Also what an unknown code of another version is read as.
    #[serde(other)]
    Internal,
}

impl FailureCode {
    /// Every code, in the order of `docs/api.md`.
    pub const ALL: [Self; 15] = [
        Self::UrlNotAllowed,
        Self::BadAnswer,
        Self::TooLarge,
        Self::TimedOut,
        Self::Unreachable,
        Self::NotAPicture,
        Self::NotSound,
        Self::FileUnreadable,
        Self::EncoderFailed,
        Self::DiskFull,
        Self::StorageFailed,
        Self::TimeLimit,
        Self::TooManyAttempts,
        Self::Cancelled,
        Self::Internal,
    ];

    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::UrlNotAllowed => "url-not-allowed",
            Self::BadAnswer => "bad-answer",
            Self::TooLarge => "too-large",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::NotAPicture => "not-a-picture",
            Self::NotSound => "not-sound",
            Self::FileUnreadable => "file-unreadable",
            Self::EncoderFailed => "encoder-failed",
            Self::DiskFull => "disk-full",
            Self::StorageFailed => "storage-failed",
            Self::TimeLimit => "time-limit",
            Self::TooManyAttempts => "too-many-attempts",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request may succeed at another time.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::BadAnswer
            | Self::TimedOut
            | Self::Unreachable
            | Self::EncoderFailed
            | Self::DiskFull
            | Self::StorageFailed
            | Self::TimeLimit
            | Self::Internal => true,
            Self::UrlNotAllowed
            | Self::TooLarge
            | Self::NotAPicture
            | Self::NotSound
            | Self::FileUnreadable
            | Self::TooManyAttempts
            | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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

/// A moment in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stored_by_the_names_that_they_are_sent_by() {
        for code in FailureCode::ALL {
            let stored = serde_json::to_string(&code).unwrap();
            assert_eq!(stored, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<FailureCode>(&stored).unwrap(), code);
        }
        let unknown: FailureCode = serde_json::from_str("\"of-a-later-version\"").unwrap();
        assert_eq!(unknown, FailureCode::Internal);
    }
}
