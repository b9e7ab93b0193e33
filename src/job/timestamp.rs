//! Moments, by the clock of this process. It begins with the machine's clock and then runs evenly, so that the time
//! between two readings is right even if somebody has set the machine's clock in between.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// A moment in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

struct Clock {
    started: Instant,
    /// What it shows for `started`.
    origin: AtomicI64,
}

static CLOCK: LazyLock<Clock> = LazyLock::new(|| Clock {
    started: Instant::now(),
    origin: AtomicI64::new(machine_time()),
});

fn machine_time() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed();
    since.map_or(0, milliseconds)
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Timestamp {
    pub fn now() -> Self {
        let origin = Self(CLOCK.origin.load(Ordering::Relaxed));
        origin.after(CLOCK.started.elapsed())
    }

    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(delay)))
    }

    /// Seconds from `earlier` to `self`, never negative.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        (self.0 - earlier.0).max(0) as f64 / 1000.0
    }
}

/// By how many milliseconds the machine's clock was set forward since this process follows it; negative: back.
pub fn clock_step() -> i64 {
    machine_time() - Timestamp::now().0
}

/// Sets the clock of this process forward, or back.
pub fn set_clock(step: i64) {
    CLOCK.origin.fetch_add(step, Ordering::Relaxed);
}
