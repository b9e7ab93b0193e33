//! `kinora decode`: the service starts it to decode files. Hidden.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::sandbox;

#[derive(Args)]
pub struct Decode {
    /// The most that it may hold, in bytes
    max_memory: u64,
    /// The most that it may take of the processor for one file, in milliseconds
    time_limit: u64,
}

impl Decode {
    pub fn run(self) -> Result<ExitCode, String> {
        let time_limit = Duration::from_millis(self.time_limit);
        match sandbox::run(self.max_memory, time_limit) {
            Err(error) => Err(error.to_string()),
        }
    }
}
