//! `kinora manual`: for packages.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::visible_command;

#[derive(Args)]
pub struct Manual {
    /// Where to write the pages, one for each subcommand
    directory: PathBuf,
}

impl Manual {
    pub fn run(self) -> Result<ExitCode, String> {
        let written = clap_mangen::generate_to(visible_command(), &self.directory);
        written.map_err(|error| {
            let directory = self.directory.display();
            format!("the manual cannot be written to {directory}: {error}")
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
