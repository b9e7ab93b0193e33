//! A job's photos, for the renderer: decoded one at a time, in the order of the scenes.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Stop;
use super::assets::Arrival;
use crate::job::Failure;
use crate::picture::{self, Detail, Limits, Picture};
use crate::render::{Photos, Progress};
use crate::spec::Size;

pub struct Album<'a> {
    photos: Vec<Arrival>,
    limits: &'a Limits,
    progress: &'a dyn Progress,
    /// How many are known to be good.
    seen: usize,
}

impl<'a> Album<'a> {
    pub fn new(photos: Vec<Arrival>, limits: &'a Limits, progress: &'a dyn Progress) -> Self {
        Self {
            photos,
            limits,
            progress,
            seen: 0,
        }
    }

    /// Waits for the first photo, so that what comes next is not begun in vain.
    pub fn wait_for_first(&mut self) -> Result<(), Stop> {
        match self.photos.first_mut() {
            Some(first) => first.wait(&|| self.progress.stopped()),
            None => Ok(()),
        }
    }

    /// Looks at all photos that have not been seen, and tells what is wrong with them: what has been
    /// found by then, when it is stopped.
    pub fn look_through(&mut self, progress: &dyn Progress) -> Result<Vec<Failure>, Stop> {
        let mut complaints = Vec::new();
        for index in self.seen..self.photos.len() {
            match self.decode(index, &|_| Detail::COARSEST, &|| progress.stopped()) {
                Ok(_) if !progress.stopped() => {}
                Err(Stop::Failed(failure)) => complaints.push(failure),
                _ if complaints.is_empty() => return Err(Stop::Interrupted),
                _ => break,
            }
        }
        Ok(complaints)
    }

    fn decode(
        &mut self,
        index: usize,
        detail: &dyn Fn(Size) -> Detail,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Picture, Stop> {
        let photo = &mut self.photos[index];
        let bytes = photo.read(stopped)?;
        picture::decode(&bytes, self.limits, detail)
            .map_err(|error| Stop::Failed(photo.complaint("not-a-picture", &error)))
    }
}

impl Photos for &mut Album<'_> {
    type Error = Stop;

    fn photo(
        &mut self,
        scene: usize,
        detail: &dyn Fn(Size) -> Detail,
        given_up: &AtomicBool,
    ) -> Result<Picture, Stop> {
        let progress = self.progress;
        let stopped = || given_up.load(Ordering::Relaxed) || progress.stopped();
        let picture = self.decode(scene, detail, &stopped)?;
        self.photos[scene].drop_file();
        self.seen = scene + 1;
        Ok(picture)
    }
}
