//! `kinora check`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{flags, runtime};
use crate::app;
use crate::config::Config;

#[derive(Args)]
pub struct Check {
    /// File with settings [default: ./config.toml, if it is there]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Directory for the job store, the videos and the keys [default: ./data]
    #[arg(long, value_name = "PATH")]
    data_dir: Option<String>,
    /// The ffmpeg binary [default: ffmpeg, on the PATH]
    #[arg(long, value_name = "PATH")]
    ffmpeg: Option<String>,
}

impl Check {
    pub fn run(self) -> Result<ExitCode, String> {
        let flags = flags([
            ("--data-dir", "storage.data_dir", self.data_dir),
            ("--ffmpeg", "encoder.ffmpeg", self.ffmpeg),
        ]);
        let config =
            Config::load(self.config.as_deref(), &flags).map_err(|error| error.to_string())?;
        for warning in &config.warnings {
            println!("note  {warning}");
        }
        let runtime = runtime()?;
        let checks = runtime.block_on(app::check(&config));
        // A store that hangs is not waited for.
        runtime.shutdown_background();
        let mut code = ExitCode::SUCCESS;
        for check in checks {
            match check.result {
                Ok(found) => println!("ok    {}: {found}", check.name),
                Err(problem) => {
                    println!("FAIL  {}: {problem}", check.name);
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}
