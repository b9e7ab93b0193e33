//! The settings of jobs and their workers.

use std::time::Duration;

use super::backend::Bounds;
use crate::setting::{Setting, assign, at_least, positive_duration};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone)]
pub struct Settings {
    /// The PostgreSQL that nodes share; `None`: SQLite in the data directory, for one process. Holds a password.
    pub database_url: Option<String>,
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
    /// Whether a job of the same specifications, whose photos are the same, has the videos of an earlier one.
    pub reuses_videos: bool,
    /// How long videos are kept; `None`: for ever.
    pub keep_videos: Option<Duration>,
    /// How long it is known of jobs that have ended; `None`: for ever.
    pub keep_jobs: Option<Duration>,
    /// How long uploaded photos are kept after their last use.
    pub keep_photos: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            database_url: None,
            workers: (cores / 2).max(2),
            max_queue_length: 10,
            max_express_queue_length: 100,
            time_limit: Duration::from_secs(30 * 60),
            max_attempts: 50,
            reuses_videos: true,
            keep_videos: None,
            keep_jobs: Some(90 * DAY),
            keep_photos: DAY,
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "jobs.database_url",
            env: Some("DATABASE_URL"),
            accepts: "a URL such as postgres://user:password@host/database",
            set: |s, text| assign(&mut s.database_url, postgres_url(text).map(Some)),
        },
        Setting {
            key: "jobs.workers",
            env: Some("KINORA_WORKERS"),
            accepts: "a number from 1 to 256",
            set: |s, text| assign(&mut s.workers, at_least(1, text).filter(|n| *n <= 256)),
        },
        Setting {
            key: "jobs.max_queue_length",
            env: Some("MAX_QUEUE_LENGTH"),
            accepts: "a number of jobs up to 1000000, or 0 for no bound",
            set: |s, text| {
                assign(
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
                assign(
                    &mut s.max_express_queue_length,
                    at_least(0, text).filter(|n| *n <= 1_000_000),
                )
            },
        },
        Setting {
            key: "cache.videos",
            env: None,
            accepts: "true or false",
            set: |s, text| assign(&mut s.reuses_videos, text.parse().ok()),
        },
        Setting {
            key: "retention.videos",
            env: None,
            accepts: "a time, such as 30d, or never",
            set: |s, text| assign(&mut s.keep_videos, time_or_never(text)),
        },
        Setting {
            key: "retention.jobs",
            env: None,
            accepts: "a time, such as 90d, or never",
            set: |s, text| assign(&mut s.keep_jobs, time_or_never(text)),
        },
        Setting {
            key: "retention.photos",
            env: None,
            accepts: "a time, such as 24h",
            set: |s, text| assign(&mut s.keep_photos, positive_duration(text)),
        },
        Setting {
            key: "jobs.time_limit",
            env: None,
            accepts: "a time, such as 30m",
            set: |s, text| assign(&mut s.time_limit, positive_duration(text)),
        },
        Setting {
            key: "jobs.max_attempts",
            env: None,
            accepts: "a number from 1 up",
            set: |s, text| assign(&mut s.max_attempts, at_least(1, text)),
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

/// `Some(None)`: never.
fn time_or_never(text: &str) -> Option<Option<Duration>> {
    match text {
        "never" => Some(None),
        text => positive_duration(text).map(Some),
    }
}

fn postgres_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    matches!(url.scheme(), "postgres" | "postgresql").then(|| text.to_owned())
}
