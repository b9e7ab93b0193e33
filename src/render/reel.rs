//! The reel: frames drawn on several threads, and handed on in order.
//!
//! Thread `t` of `n` draws the frames `t, t + n, …` and hands each over through a channel with one
//! place; the channels are emptied in turn and the buffers given back. So frames arrive in order
//! without being sorted, and however long the video, there are two buffers a thread. One more thread
//! makes the scenes ready, a little ahead; the last thread that is done with one drops it. So
//! however many the scenes, there are a few at a time.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::scene::Scratch;
use super::stage::{Ready, Stage};
use super::timeline::Timeline;
use super::{Photos, RenderError};
use crate::titles::Titles;

/// Encoding takes far longer than drawing: more threads would only wait.
const MAX_DRAWING_THREADS: usize = 4;

/// Scenes that wait to be drawn, beside those that are being drawn.
const SCENES_AHEAD: usize = 1;

/// What the frames are made of, beside the scenes.
pub struct Film<'a> {
    pub timeline: &'a Timeline,
    pub titles: Titles,
    pub frame_rate: u32,
}

/// Draws all frames of `film`, and hands them to `write` one after the other.
pub fn play<P: Photos>(
    film: &Film,
    first: Ready,
    stage: Stage<P>,
    mut write: impl FnMut(u32, &[u8]) -> Result<(), RenderError<P::Error>>,
) -> Result<(), RenderError<P::Error>> {
    let size = first.scene.frame();
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_DRAWING_THREADS);
    let given_up = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut hands = Vec::with_capacity(threads);
        let mut cues = Vec::with_capacity(threads);
        for t in 0..threads {
            let (hand, desk) = hand_over(size.frame_bytes());
            let (cue, scenes) = bounded(SCENES_AHEAD);
            let mut artist = Artist::new(scenes, film);
            scope.spawn(move || artist.draw(t, threads, &desk));
            hands.push(hand);
            cues.push(cue);
        }
        let staging = scope.spawn(|| send_scenes(first, stage, cues, &given_up));
        let written = collect(&hands, film.timeline.frames(), &mut write);
        // Ends the threads, if there were to be more frames.
        given_up.store(true, Ordering::Relaxed);
        drop(hands);
        match (written, staging.join()) {
            (_, Err(panic)) => resume_unwind(panic),
            // What is missing has been waited for in vain only since then.
            (Err(RenderError::Encode(error)), _) => Err(RenderError::Encode(error)),
            (_, Ok(Err(error))) => Err(RenderError::Asset(error)),
            (written, Ok(Ok(()))) => written,
        }
    })
}

/// Makes the scenes ready, for every thread that draws them, until nobody wants them any more.
fn send_scenes<P: Photos>(
    first: Ready,
    mut stage: Stage<P>,
    cues: Vec<Sender<Ready>>,
    given_up: &AtomicBool,
) -> Result<(), P::Error> {
    let mut ready = first;
    loop {
        // Err: the thread has drawn its last frame, which others may not have.
        let wanting = cues.iter().filter(|cue| cue.send(ready.clone()).is_ok());
        if wanting.count() == 0 {
            return Ok(());
        }
        ready = match stage.next(given_up) {
            Some(next) => next?,
            None => return Ok(()),
        };
    }
}

/// Takes the frames in order, and gives their buffers back.
fn collect<E>(
    hands: &[Hand],
    frames: u32,
    write: &mut impl FnMut(u32, &[u8]) -> Result<(), RenderError<E>>,
) -> Result<(), RenderError<E>> {
    for (k, hand) in (0..frames).zip(hands.iter().cycle()) {
        // Err: the thread has no scene to draw or panicked. Whoever joins it hears why.
        let Ok(buffer) = hand.drawn.recv() else {
            return Err(RenderError::Interrupted);
        };
        write(k, &buffer)?;
        // Err: the thread has drawn its last frame.
        let _ = hand.used.send(buffer);
    }
    Ok(())
}

/// The collector's end of a drawing thread.
struct Hand {
    drawn: Receiver<Vec<u8>>,
    used: Sender<Vec<u8>>,
}

/// The drawing thread's end.
struct Desk {
    drawn: Sender<Vec<u8>>,
    used: Receiver<Vec<u8>>,
}

/// Joins a drawing thread with the collector, and puts two frame buffers into circulation.
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

/// A drawing thread.
struct Artist<'a> {
    coming: Receiver<Ready>,
    /// The scenes of the frame at hand, in order.
    scenes: Vec<Ready>,
    film: &'a Film<'a>,
    scratch: Scratch,
    /// The scene that a cross-fade leads to.
    other: Vec<u8>,
}

impl<'a> Artist<'a> {
    fn new(coming: Receiver<Ready>, film: &'a Film) -> Self {
        Self {
            coming,
            scenes: Vec::new(),
            film,
            scratch: Scratch::default(),
            other: Vec::new(),
        }
    }

    /// Draws every `threads`-th frame, until all are drawn, or scenes or buffers come no more.
    fn draw(&mut self, first: usize, threads: usize, desk: &Desk) {
        for k in (first as u32..self.film.timeline.frames()).step_by(threads) {
            let Ok(mut buffer) = desk.used.recv() else {
                return;
            };
            if self.frame(k, &mut buffer).is_none() || desk.drawn.send(buffer).is_err() {
                return;
            }
        }
    }

    /// `None`: a scene is missing.
    fn frame(&mut self, k: u32, frame: &mut [u8]) -> Option<()> {
        let moment = self.film.timeline.at(k);
        let scene = self.scene(moment.scene)?.scene;
        scene.draw(k, &mut self.scratch, frame);
        if let Some(share) = moment.next {
            let next = self.scene(moment.scene + 1)?.scene;
            self.other.resize(frame.len(), 0);
            next.draw(k, &mut self.scratch, &mut self.other);
            mix(frame, &self.other, share);
        }
        let seconds = f64::from(k) / f64::from(self.film.frame_rate);
        self.film.titles.draw(seconds, frame);
        self.scenes.retain(|ready| ready.index >= moment.scene);
        Some(())
    }

    /// Waits for a scene, if it is not there yet.
    fn scene(&mut self, index: usize) -> Option<Ready> {
        loop {
            if let Some(ready) = self.scenes.iter().find(|ready| ready.index == index) {
                return Some(ready.clone());
            }
            self.scenes.push(self.coming.recv().ok()?);
        }
    }
}

/// Turns `share` of `frame` into `other`.
fn mix(frame: &mut [u8], other: &[u8], share: f64) {
    // With the half that rounds, 255 of 256 still fit 16 bits, which twice as many lanes hold.
    const ONE: u16 = 1 << 8;
    let share = (share * f64::from(ONE)).round() as u16;
    for (under, over) in frame.iter_mut().zip(other) {
        let mixed = u16::from(*under) * (ONE - share) + u16::from(*over) * share;
        *under = ((mixed + ONE / 2) >> 8) as u8;
    }
}
