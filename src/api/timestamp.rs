//! Moments on the wire.

use std::time::{Duration, UNIX_EPOCH};

use crate::job::Timestamp;

/// As RFC 3339 has it, in UTC, to the millisecond.
pub fn rfc3339(moment: Timestamp) -> String {
    let since = Duration::from_millis(moment.0.max(0).unsigned_abs());
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}
