//! The settings of webhooks.

use std::time::Duration;

use super::Secret;
use crate::setting::{Setting, assign, duration, list, positive_duration};

#[derive(Clone, Debug)]
pub struct Settings {
    /// The wait before each attempt; as many attempts as waits.
    pub retries: Vec<Duration>,
    /// For one attempt.
    pub timeout: Duration,
    /// Signs every webhook. Created in the data directory if not set.
    pub secret: Option<Secret>,
    /// Signs every webhook too, until all receivers know the other one.
    pub previous_secret: Option<Secret>,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let seconds = [
            0,
            5,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ];
        Self {
            retries: seconds.map(Duration::from_secs).to_vec(),
            timeout: Duration::from_secs(15),
            secret: None,
            previous_secret: None,
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "webhooks.retries",
            env: Some("KINORA_WEBHOOK_RETRIES"),
            accepts: "the waits before each attempt with commas between them, such as 0s,5s,5m,2h",
            set: |s, text| {
                assign(
                    &mut s.retries,
                    list(text, duration).filter(|waits| !waits.is_empty()),
                )
            },
        },
        Setting {
            key: "webhooks.timeout",
            env: None,
            accepts: "a time, such as 15s",
            set: |s, text| assign(&mut s.timeout, positive_duration(text)),
        },
        Setting {
            key: "webhooks.secret",
            env: Some("KINORA_WEBHOOK_SECRET"),
            accepts: "whsec_ and 24 to 64 bytes in base64",
            set: |s, text| assign(&mut s.secret, Secret::parse(text).map(Some)),
        },
        Setting {
            key: "webhooks.previous_secret",
            env: None,
            accepts: "whsec_ and 24 to 64 bytes in base64",
            set: |s, text| assign(&mut s.previous_secret, Secret::parse(text).map(Some)),
        },
    ];
}
