//! The frame pipeline: frames are drawn on several threads and handed on in order.
//!
//! Thread `t` of `n` draws the frames `t, t + n, …` and sends each through a channel with one place;
//! the channels are emptied in turn. So frames arrive in order without being sorted, and a thread has two
//! of them at most. The buffers are returned through one channel for all. One more thread loads the
//! scenes, a little ahead; the last thread that needs one drops it. So there are a few scenes at a time,
//! however many the video has.

use std::io;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::thread::{self, Scope, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::loader::{LoadedScene, NoScene, SceneLoader};
use super::scene::Scratch;
use super::timeline::Timeline;
use super::transition::Blend;
use super::{Composition, FrameSink, RenderError};
use crate::spec::{Size, TransitionKind};
use crate::titles::Titles;

/// Encoding takes far longer than drawing: more threads would only wait.
const MAX_DRAW_THREADS: usize = 4;

/// Buffers that a sink may keep.
const KEPT_BY_SINK: usize = 1;

/// Scenes that wait to be drawn, beside those that are being drawn.
const SCENES_AHEAD: usize = 1;

pub struct FramePipeline<'a> {
    timeline: &'a Timeline,
    titles: Titles,
    transition: TransitionKind,
    frame_rate: u32,
    size: Size,
    threads: usize,
}

impl<'a> FramePipeline<'a> {
    /// `videos` are drawn at the same time, and share the cores.
    pub fn new(composition: &'a Composition, titles: Titles, size: Size, videos: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let Composition { spec, timeline, .. } = composition;
        Self {
            timeline,
            titles,
            transition: spec.transition.kind,
            frame_rate: spec.output.frame_rate,
            size,
            threads: (cores / videos).clamp(1, MAX_DRAW_THREADS),
        }
    }

    /// Draws one frame of these scenes. `None`: one is missing.
    pub fn frame(&self, k: u32, scenes: &[LoadedScene]) -> Option<Vec<u8>> {
        let mut frame = vec![0; self.size.frame_bytes()];
        let scene = |index| scenes.iter().find(|loaded| loaded.index == index).cloned();
        self.draw(
            k,
            scene,
            &mut Scratch::default(),
            &mut Vec::new(),
            &mut frame,
        )?;
        Some(frame)
    }

    /// Draws frame `k` of the scenes that `scene` gives. `other` is for the scene that a transition leads to.
    fn draw(
        &self,
        k: u32,
        mut scene: impl FnMut(usize) -> Option<LoadedScene>,
        scratch: &mut Scratch,
        other: &mut Vec<u8>,
        frame: &mut [u8],
    ) -> Option<()> {
        let moment = self.timeline.at(k);
        let this = scene(moment.scene)?.scene;
        match moment.next {
            None => this.draw(k, 0.0, scratch, frame),
            Some(share) => {
                let next = scene(moment.scene + 1)?.scene;
                let blend = Blend::new(self.transition, share, self.size);
                this.draw(k, blend.offset(), scratch, frame);
                other.resize(frame.len(), 0);
                next.draw(k, blend.offset(), scratch, other);
                blend.blend(frame, other);
            }
        }
        let seconds = f64::from(k) / f64::from(self.frame_rate);
        self.titles.draw(seconds, frame);
        Some(())
    }

    /// Draws all frames, and gives them to `sink` one after the other.
    pub fn run(
        &self,
        first: LoadedScene,
        loader: SceneLoader,
        sink: &mut dyn FrameSink,
    ) -> Result<(), RenderError> {
        let threads = self.threads;
        thread::scope(|scope| {
            let mut drawn = Vec::with_capacity(threads);
            let mut scene_senders = Vec::with_capacity(threads);
            let (free_sender, free) = buffers(2 * threads + KEPT_BY_SINK, self.size.frame_bytes());
            for t in 0..threads {
                let (frames, scenes) = self.start_worker(scope, t, free.clone())?;
                drawn.push(frames);
                scene_senders.push(scenes);
            }
            let loading = start_loading(scope, first, loader, scene_senders)?;
            let frames = FrameReceiver {
                drawn,
                free: free_sender,
            };
            // Ends the threads, if there were to be more frames.
            let drawn = frames.collect(self.timeline.frames(), sink);
            match (drawn, loading.join()) {
                (_, Err(panic)) => resume_unwind(panic),
                (Err(RenderError::Stopped), _) => Err(RenderError::Stopped),
                (_, Ok(Err(error))) => Err(error),
                (drawn, Ok(Ok(()))) => drawn,
            }
        })
    }

    /// Starts the draw worker `t`, and gives the other ends of its channels.
    fn start_worker<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        t: usize,
        free: Receiver<Vec<u8>>,
    ) -> Result<(Receiver<Vec<u8>>, Sender<LoadedScene>), RenderError> {
        let (sender, receiver) = bounded(1);
        let (scene_sender, scenes) = bounded(SCENES_AHEAD);
        let mut worker = DrawWorker::new(scenes, self);
        let draw = move || worker.draw(t, &free, &sender);
        spawn(scope, format!("draw-{t}"), draw)?;
        Ok((receiver, scene_sender))
    }
}

fn start_loading<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    first: LoadedScene,
    loader: SceneLoader<'env>,
    senders: Vec<Sender<LoadedScene>>,
) -> Result<ScopedJoinHandle<'scope, Result<(), RenderError>>, RenderError> {
    let load = move || send_scenes(first, loader, &senders);
    spawn(scope, "load-scenes".to_owned(), load)
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, RenderError> {
    let spawned: io::Result<_> = thread::Builder::new().name(name).spawn_scoped(scope, work);
    spawned.map_err(RenderError::Thread)
}

/// Loads the scenes for every worker, until no worker wants any more.
fn send_scenes(
    first: LoadedScene,
    mut loader: SceneLoader,
    senders: &[Sender<LoadedScene>],
) -> Result<(), RenderError> {
    let mut loaded = first;
    loop {
        // Err: the worker has drawn its last frame, which others may not have.
        let sent = senders
            .iter()
            .filter(|sender| sender.send(loaded.clone()).is_ok());
        if sent.count() == 0 {
            return Ok(());
        }
        loaded = match loader.next() {
            Ok(next) => next,
            Err(NoScene::End) => return Ok(()),
            Err(NoScene::MissingPicture) => return Err(RenderError::MissingPicture),
        };
    }
}

/// The workers' frames, and the way back for their buffers.
struct FrameReceiver {
    /// One for each worker.
    drawn: Vec<Receiver<Vec<u8>>>,
    free: Sender<Vec<u8>>,
}

impl FrameReceiver {
    /// Takes the frames in order, and returns the buffers.
    fn collect(self, frames: u32, sink: &mut dyn FrameSink) -> Result<(), RenderError> {
        for (k, drawn) in (0..frames).zip(self.drawn.iter().cycle()) {
            // Err: the worker has no scene to draw, or panicked. Whoever joins it hears why.
            let Ok(frame) = drawn.recv() else {
                return Err(RenderError::MissingPicture);
            };
            match sink.frame(k, frame) {
                // Err: all workers have drawn their last frames.
                ControlFlow::Continue(Some(buffer)) => _ = self.free.send(buffer),
                ControlFlow::Continue(None) => {}
                ControlFlow::Break(()) => return Err(RenderError::Stopped),
            }
        }
        Ok(())
    }
}

/// A channel of frame buffers that are free.
fn buffers(count: usize, bytes: usize) -> (Sender<Vec<u8>>, Receiver<Vec<u8>>) {
    let (sender, receiver) = bounded(count);
    for _ in 0..count {
        // It has places for all, and its receiver is here.
        let _ = sender.try_send(vec![0; bytes]);
    }
    (sender, receiver)
}

/// A drawing thread.
struct DrawWorker<'a> {
    scenes: CurrentScenes,
    pipeline: &'a FramePipeline<'a>,
    scratch: Scratch,
    /// The scene that a transition leads to.
    other: Vec<u8>,
}

/// The scenes of the current frame, in order, and those that come.
struct CurrentScenes {
    coming: Receiver<LoadedScene>,
    current: Vec<LoadedScene>,
}

impl<'a> DrawWorker<'a> {
    fn new(coming: Receiver<LoadedScene>, pipeline: &'a FramePipeline) -> Self {
        Self {
            scenes: CurrentScenes {
                coming,
                current: Vec::new(),
            },
            pipeline,
            scratch: Scratch::default(),
            other: Vec::new(),
        }
    }

    /// Draws every `threads`-th frame, until all are drawn, or scenes or buffers come no more.
    fn draw(&mut self, first: usize, free: &Receiver<Vec<u8>>, drawn: &Sender<Vec<u8>>) {
        let frames = first as u32..self.pipeline.timeline.frames();
        for k in frames.step_by(self.pipeline.threads) {
            let Ok(mut buffer) = free.recv() else {
                return;
            };
            if self.frame(k, &mut buffer).is_none() || drawn.send(buffer).is_err() {
                return;
            }
        }
    }

    /// `None`: a scene is missing.
    fn frame(&mut self, k: u32, frame: &mut [u8]) -> Option<()> {
        let Self {
            scenes,
            pipeline,
            scratch,
            other,
        } = self;
        pipeline.draw(k, |index| scenes.wait_for(index), scratch, other, frame)?;
        let first = pipeline.timeline.at(k).scene;
        scenes.current.retain(|loaded| loaded.index >= first);
        Some(())
    }
}

impl CurrentScenes {
    /// Waits for a scene, if it is not there yet.
    fn wait_for(&mut self, index: usize) -> Option<LoadedScene> {
        loop {
            if let Some(loaded) = self.current.iter().find(|loaded| loaded.index == index) {
                return Some(loaded.clone());
            }
            self.current.push(self.coming.recv().ok()?);
        }
    }
}
