//! `kinora confine`: the service starts ffmpeg with it. Hidden.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;

use crate::confinement::{NOT_STARTED, become_program};

#[derive(Args)]
pub struct Confine {
    /// The program to start
    program: OsString,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Confine {
    pub fn run(self) -> Result<ExitCode, String> {
        let Err(error) = become_program(&self.program, &self.arguments);
        eprintln!("{}: {error}", self.program.display());
        Ok(ExitCode::from(NOT_STARTED))
    }
}
