//! The photos of a video: decoded one at a time, in the order of the scenes.

use crossbeam_channel::Sender;
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use super::downloads::PendingAsset;
use crate::job::{Failure, FailureCode};
use crate::picture::{self, Detail, Limits, Picture};
use crate::render::Composition;
use crate::spec::Size;

pub struct PhotoSource<'a> {
    photos: Vec<PendingAsset>,
    limits: &'a Limits,
    /// How many have been decoded.
    decoded: usize,
}

impl<'a> PhotoSource<'a> {
    pub fn new(photos: Vec<PendingAsset>, limits: &'a Limits) -> Self {
        Self {
            photos,
            limits,
            decoded: 0,
        }
    }

    /// Waits for the first photo, so that nothing is started in vain.
    pub fn wait_for_first(&mut self, cancel: &CancellationToken) -> Result<(), PipelineError> {
        match self.photos.first_mut() {
            Some(first) => first.wait(cancel),
            None => Ok(()),
        }
    }

    /// Decodes the photos of all scenes that are shown, as finely as their frames need them, and
    /// sends them one after the other. Ends early when nobody receives them any more.
    pub fn send_all(
        &mut self,
        composition: &Composition,
        pictures: &Sender<Picture>,
        cancel: &CancellationToken,
    ) -> Result<(), PipelineError> {
        let mut frame = None;
        for scene in composition.shown_scenes() {
            let detail = |photo: Size| {
                let frame = frame.unwrap_or_else(|| composition.frame(photo));
                composition.detail(scene, photo, frame)
            };
            let picture = self.decode(scene, detail, cancel)?;
            frame.get_or_insert_with(|| composition.frame(picture.size));
            self.photos[scene].release();
            self.decoded = scene + 1;
            if pictures.send(picture).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Checks all photos that have not been decoded, and collects what is wrong with them. When it is
    /// cancelled: what was found by then.
    pub fn failures(&mut self, cancel: &CancellationToken) -> Result<Vec<Failure>, PipelineError> {
        let mut failures = Vec::new();
        for index in self.decoded..self.photos.len() {
            match self.decode(index, |_| Detail::COARSEST, cancel) {
                Ok(_) if !cancel.is_cancelled() => {}
                Err(PipelineError::Failed(failure)) => failures.push(failure),
                _ if failures.is_empty() => return Err(PipelineError::Cancelled),
                _ => break,
            }
        }
        Ok(failures)
    }

    fn decode(
        &mut self,
        index: usize,
        detail: impl FnOnce(Size) -> Detail,
        cancel: &CancellationToken,
    ) -> Result<Picture, PipelineError> {
        let photo = &mut self.photos[index];
        let bytes = photo.read(cancel)?;
        picture::decode(&bytes, self.limits, detail)
            .map_err(|error| PipelineError::Failed(photo.failure(FailureCode::NotAPicture, &error)))
    }
}
