//! Pictures and a specification go in, an encoded video comes out.
//!
//! ```text
//! timeline (which scenes make frame k), camera and motion (what they show of their photos)
//! stage ─ scene (with background and contained, from pyramid by resample) ─┐
//! overlay ─ titles ───────────────────────────────────────────────┴─ reel ─ encode
//! ```

mod background;
mod camera;
mod contained;
mod motion;
pub mod pyramid;
mod reel;
pub mod resample;
mod scene;
mod source;
mod stage;
mod timeline;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::encode::{EncodeError, Encoding};
use crate::picture::{Detail, Logo, Picture};
use crate::spec::{Output, Size, VideoSpec};
use crate::titles::{Fonts, Titles};
use reel::Film;
use stage::Stage;
use timeline::Timeline;

/// How a rendering and whoever ordered it keep in touch.
pub trait Progress: Sync {
    /// Told of every frame.
    fn frames_done(&self, done: u32, of: u32);

    /// Asked now and then, from any thread: whether to give up.
    fn stopped(&self) -> bool;
}

/// Where the photos of a video come from.
pub trait Photos: Send {
    type Error: Send;

    /// The photo of a scene. Asked for each in turn, and on a thread that may wait, but not any
    /// longer once `given_up` is set; `detail` tells how coarse a photo of that size may be.
    fn photo(
        &mut self,
        scene: usize,
        detail: &dyn Fn(Size) -> Detail,
        given_up: &AtomicBool,
    ) -> Result<Picture, Self::Error>;
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub size: Size,
    pub frames: u32,
    /// Of the file.
    pub bytes: u64,
    /// The frame that is to stand for the video: Y, Cb and Cr.
    pub thumbnail: Option<Vec<u8>>,
}

/// `E`: why something that the video is made from cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RenderError<E> {
    #[error("interrupted")]
    Interrupted,
    #[error("something is missing")]
    Asset(E),
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// What a video is made of, beside its photos.
pub struct Script<'a> {
    pub spec: &'a VideoSpec,
    pub logo: Option<&'a Logo>,
    pub fonts: &'a Fonts,
}

/// Makes the video, in the file at `path` that `encoding` was started for.
pub fn render<P: Photos>(
    script: &Script,
    photos: P,
    mut encoding: Encoding,
    path: &Path,
    progress: &dyn Progress,
) -> Result<Rendered, RenderError<P::Error>> {
    let timeline = Timeline::new(script.spec);
    let played = encoding.guarded(
        || progress.stopped(),
        |encoding| play(script, &timeline, photos, encoding, progress),
    );
    // An encoder that was ended by the guard has failed for no other reason.
    let (size, thumbnail) = played.map_err(|error| match error {
        RenderError::Encode(_) if progress.stopped() => RenderError::Interrupted,
        error => error,
    })?;
    let bytes = std::fs::metadata(path).map_err(EncodeError::Output)?.len();
    Ok(Rendered {
        size,
        frames: timeline.frames(),
        bytes,
        thumbnail,
    })
}

/// The size of the frames, and a copy of the one that is to stand for the video.
type Played = (Size, Option<Vec<u8>>);

/// Plays the scenes to the encoder.
fn play<P: Photos>(
    script: &Script,
    timeline: &Timeline,
    photos: P,
    encoding: &mut Encoding,
    progress: &dyn Progress,
) -> Result<Played, RenderError<P::Error>> {
    let Script { spec, logo, fonts } = *script;
    let mut stage = Stage::new(photos, spec, timeline);
    let first = stage
        .next(&AtomicBool::new(false))
        .ok_or(RenderError::Interrupted)?;
    let first = first.map_err(RenderError::Asset)?;
    let size = first.scene.frame();
    let Output { frame_rate, .. } = spec.output;
    encoding.announce(size, frame_rate)?;
    let film = Film {
        timeline,
        titles: Titles::new(&spec.overlays, logo, fonts, size),
        frame_rate,
    };
    let mut thumbnail = None;
    reel::play(&film, first, stage, |k, frame| {
        encoding.write(frame)?;
        if spec.output.thumbnail() == Some(k) {
            thumbnail = Some(frame.to_vec());
        }
        progress.frames_done(k + 1, timeline.frames());
        if progress.stopped() {
            return Err(RenderError::Interrupted);
        }
        Ok(())
    })?;
    encoding.finish()?;
    Ok((size, thumbnail))
}
