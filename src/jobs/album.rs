//! A job's photos, for the renderer: decoded one at a time, in the order of the scenes.

use super::assets::Arrival;
use super::pipeline::Stop;
use crate::job::Failure;
use crate::picture::{self, Detail, Limits, Picture};
use crate::render::{Photos, Progress};
use crate::video::Size;

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
            Some(first) => first.wait(self.progress),
            None => Ok(()),
        }
    }

    /// Looks at all photos that have not been seen, and tells what is wrong with them.
    pub fn look_through(&mut self, progress: &dyn Progress) -> Result<Vec<Failure>, Stop> {
        let mut complaints = Vec::new();
        for index in self.seen..self.photos.len() {
            match self.decode(index, &|_| Detail::COARSEST, progress) {
                Ok(_) => {}
                Err(Stop::Failed(failure)) => complaints.push(failure),
                Err(stop) => return Err(stop),
            }
        }
        Ok(complaints)
    }

    fn decode(
        &mut self,
        index: usize,
        detail: &dyn Fn(Size) -> Detail,
        progress: &dyn Progress,
    ) -> Result<Picture, Stop> {
        let photo = &mut self.photos[index];
        let bytes = photo.read(progress)?;
        picture::decode(&bytes, self.limits, detail)
            .map_err(|error| Stop::Failed(photo.complaint("not-a-picture", &error)))
    }
}

impl Photos for &mut Album<'_> {
    type Error = Stop;

    fn photo(&mut self, scene: usize, detail: &dyn Fn(Size) -> Detail) -> Result<Picture, Stop> {
        let picture = self.decode(scene, detail, self.progress)?;
        self.seen = scene + 1;
        Ok(picture)
    }
}
