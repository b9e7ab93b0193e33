//! `kinora confine`: the service starts other programs with it. Hidden.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::confinement::{NOT_EXECUTABLE, NOT_STARTED, become_program};

#[derive(Args)]
pub struct Confine {
    /// The most that it may hold, in bytes
    #[arg(long)]
    memory: u64,
    /// The most that it may take of the processor
    #[arg(long)]
    milliseconds: Option<u64>,
    /// The only directory that it sees, beside those of the system's programs
    #[arg(long)]
    directory: Option<PathBuf>,
    /// A file in it that it may write
    #[arg(long)]
    result: Vec<String>,
    /// The program, and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl Confine {
    pub fn run(self) -> Result<ExitCode, String> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err("there is no program to start".to_owned());
        };
        let Err(error) = become_program(
            program,
            arguments,
            self.memory,
            self.milliseconds.map(Duration::from_millis),
            self.directory.as_deref(),
            &self.result,
        );
        eprintln!("{}: {error}", program.display());
        Ok(ExitCode::from(match error.kind() {
            ErrorKind::NotFound => NOT_STARTED,
            _ => NOT_EXECUTABLE,
        }))
    }
}
