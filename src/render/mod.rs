//! Pictures and a specification go in, an encoded video comes out.
//!
//! Frames are drawn on several threads and written in order. Thread `t` of `n` draws the frames
//! `t, t + n, …` and hands each over through a channel with one place; the writer empties the
//! channels in turn and gives the buffers back. So frames arrive in order without being sorted, and
//! however long the video, there are two buffers a thread.

mod encode;
mod motion;
mod preset;
pub mod pyramid;
pub mod resample;
mod timeline;

use std::path::Path;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

pub use encode::{EncodeError, Encoder, Encoding, Settings};
pub use preset::Preset;

use crate::picture::{Detail, Picture};
use crate::video::{Size, VideoSpec};
use encode::frame_bytes;
use pyramid::Pyramid;
use resample::Resampler;
use timeline::{Channel, Timeline};

/// Encoding takes far longer than drawing: more threads would only wait.
const MAX_DRAWING_THREADS: usize = 4;

/// How a rendering and whoever ordered it keep in touch.
pub trait Progress: Sync {
    /// Told of every frame.
    fn frames_done(&self, done: u32, of: u32);

    /// Asked now and then, from any thread: whether to give up.
    fn stopped(&self) -> bool;
}

/// What was made.
#[derive(Clone, Copy, Debug)]
pub struct Rendered {
    pub size: Size,
    pub frames: u32,
    /// Of the file.
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// How coarse a photo of this size may be decoded for the video.
pub fn detail(photo: Size, spec: &VideoSpec) -> Detail {
    Timeline::new(spec, photo).detail()
}

/// Makes the video, in the file at `path` that `encoding` was started for.
pub fn render(
    picture: Picture,
    spec: &VideoSpec,
    mut encoding: Encoding,
    path: &Path,
    progress: &dyn Progress,
) -> Result<Rendered, RenderError> {
    let timeline = Timeline::new(spec, picture.size);
    let scene = Scene::new(picture, &timeline);

    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_DRAWING_THREADS);
    let encoded = encoding.guarded(
        || progress.stopped(),
        |encoding| {
            encoding.announce(timeline.frame_size(), spec.output.frame_rate)?;
            thread::scope(|scope| {
                let drawn: Vec<Hand> = (0..threads)
                    .map(|t| {
                        let (hand, desk) = hand_over(frame_bytes(timeline.frame_size()));
                        let (scene, timeline) = (&scene, &timeline);
                        scope.spawn(move || draw(scene, timeline, t, threads, &desk));
                        hand
                    })
                    .collect();
                write(&drawn, timeline.frames(), encoding, progress)
            })?;
            Ok(encoding.finish()?)
        },
    );
    // An encoder that was ended by the guard has failed for no other reason.
    encoded.map_err(|error| {
        if progress.stopped() {
            RenderError::Interrupted
        } else {
            error
        }
    })?;

    let bytes = std::fs::metadata(path).map_err(EncodeError::Output)?.len();
    Ok(Rendered {
        size: timeline.frame_size(),
        frames: timeline.frames(),
        bytes,
    })
}

/// The writer's end of a drawing thread.
struct Hand {
    drawn: Receiver<Vec<u8>>,
    used: Sender<Vec<u8>>,
}

/// The drawing thread's end.
struct Desk {
    drawn: Sender<Vec<u8>>,
    used: Receiver<Vec<u8>>,
}

/// Joins a drawing thread with the writer, and puts two frame buffers into circulation.
fn hand_over(frame_bytes: usize) -> (Hand, Desk) {
    let (drawn_in, drawn_out) = bounded(1);
    let (used_in, used_out) = bounded(2);
    for _ in 0..2 {
        // Holds two, and has its receiver here.
        let _ = used_in.try_send(vec![0; frame_bytes]);
    }
    (
        Hand {
            drawn: drawn_out,
            used: used_in,
        },
        Desk {
            drawn: drawn_in,
            used: used_out,
        },
    )
}

/// Draws every `threads`-th frame, until all are drawn or the writer is gone.
fn draw(scene: &Scene, timeline: &Timeline, first: usize, threads: usize, desk: &Desk) {
    let mut resampler = Resampler::new();
    for k in (first as u32..timeline.frames()).step_by(threads) {
        let Ok(mut buffer) = desk.used.recv() else {
            return;
        };
        scene.draw(timeline, k, &mut resampler, &mut buffer);
        if desk.drawn.send(buffer).is_err() {
            return;
        }
    }
}

/// Writes the frames in order. On an early return the hands are dropped, which ends the threads.
fn write(
    hands: &[Hand],
    frames: u32,
    encoding: &mut Encoding,
    progress: &dyn Progress,
) -> Result<(), RenderError> {
    for (k, hand) in (0..frames).zip(hands.iter().cycle()) {
        // Err: the thread panicked, and the scope passes that on.
        let Ok(buffer) = hand.drawn.recv() else {
            return Err(RenderError::Interrupted);
        };
        encoding.write(&buffer)?;
        // Err: the thread has drawn its last frame.
        let _ = hand.used.send(buffer);
        progress.frames_done(k + 1, frames);
        if progress.stopped() {
            return Err(RenderError::Interrupted);
        }
    }
    Ok(())
}

/// A photo, ready to be drawn from.
struct Scene {
    /// Y, Cb, Cr, each with its step: photo pixels to a sample.
    planes: [(Pyramid, f64); 3],
}

impl Scene {
    fn new(picture: Picture, timeline: &Timeline) -> Self {
        let Picture {
            planes: [y, cb, cr],
            detail,
            ..
        } = picture;
        let prepare = |plane, channel, shift| {
            let step = f64::from(1u32 << shift);
            let (finest, coarsest) = timeline.steps(channel);
            let mut pyramid = Pyramid::build(plane, finest / step, coarsest / step);
            let crops =
                (0..timeline.frames()).map(|k| timeline.crop(channel, k).scaled(1.0 / step));
            pyramid.trim(crops, channel.size(timeline.frame_size()).0);
            (pyramid, step)
        };
        Self {
            planes: [
                prepare(y, Channel::Y, detail.luma_shift),
                prepare(cb, Channel::Cb, detail.chroma_shift),
                prepare(cr, Channel::Cr, detail.chroma_shift),
            ],
        }
    }

    /// Fills `frame` with frame `k`: Y, Cb, Cr, one after the other.
    fn draw(&self, timeline: &Timeline, k: u32, resampler: &mut Resampler, frame: &mut [u8]) {
        let mut rest = frame;
        for (channel, (pyramid, step)) in Channel::ALL.into_iter().zip(&self.planes) {
            let (width, height) = channel.size(timeline.frame_size());
            let (samples, after) = rest.split_at_mut(width * height);
            let crop = timeline.crop(channel, k).scaled(1.0 / step);
            let (level, crop) = pyramid.level_for(crop, width);
            resampler.resample(level, crop, samples, width, height);
            rest = after;
        }
    }
}
