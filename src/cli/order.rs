//! `kinora order`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use super::interrupt::EXIT_INTERRUPTED;
use super::order_file::{OrderFile, create};
use super::partial_file::PartialFile;
use super::runtime;
use crate::app::StopSignals;
use crate::client::{Client, ClientError, Output, Video};
use crate::config;
use crate::errors::chain;

/// Steps of a bar that has no unit.
const STEPS: u64 = 1000;

#[derive(Args)]
pub struct Order {
    /// A JSON file with an order, as POST /api/videos takes it. Photos and the logo may also be local files, by their
    /// paths from the order's own directory: they are uploaded
    #[arg(value_name = "ORDER.json")]
    order: PathBuf,
    /// The server, such as http://localhost:8080. Its key is read from the environment variable API_KEY
    #[arg(long, value_name = "URL")]
    server: String,
    /// File with the key, in place of API_KEY
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Directory for the videos: NAME.mp4 of each output, and its thumbnail NAME.jpg; made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Do not wait for the videos: print their address and end
    #[arg(long)]
    detach: bool,
}

impl Order {
    pub fn run(self) -> Result<ExitCode, String> {
        let key = self.key()?;
        let client = Client::new(&self.server, key).map_err(|error| chain(&error))?;
        let file = OrderFile::read(&self.order)?;
        let runtime = runtime()?;
        let payload = self.upload_files(file, |path| {
            eprintln!("uploading {}", path.display());
            runtime.block_on(client.upload(path))
        })?;
        runtime.block_on(async {
            let created = client.create(&payload, &Uuid::new_v4().to_string()).await;
            let video = created.map_err(|error| chain(&error))?;
            if self.detach {
                println!(
                    "{}/api/videos/{}",
                    self.server.trim_end_matches('/'),
                    video.id
                );
                return Ok(ExitCode::SUCCESS);
            }
            let mut signals = StopSignals::new().map_err(|error| error.to_string())?;
            tokio::select! {
                done = self.wait_and_save(&client, &video.id) => done.map(|()| ExitCode::SUCCESS),
                () = signals.next() => {
                    client.cancel(&video.id).await.map_err(|error| chain(&error))?;
                    eprintln!("kinora: the order is cancelled");
                    Ok(ExitCode::from(EXIT_INTERRUPTED))
                }
            }
        })
    }

    fn key(&self) -> Result<String, String> {
        let Some(file) = &self.key_file else {
            let key = config::api_key().map_err(|error| error.to_string())?;
            return key.ok_or_else(|| "set API_KEY to the key of the server".to_owned());
        };
        let key = std::fs::read_to_string(file);
        let key = key.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        Ok(key.trim().to_owned())
    }

    /// The order, with local files uploaded, each once.
    fn upload_files(
        &self,
        file: OrderFile,
        upload: impl Fn(&Path) -> Result<String, ClientError>,
    ) -> Result<serde_json::Value, String> {
        let mut uploaded: HashMap<PathBuf, String> = HashMap::new();
        file.with_addresses(|place, path| {
            if place == "/music/url" {
                return Err(format!(
                    "music.url: {} is a local file, and music cannot be uploaded; give an http(s) address",
                    path.display()
                ));
            }
            if let Some(address) = uploaded.get(path) {
                return Ok(address.clone());
            }
            let address = upload(path);
            let address = address.map_err(|error| format!("{}: {}", path.display(), chain(&error)))?;
            uploaded.insert(path.to_owned(), address.clone());
            Ok(address)
        })
    }

    async fn wait_and_save(&self, client: &Client, id: &str) -> Result<(), String> {
        let display = Display::new("{wide_bar} {percent} %, {msg}", STEPS);
        let followed = client.follow(id, |video| display.tell(video)).await;
        display.bar.finish_and_clear();
        let video = followed.map_err(|error| chain(&error))?;
        if let Some(error) = &video.error {
            return Err(error.message.clone());
        }
        for photo in &video.skipped {
            eprintln!("kinora: a photo is left out: {}", photo.message);
        }
        for warning in &video.warnings {
            eprintln!("kinora: {warning}");
        }
        create(&self.output)?;
        for output in &video.outputs {
            let saved = self.save(client, output).await;
            saved.map_err(|error| format!("{}: {error}", output.name))?;
        }
        Ok(())
    }

    /// Saves an output and its thumbnail.
    async fn save(&self, client: &Client, output: &Output) -> Result<(), String> {
        let urls = [("jpg", &output.thumbnail_url), ("mp4", &output.url)];
        for (ending, url) in urls {
            let Some(url) = url else {
                continue;
            };
            let file = self.output.join(format!("{}.{ending}", output.name));
            let part = PartialFile::beside(&file)?;
            let display = Display::new("{wide_bar} {bytes}/{total_bytes}", 0);
            let saved = client.download(url, &part.file, |bytes, of| {
                display.bar.set_length(of.unwrap_or(bytes));
                display.bar.set_position(bytes);
            });
            saved.await.map_err(|error| chain(&error))?;
            display.bar.finish_and_clear();
            part.take_its_place()?;
            eprintln!("{}", file.display());
        }
        Ok(())
    }
}

/// A bar on a terminal, plain lines elsewhere.
struct Display {
    bar: ProgressBar,
    told: std::cell::RefCell<String>,
}

impl Display {
    fn new(template: &str, length: u64) -> Self {
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            bar: ProgressBar::new(length).with_style(style),
            told: std::cell::RefCell::default(),
        }
    }

    fn tell(&self, video: &Video) {
        let state = match video.queue_position {
            Some(position) => format!("{} at place {position}", video.state),
            None => video.state.clone(),
        };
        self.bar
            .set_position((video.progress * STEPS as f64) as u64);
        self.bar.set_message(state.clone());
        if self.bar.is_hidden() && self.told.replace(state.clone()) != state {
            eprintln!("{state}");
        }
    }
}
