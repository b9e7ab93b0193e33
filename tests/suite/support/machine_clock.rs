//! The clock of a service's machine, as libfaketime shows it to the service alone. The clock that nobody sets stays.

use std::fs;
use std::path::PathBuf;

use super::scratch::Scratch;
use super::service::Setup;

const LIBRARY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/servers/lib/libfaketime.so"
);

pub struct MachineClock {
    directory: Scratch,
}

impl MachineClock {
    pub fn right() -> Self {
        let clock = Self {
            directory: Scratch::new(),
        };
        clock.set(0);
        clock
    }

    /// The same service, whose machine has this clock.
    pub fn of(&self, setup: Setup) -> Setup {
        setup
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string())
            .env("FAKETIME_CACHE_DURATION", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }

    /// Seconds before or after the true time.
    pub fn set(&self, seconds: i64) {
        let new = self.directory.write("new", format!("{seconds:+}"));
        // In one step: it may be read at any moment.
        fs::rename(new, self.file()).expect("a clock");
    }

    fn file(&self) -> PathBuf {
        self.directory.join("clock")
    }
}
