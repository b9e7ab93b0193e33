//! The stage: scenes made ready in their order, one at a time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::camera::CameraPath;
use super::scene::Scene;
use super::timeline::Timeline;
use super::{Photos, Picture};
use crate::spec::{Size, VideoSpec};

/// Scenes that are still to come.
pub struct Stage<'a, P> {
    photos: P,
    spec: &'a VideoSpec,
    timeline: &'a Timeline,
    /// Known with the first photo.
    frame: Option<Size>,
    next: usize,
}

/// A scene, and which one it is.
#[derive(Clone)]
pub struct Ready {
    pub index: usize,
    pub scene: Arc<Scene>,
}

impl<'a, P: Photos> Stage<'a, P> {
    pub fn new(photos: P, spec: &'a VideoSpec, timeline: &'a Timeline) -> Self {
        Self {
            photos,
            spec,
            timeline,
            frame: None,
            next: 0,
        }
    }

    /// The next scene; `None` after the last. Does not wait for it any longer once `given_up` is set.
    pub fn next(&mut self, given_up: &AtomicBool) -> Option<Result<Ready, P::Error>> {
        // More scenes than frames: some are in none.
        let shown = |index: &usize| !self.timeline.span(*index).is_empty();
        let index = (self.next..self.spec.scenes.len()).find(shown)?;
        let scene = &self.spec.scenes[index];
        self.next = index + 1;
        let output = self.spec.output;
        let path = |photo: Size, frame: Option<Size>| {
            let frame = frame.unwrap_or_else(|| output.frame.size(photo));
            let span = self.timeline.span(index);
            CameraPath::new(photo, frame, scene.motion, span, output.frame_rate)
        };
        let frame = self.frame;
        let picture = self
            .photos
            .photo(index, &|photo| path(photo, frame).detail(), given_up);
        Some(picture.map(|picture: Picture| {
            let path = path(picture.size, frame);
            self.frame = Some(path.frame);
            Ready {
                index,
                scene: Arc::new(Scene::new(picture, path)),
            }
        }))
    }
}
