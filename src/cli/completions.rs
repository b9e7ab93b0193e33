//! `kinora completions`.

use std::io;
use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::visible_command;

#[derive(Args)]
pub struct Completions {
    /// The shell that completes
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<ExitCode, String> {
        let mut command = visible_command();
        clap_complete::generate(self.shell, &mut command, "kinora", &mut io::stdout());
        Ok(ExitCode::SUCCESS)
    }
}
