//! How videos are made: fetch ▸ decode ▸ render ▸ encode ▸ store. Needs no job.
//!
//! ```text
//! downloads (with room, uploads) ─ photos (decoded one ahead), soundtrack (with beats), logo ─ assets (with build)
//! video (with progress) ─ photos ▸ frames ▸ sink ▸ encoder, for each video
//! preview (with look_ahead), inspection (with photo_cache, recent_cache) ─ photos ▸ single frames, and facts
//! publisher (with stored_photos) ─ a finished file, kept on disk ▸ storage
//! ```

mod assets;
mod beats;
mod build;
mod downloads;
mod inspection;
mod look_ahead;
mod photo_cache;
mod photos;
mod preview;
mod progress;
mod publisher;
mod recent_cache;
mod room;
mod sink;
mod stored_photos;
mod temporary_file;
mod uploads;
mod video;

use std::borrow::{Borrow, Cow};
use std::io;
use std::path::Path;
use std::sync::Arc;

use log::error;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use assets::wav_beside;
pub use inspection::{InspectedPhoto, Inspection, PhotoFacts};
pub use preview::{Places, Previewer};
pub use progress::Observer;
pub use publisher::{Publisher, TEST_FILE};
use temporary_file::TemporaryFile;
pub use uploads::{ArrivedPhoto, ArrivingPhoto, UploadError};

// What whoever orders has to know of the frames.
pub use crate::render::{SceneFacts, shortened_transition};

// What whoever publishes has to know of storages.
pub use crate::storage::{Fence, FenceError, StorageError};

use crate::encode::{EncodeError, Encoder};
use crate::errors::chain;
use crate::job::{Failure, FailureCode, SkippedPhoto};
use crate::net::Net;
use crate::picture::Logo;
use crate::render::Composition;
use crate::sandbox::Sandbox;
use crate::sound::Beats;
use crate::spec::{Size, VideoSpec};
use crate::storage::Storages;
use crate::titles::Fonts;
use assets::Assets;
use progress::Progress;
use video::{NoVideo, Video};

/// From a specification to a file; cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    pub runtime: Handle,
    pub net: Net,
    pub sandbox: Sandbox,
    pub fonts: Arc<Fonts>,
    pub encoder: Encoder,
    /// Where photos are that were uploaded; `None`: there are none.
    pub storages: Option<Storages>,
}

/// A video that is to be made in `file`.
#[derive(Clone, Copy)]
pub struct VideoOrder<'a> {
    pub spec: &'a VideoSpec,
    pub file: &'a Path,
}

/// A video file.
#[derive(Clone, Debug)]
pub struct RenderedVideo {
    pub size: Size,
    pub frames: u32,
    /// Of the file.
    pub bytes: u64,
    /// A frame in planar 4:2:0.
    pub thumbnail: Option<Vec<u8>>,
    /// What is not as it was asked for, in sentences.
    pub warnings: Vec<String>,
}

/// What the pipeline has made.
#[derive(Debug)]
pub struct Rendered {
    /// One for each order.
    pub videos: Vec<RenderedVideo>,
    /// Photos that are not in them.
    pub skipped: Vec<SkippedPhoto>,
    /// Of everything that they are made from; `None`: something was left out, or is a local file.
    pub content_hash: Option<String>,
}

/// What became of an order.
#[derive(Debug)]
pub enum Made<T> {
    New(T),
    /// The same was made before.
    Before,
}

/// Why there is no video.
#[derive(Clone, Debug)]
pub enum PipelineError {
    Failed(Failure),
    /// Of this machine, or of the encoder: another try may well succeed, and so may the next start if the whole service
    /// is being stopped.
    Temporary(Failure),
    /// The token was cancelled. Whoever cancelled it knows why.
    Cancelled,
}

impl Pipeline {
    /// Makes these videos, all of them or none. The photos, and the soundtrack with its length, are those of the first;
    /// each photo is fetched, decoded and looked at once; so is what becomes of bad ones. Until the end, assets are beside
    /// the first file.
    /// Blocks: call it on a thread of its own.
    pub fn render(
        &self,
        orders: &[VideoOrder],
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> Result<Rendered, PipelineError> {
        match self.render_unless(None, orders, observer, cancel)? {
            Made::New(rendered) => Ok(rendered),
            Made::Before => Err(stopped_failure()),
        }
    }

    /// The same, unless everything that they are made from has the hash `known`.
    pub fn render_unless(
        &self,
        known: Option<&str>,
        orders: &[VideoOrder],
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> Result<Made<Rendered>, PipelineError> {
        // Cancelled as well when a download fails.
        let abort = cancel.child_token();
        let Some(mut assets) = Assets::fetch(self, orders, known.is_some(), &abort) else {
            return Err(stopped_failure());
        };
        let hash = known.map(|_| assets.wait_for_hash(&abort));
        // Err: it will be told below.
        if let Some(Ok(Some(hash))) = hash
            && known == Some(&hash)
        {
            return Ok(Made::Before);
        }
        let rendered = self.render_assets(&mut assets, orders, observer, &abort);
        match rendered {
            Ok(rendered) => Ok(Made::New(rendered)),
            Err(_) if cancel.is_cancelled() => Err(PipelineError::Cancelled),
            // The encoder was ended, or the frames with it, because of an asset.
            Err(_) if abort.is_cancelled() => Err(assets.failures(cancel)),
            Err(NoVideo::Asset) => Err(assets.failures(cancel)),
            Err(NoVideo::Encoder(error)) => Err(encoder_failure(error)),
            Err(NoVideo::Thread(error)) => Err(thread_failure(&error)),
            Err(NoVideo::Stopped) => Err(stopped_failure()),
        }
    }

    /// What a video will lack, although it can be made. Blocks.
    pub fn warning(&self, spec: &VideoSpec) -> Option<String> {
        let captions = spec
            .scenes
            .iter()
            .filter_map(|scene| scene.caption.as_ref());
        let titles = spec.overlays.iter().map(|overlay| &overlay.panel);
        self.fonts
            .missing_characters_warning(titles.chain(captions))
    }

    /// The rest, once the downloads have begun.
    fn render_assets(
        &self,
        assets: &mut Assets,
        orders: &[VideoOrder],
        observer: &dyn Observer,
        abort: &CancellationToken,
    ) -> Result<Rendered, NoVideo> {
        let wav = assets.soundtrack(abort).map_err(|_| NoVideo::Asset)?;
        let logo = assets.logo(abort).map_err(|_| NoVideo::Asset)?;
        let wav = wav.as_ref().map(TemporaryFile::path);
        let wants_beats = orders.iter().any(|order| order.spec.cut_on_beat);
        let beats = wav.filter(|_| wants_beats).and_then(beats::find);
        let skipped = assets.skip_bad_photos(abort).map_err(|_| NoVideo::Asset)?;
        let specs = specs_without(orders, &skipped);
        let waited = assets.photos.wait_for_first(abort);
        waited.map_err(|_| NoVideo::Asset)?;
        let compositions = self.compositions(&specs, logo.as_ref(), beats.as_ref());
        let frames = compositions.iter().map(Composition::frames).sum();
        let progress = Progress::new(observer, frames);
        let decoding = abort.child_token();
        let videos = orders.iter().zip(&compositions);
        let videos = videos.map(|(order, composition)| Video {
            composition,
            warnings: Vec::from_iter(beats::warning(composition, beats.as_ref())),
            file: order.file,
            videos: orders.len(),
            wav,
            progress: &progress,
            abort,
            decoding: &decoding,
        });
        let videos = video::make_all(&self.encoder, videos, &mut assets.photos, &decoding)?;
        let hash = assets.hash();
        Ok(Rendered {
            videos,
            content_hash: hash.filter(|_| skipped.is_empty()),
            skipped,
        })
    }

    fn compositions<'a, S: Borrow<VideoSpec>>(
        &'a self,
        specs: &'a [S],
        logo: Option<&'a Logo>,
        beats: Option<&Beats>,
    ) -> Vec<Composition<'a>> {
        let times = beats.map_or(&[][..], |beats| &beats.times);
        let composition = |spec: &'a S| Composition::new(spec.borrow(), logo, &self.fonts, times);
        specs.iter().map(composition).collect()
    }
}

fn specs_without<'a>(
    orders: &[VideoOrder<'a>],
    skipped: &[SkippedPhoto],
) -> Vec<Cow<'a, VideoSpec>> {
    let photos: Vec<usize> = skipped.iter().map(|photo| photo.index).collect();
    let spec = |order: &VideoOrder<'a>| match photos.is_empty() {
        true => Cow::Borrowed(order.spec),
        false => Cow::Owned(order.spec.without(&photos)),
    };
    orders.iter().map(spec).collect()
}

fn encoder_failure(error: EncodeError) -> PipelineError {
    error!("encoding failed: {}", chain(&error));
    let code = match error {
        EncodeError::DiskFull => FailureCode::DiskFull,
        EncodeError::TooLarge { .. } => FailureCode::TooLarge,
        EncodeError::NotStarted(_)
        | EncodeError::Died(_)
        | EncodeError::Stalled
        | EncodeError::NoVideo(_)
        | EncodeError::NotWhole(_) => FailureCode::EncoderFailed,
    };
    let failure = Failure::new(code, error.to_string());
    match error.is_temporary() {
        true => PipelineError::Temporary(failure),
        false => PipelineError::Failed(failure),
    }
}

/// Nobody has stopped it.
fn stopped_failure() -> PipelineError {
    error!("a video was given up although nothing is wrong");
    PipelineError::Failed(Failure::internal())
}

fn thread_failure(error: &io::Error) -> PipelineError {
    error!("a thread could not be started: {error}");
    PipelineError::Failed(Failure::internal())
}
