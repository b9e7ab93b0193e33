//! `kinora render`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::camera::Camera;
use super::display::ProgressDisplay;
use super::interrupt::{EXIT_INTERRUPTED, cancel_on_signals};
use super::order_file::OrderFile;
use super::output_video::OutputVideo;
use super::variant::{VariantFlag, aspect_ratio, max_bytes};
use super::{flags, runtime};
use crate::config::Config;
use crate::encode::Encoder;
use crate::listing::template::{self, Fields, Template, Templates};
use crate::listing::{self, AspectRatio, Listing, MOST_PHOTOS, Variant};
use crate::net::Net;
use crate::pipeline::{Pipeline, PipelineError, VideoOrder};
use crate::render;
use crate::sandbox::Sandbox;
use crate::spec::{
    Asset, BadPhotos, Frame, Motion, Move, Output, Scene, Source, Transition, VideoSpec,
};
use crate::titles::Fonts;

/// Beside the first video: each has an encoder of its own.
const MOST_VARIANTS: usize = 7;

#[derive(Args)]
pub struct Render {
    /// Picture files, or their http(s) addresses: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF. One becomes a
    /// zoom; several become a listing video, each with its share of the length. Or a JSON file with an order, as POST
    /// /api/videos takes it, which says everything itself
    #[arg(required = true, num_args = 1..=MOST_PHOTOS, value_name = "PHOTO")]
    photos: Vec<String>,
    /// The video to write, in MP4; replaced if it is there. Of an order, the directory for its videos: NAME.mp4 of each
    /// output, and its thumbnail NAME.jpg; made if it is not there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Length of the video in seconds, 0.1 to 400 [default: 5 for a zoom, 30 for a listing]
    #[arg(long, value_name = "SECONDS", value_parser = within(0.1, 400.0))]
    length: Option<f64>,
    /// Frames a second, 15 to 60 [default: 30]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(15..=60))]
    frame_rate: Option<u32>,
    /// Growth of the picture in percent a second, 0 to 100; of a zoom [default: 3]
    #[arg(long, value_name = "PERCENT", value_parser = within(0.0, 100.0), conflicts_with_all = ["motion", "focus", "fit"])]
    zoom_speed: Option<f64>,
    /// Shape of a listing video: 16:9, 1:1, 4:5 or 9:16 [default: 1:1]
    #[arg(long, value_name = "RATIO", value_parser = aspect_ratio)]
    aspect_ratio: Option<AspectRatio>,
    /// Titles of a listing video: ActiveListing1, JustListed1, JustSold1, OpenHouse1, PriceReduced1, or
    /// one of your own (templates.directory in the settings) [default: no titles]
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    #[command(flatten)]
    camera: Camera,
    #[command(flatten)]
    facts: Facts,
    /// A picture file with your logo, or its http(s) address: PNG, SVG or any of the others
    #[arg(long, value_name = "PICTURE", requires = "template")]
    logo: Option<String>,
    /// A sound file for a listing video, or its http(s) address: MP3, AAC, M4A, Ogg Vorbis, FLAC or
    /// WAV; looped or cut to the length
    #[arg(long, alias = "soundtrack", value_name = "SOUND")]
    music: Option<String>,
    /// Change photos on beats of the music. Each keeps its share of the length within 25 %, or within 50 % where beats are
    /// sparse
    #[arg(long, requires = "music")]
    cut_on_beat: bool,
    /// A picture of a listing video to write beside it, in JPEG
    #[arg(long, value_name = "FILE")]
    thumbnail: Option<PathBuf>,
    /// Largest size of the video in MB; where that is small, the quality is lower
    #[arg(long, value_name = "NUMBER", value_parser = max_bytes)]
    max_mb: Option<u64>,
    /// A further listing video of the same photos, which are fetched and decoded once: NAME=RATIO, with
    /// ",plain" without the template, with ",unbranded" without logo and contact, with ",max-mb=NUMBER" no
    /// larger than that. Its file has the name of the output, with -NAME before the ending. Can be repeated
    #[arg(long, value_name = "NAME=RATIO", value_parser = VariantFlag::parse)]
    variant: Vec<VariantFlag>,
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

impl Render {
    pub fn run(self) -> Result<ExitCode, String> {
        let flags = flags([
            ("--ffmpeg", "encoder.ffmpeg", self.ffmpeg.clone()),
            ("--preset", "encoder.preset", self.preset.clone()),
        ]);
        let config = Config::load_for_rendering(self.config.as_deref(), &flags);
        let config = config.map_err(|error| error.to_string())?;
        for warning in &config.warnings {
            eprintln!("kinora: {warning}");
        }
        let runtime = runtime()?;
        let sandbox = Sandbox::start(&config.sandbox, config.picture, runtime.handle().clone());
        let sandbox = sandbox.map_err(|error| format!("the program cannot be started: {error}"))?;
        let pipeline = Pipeline {
            runtime: runtime.handle().clone(),
            net: Net::new(&config.net).map_err(|error| error.to_string())?,
            sandbox,
            fonts: Arc::new(Fonts::new(config.templates.directory.as_deref())),
            encoder: Encoder::new(&config.encoder, runtime.handle().clone()),
            storages: None,
        };
        let videos = match self.order_file()? {
            Some(order) => {
                let templates = Templates::load(config.templates.directory.as_deref());
                let templates = templates.map_err(|error| error.to_string())?;
                order.videos(&self.output, pipeline.net.policy(), &templates)?
            }
            None => self.videos(&config.templates, &pipeline.fonts)?,
        };
        for warning in videos.iter().filter_map(|it| pipeline.warning(&it.spec)) {
            eprintln!("kinora: {warning}");
        }
        let cancel = CancellationToken::new();
        let parts = videos.iter().map(|video| video.part().to_owned());
        cancel_on_signals(runtime.handle(), &cancel, parts.collect());
        let display = ProgressDisplay::new();
        let orders: Vec<VideoOrder> = videos.iter().map(OutputVideo::order).collect();
        let rendered = pipeline.render(&orders, &display, &cancel);
        display.close();
        match rendered {
            Ok(rendered) => {
                for photo in &rendered.skipped {
                    eprintln!("kinora: a photo is left out: {}", photo.failure.message);
                }
                for (video, rendered) in videos.into_iter().zip(&rendered.videos) {
                    video.finish(rendered)?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(PipelineError::Failed(failure) | PipelineError::Temporary(failure)) => {
                Err(failure.message)
            }
            Err(PipelineError::Cancelled) => Ok(ExitCode::from(EXIT_INTERRUPTED)),
        }
    }

    /// The order, if one is named in place of photos.
    fn order_file(&self) -> Result<Option<OrderFile>, String> {
        let is_order = |name: &String| {
            let path = Path::new(name);
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
                && !name.contains("://")
        };
        let Some(order) = self.photos.iter().find(|name| is_order(name)) else {
            return Ok(None);
        };
        if self.photos.len() > 1 {
            return Err(format!(
                "{order} is an order, which names its photos itself"
            ));
        }
        if let Some(flag) = self.flag_of_photos() {
            return Err(format!(
                "{order} is an order, which says everything itself: {flag} has no place beside it"
            ));
        }
        OrderFile::read(Path::new(order)).map(Some)
    }

    /// A flag that an order has no need of.
    fn flag_of_photos(&self) -> Option<&'static str> {
        let given = [
            ("--length", self.length.is_some()),
            ("--frame-rate", self.frame_rate.is_some()),
            ("--zoom-speed", self.zoom_speed.is_some()),
            ("--aspect-ratio", self.aspect_ratio.is_some()),
            ("--template", self.template.is_some()),
            ("--music", self.music.is_some()),
            ("--thumbnail", self.thumbnail.is_some()),
            ("--max-mb", self.max_mb.is_some()),
            ("--variant", !self.variant.is_empty()),
        ];
        let given = given.into_iter().find(|(_, is_given)| *is_given);
        given.map(|(flag, _)| flag).or(self.camera.flag())
    }

    /// All videos, whose files are begun.
    fn videos(
        &self,
        templates: &template::Settings,
        fonts: &Fonts,
    ) -> Result<Vec<OutputVideo>, String> {
        self.check_variants()?;
        let specs = self.specs(templates, fonts)?;
        let variants = std::iter::once(None).chain(self.variant.iter().map(Some));
        let named = |file: &Path, variant: Option<&VariantFlag>| {
            variant.map_or_else(|| file.to_owned(), |variant| variant.beside(file))
        };
        let videos = specs.into_iter().zip(variants).map(|(spec, variant)| {
            let thumbnail = self.thumbnail.as_ref();
            let thumbnail = thumbnail.map(|file| named(file, variant));
            OutputVideo::begin(spec, named(&self.output, variant), thumbnail)
        });
        videos.collect()
    }

    fn check_variants(&self) -> Result<(), String> {
        let names: Vec<&str> = self.variant.iter().map(VariantFlag::name).collect();
        if names.len() > MOST_VARIANTS {
            return Err(format!("there are more than {MOST_VARIANTS} variants"));
        }
        let again = (1..names.len()).find(|&i| names[..i].contains(&names[i]));
        again.map_or(Ok(()), |i| {
            Err(format!("there are two variants of the name {:?}", names[i]))
        })
    }

    /// Of all videos; first, that of `--output`.
    fn specs(
        &self,
        templates: &template::Settings,
        fonts: &Fonts,
    ) -> Result<Vec<VideoSpec>, String> {
        let mut specs = if self.photos.len() == 1 && !self.wants_listing() {
            vec![self.zoom()]
        } else {
            self.listings(templates, fonts)?
        };
        for spec in &mut specs {
            self.camera.apply(spec);
            spec.cut_on_beat = self.cut_on_beat;
        }
        Ok(specs)
    }

    fn wants_listing(&self) -> bool {
        self.template.is_some()
            || self.music.is_some()
            || self.aspect_ratio.is_some()
            || self.thumbnail.is_some()
            || !self.variant.is_empty()
    }

    fn photos(&self) -> Vec<Asset> {
        self.photos.iter().map(|name| asset(name)).collect()
    }

    fn zoom(&self) -> VideoSpec {
        let motion = match (self.zoom_speed, self.camera.is_set()) {
            (None, true) => Motion::Eased(Move::Auto),
            (speed, _) => Motion::CentreZoom {
                speed: speed.unwrap_or(3.0),
            },
        };
        let scene = |photo| Scene::new(photo, motion);
        VideoSpec {
            scenes: self.photos().into_iter().map(scene).collect(),
            transition: Transition::CUT,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length: self.length.unwrap_or(5.0),
                frame_rate: self.frame_rate.unwrap_or(listing::FRAME_RATE),
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
                max_bytes: self.max_mb,
            },
            cut_on_beat: false,
            music_volume: 1.0,
            bad_photos: BadPhotos::Fail,
        }
    }

    /// Of one listing, with the default motions and transitions.
    fn listings(
        &self,
        templates: &template::Settings,
        fonts: &Fonts,
    ) -> Result<Vec<VideoSpec>, String> {
        if self.zoom_speed.is_some() {
            return Err("--zoom-speed is for a single photo that is no listing video".to_owned());
        }
        let templates = Templates::load(templates.directory.as_deref());
        let templates = templates.map_err(|error| error.to_string())?;
        let template = self.template(&templates, fonts)?;
        let main = Variant {
            aspect_ratio: self.aspect_ratio.unwrap_or_default(),
            template,
            is_branded: true,
            max_bytes: self.max_mb,
        };
        let others = self.variant.iter().map(|flag| flag.variant(template));
        let listing = self.listing();
        let variants = std::iter::once(main).chain(others);
        let specs: Vec<VideoSpec> = variants.map(|variant| listing.spec(&variant)).collect();
        let is_too_short = |spec: &VideoSpec| render::unseen_photos(spec) > 0;
        match specs.iter().any(is_too_short) {
            true => Err("the video is too short to show every photo".to_owned()),
            false => Ok(specs),
        }
    }

    fn listing(&self) -> Listing {
        let facts = &self.facts;
        Listing {
            facts: Fields {
                address: facts.address.clone(),
                price: facts.price.clone(),
                details: facts.details.clone(),
                name: facts.contact_name.clone(),
                phone: facts.contact_phone.clone(),
                website: facts.contact_website.clone(),
                logo: self.logo.is_some(),
            },
            photos: self.photos(),
            captions: Vec::new(),
            logo: self.logo.as_deref().map(asset),
            soundtrack: self.music.as_deref().map(asset),
            transition: self.camera.transition(),
            length: self.length.unwrap_or(listing::LENGTH),
            frame_rate: self.frame_rate.unwrap_or(listing::FRAME_RATE),
        }
    }

    fn template<'a>(
        &self,
        templates: &'a Templates,
        fonts: &Fonts,
    ) -> Result<Option<&'a Template>, String> {
        let Some(name) = &self.template else {
            return Ok(None);
        };
        let template = templates.get(name).ok_or_else(|| {
            let names: Vec<&str> = templates.names().collect();
            format!(
                "there is no template {name:?}; there are {}",
                names.join(", ")
            )
        })?;
        if let Some(warning) = fonts.missing_warning(name, template.fonts()) {
            eprintln!("kinora: {warning}");
        }
        Ok(Some(template))
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
