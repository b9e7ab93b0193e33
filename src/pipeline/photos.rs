//! The photos of videos: decoded one at a time, in the order of the scenes, for all videos that show them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use super::downloads::{Hash, PendingAsset};
use crate::job::{Failure, FailureCode, SkippedPhoto};
use crate::picture::{Detail, Picture};
use crate::render::{Composition, Photo};
use crate::sandbox::Session;
use crate::spec::Size;
use crate::subject::{Finder, Subject};

/// For checking the photos after one that has failed. What was found by then is told.
const CHECK_TIME: Duration = Duration::from_secs(10);

/// A video that is to be sent the photos that it shows.
pub struct PhotoConsumer<'a> {
    composition: &'a Composition<'a>,
    photos: Sender<Arc<Photo>>,
    /// Of its frames; known with the first photo.
    frame: Option<Size>,
}

impl<'a> PhotoConsumer<'a> {
    pub fn new(composition: &'a Composition<'a>, photos: Sender<Arc<Photo>>) -> Self {
        Self {
            composition,
            photos,
            frame: None,
        }
    }

    fn shows(&self, scene: usize) -> bool {
        self.composition.shows(scene)
    }

    fn needs_subject(&self, scene: usize) -> bool {
        self.shows(scene) && self.composition.needs_subject(scene)
    }

    /// How coarse a photo of this size may be decoded.
    fn detail(&self, scene: usize, photo: Size) -> Detail {
        if !self.shows(scene) {
            return Detail::COARSEST;
        }
        let frame = self.frame.unwrap_or_else(|| self.composition.frame(photo));
        self.composition.detail(scene, photo, frame)
    }

    /// `false`: the video wants no more.
    fn send(&mut self, scene: usize, photo: &Arc<Photo>) -> bool {
        if !self.shows(scene) {
            return true;
        }
        self.frame
            .get_or_insert_with(|| self.composition.frame(photo.picture.size));
        self.photos.send(photo.clone()).is_ok()
    }
}

pub struct PhotoSource {
    photos: Vec<PendingAsset>,
    session: Session,
    finder: Finder,
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
            finder: Finder::default(),
            directory: directory.to_owned(),
            decoded: 0,
        }
    }

    /// Waits for all photos.
    pub fn wait_for_all(&mut self, cancel: &CancellationToken) -> Result<(), PipelineError> {
        self.photos
            .iter_mut()
            .try_for_each(|photo| photo.wait(cancel))
    }

    /// What was downloaded, photo by photo.
    pub fn hashes(&self) -> impl Iterator<Item = Option<Hash>> {
        self.photos.iter().map(PendingAsset::hash)
    }

    /// Waits for the first photo, so that nothing is started in vain.
    pub fn wait_for_first(&mut self, cancel: &CancellationToken) -> Result<(), PipelineError> {
        match self.photos.first_mut() {
            Some(first) => first.wait(cancel),
            None => Ok(()),
        }
    }

    /// Decodes the photos of all scenes that are shown, once each and as finely as the finest frames need them, and
    /// sends them to the videos that show them, one after the other. Ends early when no video wants any more.
    pub fn send_all(
        &mut self,
        mut consumers: Vec<PhotoConsumer>,
        cancel: &CancellationToken,
    ) -> Result<(), PipelineError> {
        for scene in 0..self.photos.len() {
            let is_shown = consumers.iter().any(|consumer| consumer.shows(scene));
            if !is_shown {
                continue;
            }
            let detail = |photo| {
                let details = consumers
                    .iter()
                    .map(|consumer| consumer.detail(scene, photo));
                details.fold(Detail::COARSEST, Detail::finer)
            };
            let picture = self.decode(scene, detail, cancel)?;
            self.photos[scene].release();
            self.decoded = scene + 1;
            let subject = match consumers
                .iter()
                .any(|consumer| consumer.needs_subject(scene))
            {
                true => self.finder.find(&picture),
                false => Subject::default(),
            };
            let photo = Arc::new(Photo { picture, subject });
            consumers.retain_mut(|consumer| consumer.send(scene, &photo));
            if consumers.is_empty() {
                break;
            }
        }
        self.session.pause();
        Ok(())
    }

    /// Looks at all photos, and takes those out of which nothing can be made; unless that is all of them.
    pub fn skip_bad(
        &mut self,
        cancel: &CancellationToken,
    ) -> Result<Vec<SkippedPhoto>, PipelineError> {
        let mut skipped = Vec::new();
        for index in 0..self.photos.len() {
            match self.decode(index, |_| Detail::COARSEST, cancel) {
                Ok(_) if !cancel.is_cancelled() => {}
                Err(PipelineError::Failed(failure)) if is_of_photo(failure.code) => {
                    skipped.push(SkippedPhoto { index, failure });
                }
                Err(error) => return Err(error),
                Ok(_) => return Err(PipelineError::Cancelled),
            }
        }
        if let (Some(first), true) = (skipped.first(), skipped.len() == self.photos.len()) {
            return Err(PipelineError::Failed(first.failure.clone()));
        }
        for photo in skipped.iter().rev() {
            self.photos.remove(photo.index);
        }
        Ok(skipped)
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

/// Whether a photo itself, or its server, is to blame.
pub fn is_of_photo(code: FailureCode) -> bool {
    matches!(
        code,
        FailureCode::UrlNotAllowed
            | FailureCode::BadAnswer
            | FailureCode::TooLarge
            | FailureCode::TimedOut
            | FailureCode::Unreachable
            | FailureCode::NotAPicture
            | FailureCode::FileUnreadable
    )
}
