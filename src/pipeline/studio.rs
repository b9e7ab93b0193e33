//! The studio: from a specification to a file. Needs no job.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log::error;
use tokio::runtime::Handle;

use super::album::Album;
use super::assets::{Arrival, Fetcher, Kind};
use super::{Scratch, Stop};
use crate::encode::{EncodeError, Encoder, Preset};
use crate::errors::chain;
use crate::job::Failure;
use crate::net::{Net, Oversize};
use crate::picture::{self, Logo};
use crate::render::{self, Progress, RenderError, Rendered, Script};
use crate::sound;
use crate::spec::{Size, VideoSpec};
use crate::titles::Fonts;

const PHOTO: Kind = Kind {
    accept: "image/jpeg, image/png, image/webp, image/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Refuse,
};
/// Of hours of music, the beginning is enough.
const SOUNDTRACK: Kind = Kind {
    accept: "audio/mpeg, audio/mp4, audio/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Cut,
};

const LOGO: Kind = Kind {
    accept: "image/png, image/svg+xml, image/webp, image/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Refuse,
};
/// The most room that a template has for one, in pixels.
const LARGEST_LOGO: Size = Size {
    width: 800,
    height: 600,
};

/// Makes videos; cheap to clone.
#[derive(Clone)]
pub struct Studio {
    pub runtime: Handle,
    pub net: Net,
    pub limits: picture::Limits,
    pub fonts: Arc<Fonts>,
    pub encoder: Encoder,
}

impl Studio {
    /// Leaves the video at `path`, whole or not at all. What it is made from is kept beside it until
    /// then.
    pub fn film(
        &self,
        spec: &VideoSpec,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Rendered, Stop> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut fetcher = Fetcher::new(&self.runtime, &self.net, directory);
        let wanted = Wanted {
            progress,
            spoiled: fetcher.failed(),
        };
        // The soundtrack first, which has to be ready before the first frame.
        let soundtrack = spec.soundtrack.as_ref();
        let soundtrack = soundtrack.map(|asset| fetcher.fetch(asset, SOUNDTRACK));
        let logo = spec.logo.as_ref();
        let logo = logo.map(|asset| fetcher.fetch(asset, LOGO));
        let photos = spec.scenes.iter().map(|scene| &scene.photo);
        let photos = photos.map(|asset| fetcher.fetch(asset, PHOTO)).collect();
        let mut material = Material {
            album: Album::new(photos, &self.limits, &wanted),
            soundtrack,
            logo,
            limits: &self.limits,
        };
        match self.shoot(&mut material, spec, path, &wanted) {
            Ok(rendered) => Ok(rendered),
            Err(RenderError::Encode(error)) => Err(unencoded(error)),
            Err(_) if progress.stopped() => Err(Stop::Interrupted),
            Err(RenderError::Asset(_) | RenderError::Interrupted) => {
                Err(material.complaints(spec, progress))
            }
        }
    }

    fn shoot(
        &self,
        material: &mut Material,
        spec: &VideoSpec,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Rendered, RenderError<Stop>> {
        let track = material.track(spec, progress).map_err(RenderError::Asset)?;
        let logo = material.logo(progress).map_err(RenderError::Asset)?;
        let wav = track.map(|track| write_wav(&track, path)).transpose()?;
        material
            .album
            .wait_for_first()
            .map_err(RenderError::Asset)?;
        // Gets ready while the photo is decoded, and is ended with a photo that cannot be.
        let encoding = self.encoder.start(
            path,
            wav.as_ref().map(|wav| wav.0.as_path()),
            usual_preset(spec),
        )?;
        let script = Script {
            spec,
            logo: logo.as_ref(),
            fonts: &self.fonts,
        };
        render::render(&script, &mut material.album, encoding, path, progress)
    }
}

/// Long videos of many photos are wanted soon rather than small.
fn usual_preset(spec: &VideoSpec) -> Preset {
    if spec.scenes.len() > 1 {
        Preset::Fast
    } else {
        Preset::Balanced
    }
}

/// What a video is made from.
struct Material<'a> {
    album: Album<'a>,
    soundtrack: Option<Arrival>,
    logo: Option<Arrival>,
    limits: &'a picture::Limits,
}

impl Material<'_> {
    fn logo(&mut self, progress: &dyn Progress) -> Result<Option<Logo>, Stop> {
        let Some(logo) = &mut self.logo else {
            return Ok(None);
        };
        let bytes = logo.read(&|| progress.stopped())?;
        let drawn = picture::logo(&bytes, self.limits, LARGEST_LOGO);
        drawn
            .map(Some)
            .map_err(|error| Stop::Failed(logo.complaint("not-a-picture", &error)))
    }

    fn track(
        &mut self,
        spec: &VideoSpec,
        progress: &dyn Progress,
    ) -> Result<Option<sound::Track>, Stop> {
        let Some(soundtrack) = &mut self.soundtrack else {
            return Ok(None);
        };
        let bytes = soundtrack.read(&|| progress.stopped())?;
        let track = sound::soundtrack(&bytes, spec.output.seconds())
            .map_err(|error| Stop::Failed(soundtrack.complaint("not-sound", &error)))?;
        Ok(Some(track))
    }

    /// All that is wrong, at once.
    fn complaints(&mut self, spec: &VideoSpec, progress: &dyn Progress) -> Stop {
        let mut failures = match self.album.look_through(progress) {
            Ok(failures) => failures,
            Err(stop) => return stop,
        };
        let others = [
            self.logo(progress).map(drop),
            self.track(spec, progress).map(drop),
        ];
        for other in others {
            match other {
                Err(Stop::Failed(failure)) => failures.push(failure),
                Err(stop) if failures.is_empty() => return stop,
                Ok(()) | Err(_) => {}
            }
        }
        Stop::Failed(all_of(failures))
    }
}

/// Several failures as one.
fn all_of(failures: Vec<Failure>) -> Failure {
    let Some(code) = failures.first().map(|failure| failure.code.clone()) else {
        error!("a video was given up although nothing is wrong with what it is made from");
        return Failure::internal();
    };
    let messages = failures.into_iter().map(|failure| failure.message);
    Failure::new(&code, messages.collect::<Vec<_>>().join("; "))
}

/// Writes a track down beside the video that it is for.
fn write_wav(track: &sound::Track, video: &Path) -> Result<Scratch, EncodeError> {
    let file = Scratch(wav_beside(video));
    let written = File::create(&file.0).and_then(|out| track.write_wav(BufWriter::new(out)));
    match written {
        Ok(()) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(EncodeError::DiskFull),
        Err(error) => Err(EncodeError::Output(error)),
    }
}

/// Where the sound of a video is while the video is made.
pub fn wav_beside(video: &Path) -> PathBuf {
    video.with_extension("wav")
}

/// A rendering that is given up when one of its assets cannot be had.
struct Wanted<'a> {
    progress: &'a dyn Progress,
    spoiled: Arc<AtomicBool>,
}

impl Progress for Wanted<'_> {
    fn frames_done(&self, done: u32, of: u32) {
        self.progress.frames_done(done, of);
    }

    fn stopped(&self) -> bool {
        self.progress.stopped() || self.spoiled.load(Ordering::Relaxed)
    }
}

fn unencoded(error: EncodeError) -> Stop {
    error!("encoding failed: {}", chain(&error));
    let failure = Failure::new(encode_code(&error), error.to_string());
    match error {
        EncodeError::Died { .. } => Stop::EncoderLost(failure),
        _ => Stop::Failed(failure),
    }
}

fn encode_code(error: &EncodeError) -> &'static str {
    match error {
        EncodeError::DiskFull => "disk-full",
        EncodeError::NotStarted(_) | EncodeError::Died { .. } | EncodeError::Output(_) => {
            "encoder-failed"
        }
    }
}
