//! The scene loader: turns decoded pictures into scenes, in their order.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::Composition;
use super::scene::Scene;
use crate::picture::Picture;
use crate::spec::Size;

/// The scenes that are still to come.
pub struct SceneLoader<'a> {
    composition: &'a Composition<'a>,
    pictures: Receiver<Picture>,
    /// Of the frames; known with the first picture.
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
    /// Whoever sends the pictures has given up.
    MissingPicture,
}

impl<'a> SceneLoader<'a> {
    pub fn new(composition: &'a Composition<'a>, pictures: Receiver<Picture>) -> Self {
        Self {
            composition,
            pictures,
            frame: None,
            next: 0,
        }
    }

    /// Waits for the picture of the next scene.
    pub fn next(&mut self) -> Result<LoadedScene, NoScene> {
        let mut shown = self.composition.shown_scenes();
        let index = shown
            .find(|index| *index >= self.next)
            .ok_or(NoScene::End)?;
        let picture = self.pictures.recv().map_err(|_| NoScene::MissingPicture)?;
        let frame = *self
            .frame
            .get_or_insert_with(|| self.composition.frame(picture.size));
        let subject = self.composition.subject(index, &picture);
        let camera = self
            .composition
            .camera(index, picture.size, frame, &subject);
        self.next = index + 1;
        Ok(LoadedScene {
            index,
            scene: Arc::new(Scene::new(picture, camera)),
        })
    }
}
