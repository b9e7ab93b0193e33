//! The command line: `kinora serve` and `kinora render`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::{Handle, Runtime};

use crate::app::{self, StopSignals};
use crate::config::{Config, Flags};
use crate::jobs::{Stop, Studio};
use crate::listing::{self, AspectRatio, Listing, MOST_PHOTOS};
use crate::net::Net;
use crate::render::{Encoder, Fonts, Progress, Rendered};
use crate::template::{self, Fields, Templates};
use crate::video::{Asset, Frame, Motion, Output, Scene, Source, VideoSpec};

/// What a shell calls a program that was ended by Ctrl-C.
const EXIT_INTERRUPTED: u8 = 130;

/// Turns still photographs into videos.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the HTTP service.
    Serve(Serve),
    /// Make one video, without a service.
    Render(Render),
}

#[derive(Args)]
struct Serve {
    /// File with settings [default: ./config.toml, if it is there]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// IP address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Jobs to render at the same time [default: half the cores, at least 2]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<String>,
    /// Directory for the job record, the videos and the keys [default: ./data]
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

#[derive(Args)]
struct Render {
    /// Picture files, or their http(s) addresses: JPEG, PNG, WebP, GIF, BMP or TIFF. One becomes a
    /// zoom; several become a listing video, each with its share of the length
    #[arg(required = true, num_args = 1..=MOST_PHOTOS, value_name = "PHOTO")]
    photos: Vec<String>,
    /// The video to write, in MP4; replaced if it is there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Length of the video in seconds, 0.1 to 400 [default: 5 for a zoom, 30 for a listing]
    #[arg(long, value_name = "SECONDS", value_parser = within(0.1, 400.0))]
    length: Option<f64>,
    /// Frames a second, 15 to 60
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(u32).range(15..=60))]
    frame_rate: u32,
    /// Growth of the picture in percent a second, 0 to 100; of a zoom [default: 3]
    #[arg(long, value_name = "PERCENT", value_parser = within(0.0, 100.0))]
    zoom_speed: Option<f64>,
    /// Shape of a listing video: 16:9, 1:1, 4:5 or 9:16 [default: 1:1]
    #[arg(long, value_name = "RATIO", value_parser = aspect_ratio)]
    aspect_ratio: Option<AspectRatio>,
    /// Titles of a listing video: ActiveListing1, JustListed1, JustSold1, OpenHouse1, PriceReduced1, or
    /// one of your own (templates.directory in the settings) [default: no titles]
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    #[command(flatten)]
    facts: Facts,
    /// A picture file with your logo, or its http(s) address: PNG, SVG or any of the others
    #[arg(long, value_name = "PICTURE", requires = "template")]
    logo: Option<String>,
    /// A sound file for a listing video, or its http(s) address: MP3, AAC, M4A, Ogg Vorbis, FLAC or
    /// WAV; looped or cut to the length
    #[arg(long, alias = "soundtrack", value_name = "SOUND")]
    music: Option<String>,
    /// File with settings [default: none]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// The ffmpeg binary [default: ffmpeg, on the PATH]
    #[arg(long, value_name = "PATH")]
    ffmpeg: Option<String>,
    /// How much the encoder works: fast, balanced or small [default: fast for several photos, else
    /// balanced]
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
}

/// What the titles say.
#[derive(Args)]
struct Facts {
    /// Where the property is
    #[arg(long, value_name = "TEXT", requires = "template")]
    address: Option<String>,
    /// What it costs
    #[arg(long, value_name = "TEXT", requires = "template")]
    price: Option<String>,
    /// What it has, such as "3 bed, 2 bath"
    #[arg(long, value_name = "TEXT", requires = "template")]
    details: Option<String>,
    /// Whom to ask
    #[arg(long, alias = "name", value_name = "TEXT", requires = "template")]
    contact_name: Option<String>,
    /// The number to call
    #[arg(long, alias = "phone", value_name = "TEXT", requires = "template")]
    contact_phone: Option<String>,
    /// Where to read more
    #[arg(long, alias = "website", value_name = "TEXT", requires = "template")]
    contact_website: Option<String>,
}

/// Reads a number of a range.
fn within(least: f64, most: f64) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("not a number from {least} to {most}")),
    }
}

fn aspect_ratio(name: &str) -> Result<AspectRatio, String> {
    AspectRatio::named(name).ok_or_else(|| "not one of 16:9, 1:1, 4:5 and 9:16".to_owned())
}

/// Does what the command line says, and tells how it went: 0 well, 1 failed, 2 misunderstood.
pub fn run() -> ExitCode {
    // One provider for all of TLS; a second call, from a test, changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Render(render) => render.run(),
    };
    done.unwrap_or_else(|message| {
        eprintln!("kinora: {message}");
        ExitCode::FAILURE
    })
}

/// The flags that were given, each beside the setting it overrides.
fn flags<const N: usize>(given: [(&'static str, &'static str, Option<String>); N]) -> Flags {
    given
        .into_iter()
        .filter_map(|(flag, key, value)| Some((key, (flag, value?))))
        .collect()
}

impl Serve {
    fn run(self) -> Result<ExitCode, String> {
        let flags = flags([
            ("--bind", "server.bind", self.bind),
            ("--workers", "jobs.workers", self.workers),
            ("--data-dir", "storage.data_dir", self.data_dir),
            ("--public-url", "server.public_url", self.public_url),
            ("--ffmpeg", "video.ffmpeg", self.ffmpeg),
            ("--preset", "video.preset", self.preset),
        ]);
        let config =
            Config::load(self.config.as_deref(), &flags).map_err(|error| error.to_string())?;
        let filter = env_logger::Env::default().default_filter_or("kinora=info,warn");
        env_logger::Builder::from_env(filter).init();
        let runtime = runtime()?;
        let served = runtime.block_on(app::serve(config));
        // Whatever is still stuck, in a name server's answer or in a dead disk, is not waited for.
        runtime.shutdown_background();
        served.map_err(|error| error.to_string())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Render {
    fn run(self) -> Result<ExitCode, String> {
        let flags = flags([
            ("--ffmpeg", "video.ffmpeg", self.ffmpeg.clone()),
            ("--preset", "video.preset", self.preset.clone()),
        ]);
        let config = Config::load_for_rendering(self.config.as_deref(), &flags);
        let config = config.map_err(|error| error.to_string())?;
        let runtime = runtime()?;
        let studio = Studio {
            runtime: runtime.handle().clone(),
            net: Net::new(&config.net).map_err(|error| error.to_string())?,
            limits: config.picture,
            fonts: Arc::new(Fonts::new(config.templates.directory.as_deref())),
            encoder: Encoder::new(&config.video),
        };
        let spec = self.spec(&config.templates)?;
        let part = Part::beside(&self.output)?;
        let display = Display::new(runtime.handle(), part.file.clone());
        let filmed = studio.film(&spec, &part.file, &display);
        display.close();
        match filmed {
            Ok(rendered) => {
                part.take_its_place()?;
                self.report(&rendered);
                Ok(ExitCode::SUCCESS)
            }
            Err(Stop::Failed(failure) | Stop::EncoderLost(failure)) => Err(failure.message),
            Err(Stop::Interrupted) => Ok(ExitCode::from(EXIT_INTERRUPTED)),
        }
    }

    fn spec(&self, templates: &template::Settings) -> Result<VideoSpec, String> {
        let photos: Vec<Asset> = self.photos.iter().map(|name| asset(name)).collect();
        let wants_listing =
            self.template.is_some() || self.music.is_some() || self.aspect_ratio.is_some();
        if photos.len() == 1 && !wants_listing {
            return Ok(self.zoom(photos));
        }
        if self.zoom_speed.is_some() {
            return Err("--zoom-speed is for a single photo without a template".to_owned());
        }
        self.listing(photos, templates)
    }

    fn zoom(&self, photos: Vec<Asset>) -> VideoSpec {
        let motion = Motion::CentreZoom {
            speed: self.zoom_speed.unwrap_or(3.0),
        };
        let scene = |photo| Scene { photo, motion };
        VideoSpec {
            scenes: photos.into_iter().map(scene).collect(),
            crossfade: 0.0,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length: self.length.unwrap_or(5.0),
                frame_rate: self.frame_rate,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
            },
        }
    }

    fn listing(
        &self,
        photos: Vec<Asset>,
        templates: &template::Settings,
    ) -> Result<VideoSpec, String> {
        let length = self.length.unwrap_or(listing::LENGTH);
        let facts = &self.facts;
        let listing = Listing {
            facts: Fields {
                address: facts.address.clone(),
                price: facts.price.clone(),
                details: facts.details.clone(),
                name: facts.contact_name.clone(),
                phone: facts.contact_phone.clone(),
                website: facts.contact_website.clone(),
                logo: self.logo.is_some(),
            },
            photos,
            logo: self.logo.as_deref().map(asset),
            soundtrack: self.music.as_deref().map(asset),
            aspect_ratio: self.aspect_ratio.unwrap_or_default(),
            length,
            frame_rate: self.frame_rate,
        };
        let Some(name) = &self.template else {
            return Ok(listing.spec(None));
        };
        let templates = Templates::load(templates.directory.as_deref());
        let templates = templates.map_err(|error| error.to_string())?;
        let template = templates.get(name).ok_or_else(|| {
            let names: Vec<&str> = templates.names().collect();
            format!(
                "there is no template {name:?}; there are {}",
                names.join(", ")
            )
        })?;
        Ok(listing.spec(Some(template)))
    }

    fn report(&self, rendered: &Rendered) {
        eprintln!(
            "{}: {}x{}, {} frames, {:.1} MB",
            self.output.display(),
            rendered.size.width,
            rendered.size.height,
            rendered.frames,
            rendered.bytes as f64 / 1e6
        );
    }
}

/// What is named at the command line: an address, or else a file.
fn asset(name: &str) -> Asset {
    let is_url = ["http://", "https://"]
        .iter()
        .any(|scheme| name.starts_with(scheme));
    Asset {
        label: name.to_owned(),
        source: if is_url {
            Source::Url(name.to_owned())
        } else {
            Source::File(name.into())
        },
    }
}

fn runtime() -> Result<Runtime, String> {
    Runtime::new().map_err(|error| format!("the program cannot be started: {error}"))
}

/// The video while it is made: beside the output, so that it takes its place in one step, and gone
/// if it does not.
struct Part {
    file: PathBuf,
    output: PathBuf,
}

impl Part {
    fn beside(output: &Path) -> Result<Self, String> {
        // Through a link, to the file that it stands for.
        let output = output.canonicalize().unwrap_or_else(|_| output.to_owned());
        let name = output
            .file_name()
            .filter(|_| !output.exists() || output.is_file());
        let name = name.ok_or_else(|| {
            format!(
                "{} cannot be written: it is not a regular file",
                output.display()
            )
        })?;
        let part =
            output.with_file_name(format!(".{}.{}.part", name.display(), std::process::id()));
        std::fs::File::create(&part).map_err(|error| unwritable(&output, &error))?;
        let file = std::path::absolute(&part).unwrap_or(part);
        Ok(Self { file, output })
    }

    fn take_its_place(self) -> Result<(), String> {
        std::fs::rename(&self.file, &self.output).map_err(|error| unwritable(&self.output, &error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Err: it has become the video.
        let _ = std::fs::remove_file(&self.file);
    }
}

fn unwritable(output: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be written: {error}", output.display())
}

/// Shows how far it is: a bar on a terminal, plain lines elsewhere. Ctrl-C and SIGTERM stop it.
struct Display {
    bar: ProgressBar,
    stopped: Arc<AtomicBool>,
}

impl Display {
    fn new(runtime: &Handle, part: PathBuf) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        runtime.spawn(async move {
            let Ok(mut signals) = StopSignals::new() else {
                return;
            };
            signals.next().await;
            stop.store(true, Ordering::Relaxed);
            // Told twice, it does not wait for a download either.
            signals.next().await;
            // Err: it is not there any more.
            let _ = std::fs::remove_file(part);
            std::process::exit(EXIT_INTERRUPTED.into());
        });
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} frames, {eta} left");
        let bar = ProgressBar::no_length()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, stopped }
    }

    fn close(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Display {
    fn frames_done(&self, done: u32, of: u32) {
        self.bar.set_length(of.into());
        self.bar.set_position(done.into());
        let tenths = |frames: u32| u64::from(frames) * 10 / u64::from(of);
        if self.bar.is_hidden() && tenths(done) > tenths(done - 1) {
            eprintln!("{done} of {of} frames");
        }
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
