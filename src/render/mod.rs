//! Decoded pictures and a specification go in, frames come out, in their order.
//!
//! ```text
//! timeline (with cuts: which scenes make frame k), camera, path, motion (with pan, framing and sides): what they show
//! of their photos
//! photo, loader ─ scene (with background and contained; source, from pyramid by resample) ─┐
//! titles ───────────────────────────────────────────────────────────────────────────┴─ frames (with transition) ─▶ FrameSink
//! softness ─ whether the encoder has to take care
//! composition (with overlays: what titles hide of photos) ─ what all of these need to know of the specification
//! ```

mod background;
mod camera;
mod composition;
mod contained;
mod cuts;
mod frames;
mod framing;
mod loader;
mod motion;
mod overlays;
mod pan;
mod path;
mod photo;
pub mod pyramid;
pub mod resample;
mod scene;
mod sides;
mod softness;
mod source;
mod timeline;
mod transition;

use std::io;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::Receiver;

pub use composition::{
    Composition, SceneFacts, duration_factor, shortened_transition, unseen_photos,
};
pub use cuts::SLACK as BEAT_SLACK;
pub use photo::Photo;

use crate::spec::{Frame, Size};
use crate::titles::Titles;
use frames::FramePipeline;
use loader::{LoadedScene, NoScene, SceneLoader};

/// What takes the frames.
pub trait FrameSink {
    /// Told once, before the first frame. Frames are in planar 4:2:0, their Y, Cb and Cr one after
    /// the other. `is_soft`: all of them are gradients without texture.
    fn start(&mut self, size: Size, frame_rate: u32, is_soft: bool) -> ControlFlow<()>;

    /// Given every frame, in order. Gives back a buffer that it does not need any more, of this frame or of the one before:
    /// it keeps one at most.
    fn frame(&mut self, index: u32, frame: Vec<u8>) -> ControlFlow<(), Option<Vec<u8>>>;
}

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("the sink takes no more frames")]
    Stopped,
    #[error("the picture of a scene is missing")]
    MissingPicture,
    #[error("a thread could not be started")]
    Thread(#[source] io::Error),
}

/// Draws all frames. `photos` brings the photo of each scene that is shown, decoded at least as finely as
/// [`Composition::detail`] asks; it may end early, if one of them cannot be had. `videos` are drawn at the same time, and share the cores.
pub fn render(
    composition: &Composition,
    videos: usize,
    photos: Receiver<Arc<Photo>>,
    sink: &mut dyn FrameSink,
) -> Result<(), RenderError> {
    let mut loader = SceneLoader::new(composition, photos);
    let (first, titles) = begin(composition, &mut loader)?;
    let size = first.scene.frame();
    let titles = titles.unwrap_or_else(|| composition.titles(size));
    let frame_rate = composition.spec.output.frame_rate;
    let is_soft = composition.spec.scenes.len() == 1 && first.scene.is_soft();
    if sink.start(size, frame_rate, is_soft).is_break() {
        return Err(RenderError::Stopped);
    }
    FramePipeline::new(composition, titles, size, videos).run(first, loader, sink)
}

/// Draws frame `k`, of `size`, as [`render`] would. `photos` are those of the scenes that it shows, and may be of others
/// too, each with its scene. `None`: one is missing.
pub fn frame(
    composition: &Composition,
    size: Size,
    k: u32,
    photos: &[(usize, Arc<Photo>)],
) -> Option<Vec<u8>> {
    let photo = |scene| photos.iter().find(|(index, _)| *index == scene);
    let scenes: Vec<LoadedScene> = composition
        .scenes_at(k)
        .map(|scene| Some(composition.scene(scene, size, &photo(scene)?.1)))
        .collect::<Option<_>>()?;
    let seconds = f64::from(k) / f64::from(composition.spec.output.frame_rate);
    let titles = composition.titles_at(seconds, size);
    FramePipeline::new(composition, titles, size, 1).frame(k, &scenes)
}

/// Waits for the first scene, and paints the titles meanwhile, if the size of the frames does not depend on it.
fn begin(
    composition: &Composition,
    loader: &mut SceneLoader,
) -> Result<(LoadedScene, Option<Titles>), RenderError> {
    thread::scope(|scope| {
        let titles = match composition.spec.output.frame {
            Frame::Size(size) => {
                let thread = thread::Builder::new().name("titles".to_owned());
                let titles = thread.spawn_scoped(scope, move || composition.titles(size));
                Some(titles.map_err(RenderError::Thread)?)
            }
            Frame::LikeFirstPhoto => None,
        };
        let first = loader.next().map_err(|error| match error {
            NoScene::End | NoScene::MissingPicture => RenderError::MissingPicture,
        })?;
        let titles =
            titles.map(|titles| titles.join().unwrap_or_else(|panic| resume_unwind(panic)));
        Ok((first, titles))
    })
}
