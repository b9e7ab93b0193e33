//! The videos of one order, made at the same time from the same photos.

use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use tokio_util::sync::CancellationToken;

use super::photos::{PhotoConsumer, PhotoSource};
use super::progress::Progress;
use super::sink::EncoderSink;
use super::{PipelineError, RenderedVideo};
use crate::encode::{EncodeError, EncodeOrder, Encoder, Preset, SizeLimit};
use crate::render::{self, Composition, Photo, RenderError};
use crate::spec::VideoSpec;

/// A video on its way from photos to a file.
pub struct Video<'a> {
    pub composition: &'a Composition<'a>,
    pub file: &'a Path,
    /// Videos that are made at the same time, and share the cores.
    pub videos: usize,
    /// What is not as it was asked for.
    pub warnings: Vec<String>,
    /// The soundtrack.
    pub wav: Option<&'a Path>,
    pub progress: &'a Progress<'a>,
    /// Ends the encoder.
    pub abort: &'a CancellationToken,
    /// Ends the decoding, and with it all videos.
    pub decoding: &'a CancellationToken,
}

/// Why there is no video.
pub enum NoVideo {
    /// There may be more that is wrong with the assets.
    Asset,
    /// Also an encoder that was ended because of the cancellation.
    Encoder(EncodeError),
    Thread(io::Error),
    /// Because of something else, which is told elsewhere.
    Stopped,
}

/// Decodes the photos on this thread, and makes each video on a thread of its own. A photo is decoded when all videos
/// have taken the last: none is far ahead of the others.
pub fn make_all<'a>(
    encoder: &Encoder,
    videos: impl Iterator<Item = Video<'a>>,
    photos: &mut PhotoSource,
    decoding: &CancellationToken,
) -> Result<Vec<RenderedVideo>, NoVideo> {
    thread::scope(|scope| {
        let mut consumers = Vec::new();
        let mut making = Vec::new();
        for video in videos {
            // A channel without places: one photo at most waits, in the hands of the decoder.
            let (sender, receiver) = bounded(0);
            consumers.push(PhotoConsumer::new(video.composition, sender));
            let make = move || video.make(encoder, receiver);
            let thread = thread::Builder::new().name("video".to_owned());
            making.push(thread.spawn_scoped(scope, make).map_err(NoVideo::Thread)?);
        }
        let decoded = photos.send_all(consumers, decoding);
        let made = making
            .into_iter()
            .map(|video| video.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect();
        all_or_none(made, decoded)
    })
}

/// The videos, or the reason that explains the others.
fn all_or_none(
    made: Vec<Result<RenderedVideo, NoVideo>>,
    decoded: Result<(), PipelineError>,
) -> Result<Vec<RenderedVideo>, NoVideo> {
    let mut videos = Vec::new();
    let mut is_stopped = false;
    for video in made {
        match video {
            Ok(video) => videos.push(video),
            Err(NoVideo::Stopped) => is_stopped = true,
            Err(reason) => return Err(reason),
        }
    }
    match (is_stopped, decoded) {
        (false, _) => Ok(videos),
        (true, Ok(())) => Err(NoVideo::Stopped),
        (true, Err(_)) => Err(NoVideo::Asset),
    }
}

impl Video<'_> {
    /// Draws and encodes all frames. A failure ends the other videos as well.
    fn make(
        &self,
        encoder: &Encoder,
        photos: Receiver<Arc<Photo>>,
    ) -> Result<RenderedVideo, NoVideo> {
        let made = self.draw(encoder, photos).and_then(|sink| {
            let finished = sink.finish();
            finished.map_err(NoVideo::Encoder)
        });
        if made.is_err() {
            self.decoding.cancel();
        }
        made
    }

    fn draw<'b>(
        &'b self,
        encoder: &'b Encoder,
        photos: Receiver<Arc<Photo>>,
    ) -> Result<EncoderSink<'b>, NoVideo> {
        let spec = self.composition.spec;
        let output = &spec.output;
        let order = EncodeOrder {
            file: self.file,
            sound: self.wav.filter(|_| spec.soundtrack.is_some()),
            volume: spec.music_volume,
            usual_preset: usual_preset(spec),
            frame_rate: output.frame_rate,
            keyframes: self.composition.beginnings().collect(),
            is_soft: false,
            limit: output.max_bytes.map(|bytes| SizeLimit {
                bytes,
                seconds: output.seconds(),
            }),
            videos: self.videos,
        };
        let sink = EncoderSink::new(encoder, order, self);
        let mut sink = sink.map_err(NoVideo::Encoder)?;
        let drawn = render::render(self.composition, self.videos, photos, &mut sink);
        match (drawn, sink.error()) {
            (Ok(()), _) => Ok(sink),
            (Err(_), Some(error)) => Err(NoVideo::Encoder(error)),
            (Err(RenderError::Thread(error)), None) => Err(NoVideo::Thread(error)),
            (Err(RenderError::Stopped | RenderError::MissingPicture), None) => {
                Err(NoVideo::Stopped)
            }
        }
    }
}

/// Videos of several photos are long, and their clients are waiting: their encoder is to be quick.
fn usual_preset(spec: &VideoSpec) -> Preset {
    if spec.scenes.len() > 1 {
        Preset::Fast
    } else {
        Preset::Balanced
    }
}
