//! The scene loader: turns photos into scenes, in their order.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::Composition;
use super::camera::CameraPath;
use super::photo::Photo;
use super::scene::{Blur, Scene};
use crate::picture::Picture;
use crate::spec::Size;

/// The scenes that are still to come.
pub struct SceneLoader<'a> {
    composition: &'a Composition<'a>,
    photos: Receiver<Arc<Photo>>,
    /// Of the frames; known with the first photo.
    frame: Option<Size>,
    /// The first scene that was not loaded.
    next: usize,
}

/// A scene and its index.
#[derive(Clone)]
pub struct LoadedScene {
    pub index: usize,
    pub scene: Arc<Scene>,
}

/// Why there is no further scene.
pub enum NoScene {
    /// It was the last.
    End,
    /// Whoever sends the photos has given up.
    MissingPicture,
}

impl<'a> SceneLoader<'a> {
    pub fn new(composition: &'a Composition<'a>, photos: Receiver<Arc<Photo>>) -> Self {
        Self {
            composition,
            photos,
            frame: None,
            next: 0,
        }
    }

    /// Waits for the photo of the next scene.
    pub fn next(&mut self) -> Result<LoadedScene, NoScene> {
        let mut coming = self.next..self.composition.spec.scenes.len();
        let index = coming
            .find(|index| self.composition.shows(*index))
            .ok_or(NoScene::End)?;
        let photo = self.photos.recv().map_err(|_| NoScene::MissingPicture)?;
        let size = photo.picture.size;
        let frame = *self
            .frame
            .get_or_insert_with(|| self.composition.frame(size));
        self.next = index + 1;
        let camera = self.composition.camera(index, size, frame, &photo.subject);
        let picture = photo.picture.clone();
        // Its planes are freed one by one, when no other video has to show them.
        drop(photo);
        let blurs = self.composition.blurs(index);
        Ok(LoadedScene::new(index, picture, camera, blurs))
    }
}

impl LoadedScene {
    pub fn new(index: usize, picture: Picture, camera: CameraPath, blurs: Vec<Blur>) -> Self {
        Self {
            index,
            scene: Arc::new(Scene::new(picture, camera, blurs)),
        }
    }
}
