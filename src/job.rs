//! A job: one request for a video, from the moment it is accepted to its outcome. Knows nobody but
//! the specification that it carries.

use std::fmt;
use std::iter;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::spec::{Size, VideoSpec};

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

/// A video of a job, as the storage knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoKey {
    pub job: JobId,
    /// Among the videos of the job, from 0.
    pub index: usize,
}

impl VideoKey {
    /// The name of its file in the storage.
    pub fn file_name(self) -> String {
        format!("{self}.mp4")
    }

    /// The name of its thumbnail in the storage.
    pub fn thumbnail_name(self) -> String {
        format!("{self}.jpg")
    }
}

/// The job's id; from the second video on with the number of the video.
impl fmt::Display for VideoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.job.fmt(f)?;
        match self.index {
            0 => Ok(()),
            index => write!(f, "-{}", index + 1),
        }
    }
}

impl FromStr for VideoKey {
    type Err = NoVideoKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = |text: &str| {
            let (id, number) = text.split_at_checked(JobId::LENGTH)?;
            let index = match number {
                "" => 0,
                number => number
                    .strip_prefix('-')?
                    .parse::<usize>()
                    .ok()?
                    .checked_sub(1)?,
            };
            let key = id.parse::<JobId>().ok()?.video(index);
            // In no other spelling, such as `-02`.
            key.to_string()
                .ends_with(number)
                .then_some(key)
                .filter(|key| (key.index == 0) == number.is_empty())
        };
        key(text).ok_or(NoVideoKey)
    }
}

/// A text that is not the name of a video.
#[derive(Debug, thiserror::Error)]
#[error("not the name of a video")]
pub struct NoVideoKey;

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
pub enum ToldState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl ToldState {
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
    /// Cancellation was requested while an attempt was running.
    pub cancel_requested: bool,
    /// The videos, from when they are made until they are stored.
    pub unstored: Option<UnstoredVideos>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finish: Option<Finish>,
    /// When its files were deleted.
    pub deleted_at: Option<Timestamp>,
}

impl Job {
    pub fn told_state(&self) -> ToldState {
        match (self.state, &self.finish) {
            (JobState::Queued, _) => ToldState::Queued,
            (JobState::Running, _) | (JobState::Done, None) => ToldState::Running,
            (JobState::Done, Some(finish)) => match &finish.outcome {
                Ok(_) => ToldState::Done,
                Err(failure) if failure.code == FailureCode::Cancelled => ToldState::Cancelled,
                Err(_) => ToldState::Failed,
            },
        }
    }

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

/// The videos of a job that are made, and on this machine's disk until they are stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnstoredVideos {
    /// Of the first one's files, without their endings.
    pub name: String,
    #[serde(flatten)]
    pub first: VideoFacts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<VideoFacts>,
    pub made_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    #[serde(flatten)]
    pub remarks: Remarks,
}

impl UnstoredVideos {
    pub fn all(&self) -> impl Iterator<Item = &VideoFacts> {
        iter::once(&self.first).chain(&self.others)
    }
}

/// The finished videos of a job, in the storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredVideos {
    #[serde(flatten)]
    pub first: StoredVideo,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<StoredVideo>,
    /// The name of the storage; `None`: the directory that is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Of everything that they are made from. With the same specification, videos that would be the same have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    #[serde(flatten)]
    pub remarks: Remarks,
}

impl StoredVideos {
    pub fn all(&self) -> impl Iterator<Item = &StoredVideo> {
        iter::once(&self.first).chain(&self.others)
    }
}

/// One finished video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredVideo {
    #[serde(flatten)]
    pub facts: VideoFacts,
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

/// What there is to say about videos that are not all that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remarks {
    /// Photos that are left out, because nothing could be made of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedPhoto>,
    /// In sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A photo that is not in the videos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkippedPhoto {
    /// Among the photos of the request, from 0.
    pub index: usize,
    /// Why.
    pub failure: Failure,
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
    fn the_names_of_videos_are_read_in_one_spelling() {
        let job = JobId::random();
        for index in [0, 1, 7] {
            let key = job.video(index);
            assert_eq!(key.to_string().parse::<VideoKey>().unwrap(), key);
        }
        assert_eq!(job.video(1).file_name(), format!("{job}-2.mp4"));
        for suffix in ["-1", "-0", "-02", "-+2", "-", "x"] {
            assert!(format!("{job}{suffix}").parse::<VideoKey>().is_err());
        }
    }

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
