//! Orders that are looked at, and not made: what their photos are, and what their videos will show.

use tokio_util::sync::CancellationToken;

use super::preview::{Materials, Previewer, without};
use super::{PipelineError, beats};
use crate::job::Failure;
use crate::render::{Composition, SceneFacts};
use crate::sound::Beats;
use crate::spec::{Size, VideoSpec};
use crate::subject::Subject;

/// What was found out about an order without making its videos.
pub struct Inspection {
    /// One for each.
    pub photos: Vec<InspectedPhoto>,
    /// For each video, what it shows of the photos that are good.
    pub videos: Vec<Vec<SceneFacts>>,
    pub warnings: Vec<String>,
    /// What is wrong beside the photos.
    pub problems: Vec<Failure>,
}

/// What is known of a photo, or why nothing can be made of it.
pub type InspectedPhoto = Result<PhotoFacts, Failure>;

/// What is known of a photo.
pub struct PhotoFacts {
    /// Upright, in pixels.
    pub size: Size,
    pub subject: Subject,
}

impl Previewer {
    /// Looks at everything that an order names. Blocks.
    pub fn inspect(
        &self,
        specs: &[VideoSpec],
        cancel: &CancellationToken,
    ) -> Result<Inspection, PipelineError> {
        let skipped = self.bad_photos(specs, cancel)?;
        let mut left: Vec<usize> = (0..specs[0].scenes.len()).collect();
        left.retain(|index| skipped.iter().all(|photo| photo.index != *index));
        let specs = &without(specs, &skipped);
        let Materials {
            logo,
            beats,
            problems,
        } = self.materials(specs, true, cancel)?;
        let mut inspection = Inspection {
            photos: Vec::new(),
            videos: vec![Vec::new(); specs.len()],
            warnings: Vec::new(),
            problems,
        };
        let mut photos = Vec::with_capacity(left.len());
        if !left.is_empty() {
            let (logo, beats) = (logo.as_deref(), beats.as_deref());
            let compositions = self.pipeline.compositions(specs, logo, beats);
            photos = self.inspect_photos(&compositions, &left, &mut inspection.videos, cancel)?;
            inspection.warnings = self.warnings(&compositions, beats);
        }
        for photo in skipped {
            photos.push((photo.index, Err(photo.failure)));
        }
        photos.sort_by_key(|(index, _)| *index);
        inspection.photos = photos.into_iter().map(|(_, photo)| photo).collect();
        Ok(inspection)
    }

    /// Looks at the photo of each scene, whose numbers in the order are `indices`, and adds to each video what it shows.
    fn inspect_photos(
        &self,
        compositions: &[Composition],
        indices: &[usize],
        videos: &mut [Vec<SceneFacts>],
        cancel: &CancellationToken,
    ) -> Result<Vec<(usize, InspectedPhoto)>, PipelineError> {
        let scenes: Vec<usize> = (0..indices.len()).collect();
        let mut photos = Vec::with_capacity(indices.len());
        self.load(compositions, &scenes, true, cancel, |photo| {
            let scene = photos.len();
            let index = indices[scene];
            let photo = match photo {
                Ok(photo) => photo,
                Err(PipelineError::Failed(failure)) => {
                    photos.push((index, Err(failure)));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            for (composition, scenes) in compositions.iter().zip(&mut *videos) {
                if composition.shows(scene) {
                    scenes.push(SceneFacts {
                        scene: index,
                        ..composition.facts(scene, &photo)
                    });
                }
            }
            let facts = PhotoFacts {
                size: photo.picture.size,
                subject: photo.subject.clone(),
            };
            photos.push((index, Ok(facts)));
            Ok(())
        })?;
        Ok(photos)
    }

    /// What the videos will lack.
    fn warnings(&self, compositions: &[Composition], beats: Option<&Beats>) -> Vec<String> {
        let warnings = compositions.iter().flat_map(|composition| {
            let fonts = self.pipeline.warning(composition.spec);
            fonts.into_iter().chain(beats::warning(composition, beats))
        });
        let mut warnings: Vec<String> = warnings.collect();
        warnings.dedup();
        warnings
    }
}
