//! How one video is made: fetch ▸ decode ▸ render ▸ encode ▸ store. Needs no job.
//!
//! ```text
//! downloads (with room) ─ photos (decoded one ahead), soundtrack, logo ─ assets
//! sink ─ frames ▸ encoder
//! publisher ─ a finished file, kept on disk ▸ storage
//! ```

mod assets;
mod downloads;
mod photos;
mod publisher;
mod room;
mod sink;

use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::bounded;
use log::error;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use assets::wav_beside;
use publisher::TemporaryFile;
pub use publisher::{Publisher, TEST_FILE};

// What whoever publishes has to know of storages.
pub use crate::storage::{Fence, FenceError, StorageError};

use crate::encode::{EncodeError, EncodeOrder, Encoder, Preset};
use crate::errors::chain;
use crate::job::{Failure, FailureCode};
use crate::net::Net;
use crate::render::{self, Composition, RenderError};
use crate::sandbox::Sandbox;
use crate::spec::{Size, VideoSpec};
use crate::titles::Fonts;
use assets::Assets;
use photos::PhotoSource;
use sink::EncoderSink;

/// From a specification to a file; cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    pub runtime: Handle,
    pub net: Net,
    pub sandbox: Sandbox,
    pub fonts: Arc<Fonts>,
    pub encoder: Encoder,
}

/// Who wants to know how far it is.
pub trait Observer: Sync {
    /// Told of every frame.
    fn frames_done(&self, done: u32, of: u32);
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
}

/// Why there is no video.
#[derive(Debug)]
pub enum PipelineError {
    Failed(Failure),
    /// ffmpeg died. A failure, unless the whole service is being stopped.
    EncoderDied(Failure),
    /// The token was cancelled. Whoever cancelled it knows why.
    Cancelled,
}

impl Pipeline {
    /// Makes the video in `file`, whole or not at all. Until then its assets are beside it.
    /// Blocks: call it on a thread of its own.
    pub fn render(
        &self,
        spec: &VideoSpec,
        file: &Path,
        observer: &dyn Observer,
        cancel: &CancellationToken,
    ) -> Result<RenderedVideo, PipelineError> {
        // Cancelled as well when a download fails.
        let abort = cancel.child_token();
        let mut assets = Assets::fetch(self, spec, file, &abort);
        let rendered = self.render_assets(&mut assets, spec, file, observer, &abort);
        match rendered {
            Ok(video) => Ok(video),
            Err(_) if cancel.is_cancelled() => Err(PipelineError::Cancelled),
            // The encoder was ended, or the frames with it, because of an asset.
            Err(_) if abort.is_cancelled() => Err(assets.failures(spec, file, cancel)),
            Err(NoVideo::Asset) => Err(assets.failures(spec, file, cancel)),
            Err(NoVideo::Encoder(error)) => Err(encoder_failure(error)),
            Err(NoVideo::Because(error)) => Err(error),
        }
    }

    /// What a video will lack, although it can be made. Blocks.
    pub fn warning(&self, spec: &VideoSpec) -> Option<String> {
        self.fonts.missing_characters_warning(&spec.overlays)
    }

    fn render_assets(
        &self,
        assets: &mut Assets,
        spec: &VideoSpec,
        file: &Path,
        observer: &dyn Observer,
        abort: &CancellationToken,
    ) -> Result<RenderedVideo, NoVideo> {
        let wav = assets.soundtrack(spec, file, abort);
        let wav = wav.map_err(NoVideo::asset)?;
        let logo = assets.logo(file, abort).map_err(NoVideo::asset)?;
        let waited = assets.photos.wait_for_first(abort);
        waited.map_err(NoVideo::asset)?;
        let wav = wav.as_ref().map(TemporaryFile::path);
        let composition = Composition::new(spec, logo.as_ref(), &self.fonts);
        let order = EncodeOrder {
            file,
            sound: wav,
            usual_preset: default_preset(spec),
            frame_rate: spec.output.frame_rate,
            keyframes: composition.beginnings().collect(),
            is_soft: false,
        };
        let decoding = abort.child_token();
        let output = &spec.output;
        let sink = EncoderSink::new(&self.encoder, order, abort, output, observer, &decoding);
        let mut sink = sink.map_err(NoVideo::Encoder)?;
        draw(&composition, &mut assets.photos, &mut sink, &decoding)?;
        sink.finish().map_err(NoVideo::Encoder)
    }
}

/// What is to be told of a video that was not made.
enum NoVideo {
    /// Everything that is wrong with the assets.
    Asset,
    /// Also an encoder that was ended because of the cancellation.
    Encoder(EncodeError),
    Because(PipelineError),
}

impl NoVideo {
    /// The failure is one of perhaps many.
    fn asset(_: PipelineError) -> Self {
        Self::Asset
    }
}

impl From<PipelineError> for NoVideo {
    fn from(error: PipelineError) -> Self {
        Self::Because(error)
    }
}

/// Decodes the photos on a thread of their own, and draws the frames.
fn draw(
    composition: &Composition,
    photos: &mut PhotoSource,
    sink: &mut EncoderSink,
    decoding: &CancellationToken,
) -> Result<(), NoVideo> {
    // A channel without places: one picture at most waits, in the hands of the decoder.
    let (sender, pictures) = bounded(0);
    let (drawn, decoded) = thread::scope(|scope| {
        let decode = move || photos.send_all(composition, &sender, decoding);
        let decoder = thread::Builder::new()
            .name("decode".into())
            .spawn_scoped(scope, decode)?;
        let drawn = render::render(composition, pictures, sink);
        decoding.cancel();
        let decoded = decoder.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((drawn, decoded))
    })
    .map_err(thread_failure)?;
    match (drawn, sink.error()) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(error)) => Err(NoVideo::Encoder(error)),
        (Err(RenderError::Thread(error)), None) => Err(thread_failure(error).into()),
        // The sink has only stopped because it was cancelled.
        (Err(RenderError::Stopped), None) => Err(PipelineError::Cancelled.into()),
        (Err(RenderError::MissingPicture), None) => Err(decoded.map_or(NoVideo::Asset, |()| {
            NoVideo::Because(PipelineError::Cancelled)
        })),
    }
}

/// Videos of several photos are long, and their clients are waiting: their encoder is to be quick.
fn default_preset(spec: &VideoSpec) -> Preset {
    if spec.scenes.len() > 1 {
        Preset::Fast
    } else {
        Preset::Balanced
    }
}

fn encoder_failure(error: EncodeError) -> PipelineError {
    error!("encoding failed: {}", chain(&error));
    let code = match error {
        EncodeError::DiskFull => FailureCode::DiskFull,
        EncodeError::NotStarted(_) | EncodeError::Died { .. } | EncodeError::Output(_) => {
            FailureCode::EncoderFailed
        }
    };
    let failure = Failure::new(code, error.to_string());
    match error {
        EncodeError::Died { .. } => PipelineError::EncoderDied(failure),
        _ => PipelineError::Failed(failure),
    }
}

fn thread_failure(error: io::Error) -> PipelineError {
    error!("a thread could not be started: {error}");
    PipelineError::Failed(Failure::internal())
}
