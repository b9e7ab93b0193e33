//! `kinora serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use log::LevelFilter;

use super::{flags, runtime};
use crate::config::Config;
use crate::jobs::postgres;
use crate::{api, app, logging};

#[derive(Args)]
pub struct Serve {
    /// File with settings [default: ./config.toml, if it is there]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// IP address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Jobs to render at the same time [default: half the cores, at least 2]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<String>,
    /// Directory for the job store, the videos and the keys [default: ./data]
    #[arg(long, value_name = "PATH")]
    data_dir: Option<String>,
    /// Where clients reach this service, to begin video addresses with [default: the bound address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The ffmpeg binary [default: ffmpeg, on the PATH]
    #[arg(long, value_name = "PATH")]
    ffmpeg: Option<String>,
    /// How much the encoder works: fast, balanced or small [default: fast for several photos, else
    /// balanced]
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
}

impl Serve {
    pub fn run(self) -> Result<ExitCode, String> {
        let flags = flags([
            ("--bind", "server.bind", self.bind),
            ("--workers", "jobs.workers", self.workers),
            ("--data-dir", "storage.data_dir", self.data_dir),
            ("--public-url", "server.public_url", self.public_url),
            ("--ffmpeg", "encoder.ffmpeg", self.ffmpeg),
            ("--preset", "encoder.preset", self.preset),
        ]);
        let config =
            Config::load(self.config.as_deref(), &flags).map_err(|error| error.to_string())?;
        // Whatever RUST_LOG says.
        let never = [api::NOISY_LOGGER, postgres::REVEALING_LOGGER];
        let filter = env_logger::Env::default().default_filter_or("kinora=info,warn");
        let mut logger = env_logger::Builder::from_env(filter);
        for module in never {
            logger.filter_module(module, LevelFilter::Off);
        }
        if config.log.is_json {
            logger.format(logging::json);
        }
        logger.init();
        app::log_panics();
        let runtime = runtime()?;
        let served = runtime.block_on(app::serve(config));
        // Whatever is still stuck, in a name server's answer or in a dead disk, is not waited for.
        runtime.shutdown_background();
        served.map_err(|error| error.to_string())?;
        Ok(ExitCode::SUCCESS)
    }
}
