//! The photos of a video: decoded one at a time, in the order of the scenes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use super::downloads::PendingAsset;
use crate::job::{Failure, FailureCode};
use crate::picture::{Detail, Picture};
use crate::render::Composition;
use crate::sandbox::Session;
use crate::spec::Size;

/// For checking the photos after one that has failed. What was found by then is told.
const CHECK_TIME: Duration = Duration::from_secs(10);

pub struct PhotoSource {
    photos: Vec<PendingAsset>,
    session: Session,
    /// For files on the way.
    directory: PathBuf,
    /// How many have been decoded.
    decoded: usize,
}

impl PhotoSource {
    pub fn new(photos: Vec<PendingAsset>, session: Session, directory: &Path) -> Self {
        Self {
            photos,
            session,
            directory: directory.to_owned(),
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
        self.session.pause();
        Ok(())
    }

    /// Checks the photos that have not been decoded, and collects what is wrong with them. When it is
    /// cancelled: what was found by then. `is_known`: something else is wrong, and they have only
    /// [`CHECK_TIME`].
    pub fn failures(
        &mut self,
        is_known: bool,
        cancel: &CancellationToken,
    ) -> Result<Vec<Failure>, PipelineError> {
        let mut failures = Vec::new();
        let began = Instant::now();
        for index in self.decoded..self.photos.len() {
            if (is_known || !failures.is_empty()) && began.elapsed() > CHECK_TIME {
                break;
            }
            let checked = self.decode(index, |_| Detail::COARSEST, cancel);
            self.photos[index].release();
            match checked {
                Ok(_) if !cancel.is_cancelled() => {}
                Err(PipelineError::Failed(failure)) => failures.push(failure),
                _ if failures.is_empty() && !is_known => return Err(PipelineError::Cancelled),
                _ => break,
            }
        }
        Ok(failures)
    }

    fn decode(
        &mut self,
        index: usize,
        detail: impl Fn(Size) -> Detail,
        cancel: &CancellationToken,
    ) -> Result<Picture, PipelineError> {
        let photo = &mut self.photos[index];
        let file = photo.file(cancel)?;
        let decoded = self.session.photo(&file, &self.directory, detail, cancel);
        decoded.map_err(|error| photo.not_decoded(FailureCode::NotAPicture, error))
    }
}
