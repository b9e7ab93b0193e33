//! Single frames of videos that are not made yet, exactly as they will be.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use log::error;
use tokio_util::sync::CancellationToken;

use super::assets::Assets;
use super::lately::Lately;
use super::photo_cache::{PhotoCache, Wanted};
use super::publisher::TemporaryFile;
use super::{Pipeline, PipelineError, VideoOrder, beats};
use crate::job::{Failure, JobId};
use crate::picture::{self, Detail, Logo};
use crate::render::{self, Composition, Photo, SceneFacts};
use crate::sound::Beats;
use crate::spec::{Asset, Size, VideoSpec};
use crate::subject::Subject;

/// Frames of a contact sheet.
const SHEET_FRAMES: u32 = 12;

/// Draws previews; cheap to clone.
#[derive(Clone)]
pub struct Previewer {
    pipeline: Pipeline,
    /// For files on the way.
    work_dir: PathBuf,
    photos: PhotoCache,
    materials: Lately<Materials>,
}

/// What was found out about an order without making its videos.
pub struct Inspection {
    /// One for each.
    pub photos: Vec<Result<PhotoFacts, Failure>>,
    /// For each video, what it shows of the photos that are good.
    pub videos: Vec<Vec<SceneFacts>>,
    pub warnings: Vec<String>,
    /// What is wrong beside the photos.
    pub problems: Vec<Failure>,
}

/// What is known of a photo.
pub struct PhotoFacts {
    /// Upright, in pixels.
    pub size: Size,
    pub subject: Subject,
}

impl Previewer {
    pub fn new(pipeline: Pipeline, work_dir: PathBuf) -> Self {
        Self {
            pipeline,
            work_dir,
            photos: PhotoCache::default(),
            materials: Lately::default(),
        }
    }

    /// The frame that video `index` of an order shows at a moment, in seconds, as a JPEG file. Blocks.
    pub fn frame(
        &self,
        specs: &[VideoSpec],
        index: usize,
        seconds: Option<f64>,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, PipelineError> {
        let output = &specs[index].output;
        let last = output.frames() - 1;
        let frame = match seconds {
            Some(seconds) => (seconds * f64::from(output.frame_rate)).round() as u32,
            None => output.thumbnail().unwrap_or_default(),
        };
        let (frames, size) = self.draw(specs, index, &[frame.min(last)], cancel)?;
        let frame = frames.first().ok_or_else(super::stopped_failure)?;
        picture::thumbnail(frame, size).map_err(|error| not_drawn(&error))
    }

    /// Frames of video `index`, evenly over its time, in one JPEG file. Blocks.
    pub fn contact_sheet(
        &self,
        specs: &[VideoSpec],
        index: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, PipelineError> {
        let all = specs[index].output.frames();
        let frames: Vec<u32> = (0..SHEET_FRAMES)
            .map(|i| (2 * i + 1) * all / (2 * SHEET_FRAMES))
            .collect();
        let (frames, size) = self.draw(specs, index, &frames, cancel)?;
        picture::contact_sheet(&frames, size).map_err(|error| not_drawn(&error))
    }

    fn draw(
        &self,
        specs: &[VideoSpec],
        index: usize,
        frames: &[u32],
        cancel: &CancellationToken,
    ) -> Result<(Vec<Vec<u8>>, Size), PipelineError> {
        let Materials { logo, beats, .. } = self.materials(specs, false, cancel)?;
        let compositions = self.compositions(specs, logo.as_deref(), beats.as_deref());
        let composition = &compositions[index];
        let mut scenes: Vec<usize> = frames
            .iter()
            .flat_map(|k| composition.scenes_at(*k))
            .collect();
        scenes.sort_unstable();
        scenes.dedup();
        let mut size = None;
        let mut drawn = Vec::with_capacity(frames.len());
        // The photos of the next frame. Of many, only these are in memory.
        let mut shown: Vec<(usize, Arc<Photo>)> = Vec::new();
        let mut coming = scenes.iter();
        self.load(&compositions, &scenes, cancel, |photo| {
            let photo = photo?;
            let size = *size.get_or_insert_with(|| composition.frame(photo.picture.size));
            shown.extend(coming.next().map(|scene| (*scene, photo)));
            while let Some(&k) = frames.get(drawn.len())
                && let Some(frame) = render::frame(composition, size, k, &shown)
            {
                drawn.push(frame);
                let first = composition.scenes_at(k).min().unwrap_or_default();
                shown.retain(|(scene, _)| *scene >= first);
            }
            Ok(())
        })?;
        match (size, drawn.len() == frames.len()) {
            (Some(size), true) => Ok((drawn, size)),
            _ => Err(super::stopped_failure()),
        }
    }

    /// Looks at everything that an order names. Blocks.
    pub fn inspect(
        &self,
        specs: &[VideoSpec],
        cancel: &CancellationToken,
    ) -> Result<Inspection, PipelineError> {
        let Materials {
            logo,
            beats,
            problems,
        } = self.materials(specs, true, cancel)?;
        let compositions = self.compositions(specs, logo.as_deref(), beats.as_deref());
        let scenes: Vec<usize> = (0..specs[0].scenes.len()).collect();
        let mut photos = Vec::with_capacity(scenes.len());
        let mut videos = vec![Vec::new(); specs.len()];
        self.load(&compositions, &scenes, cancel, |photo| {
            let photo = match photo {
                Ok(photo) => photo,
                Err(PipelineError::Failed(failure)) => {
                    photos.push(Err(failure));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            for (composition, scenes) in compositions.iter().zip(&mut videos) {
                if composition.shows(photos.len()) {
                    scenes.push(composition.facts(photos.len(), &photo));
                }
            }
            photos.push(Ok(PhotoFacts {
                size: photo.picture.size,
                subject: photo.subject.clone(),
            }));
            Ok(())
        })?;
        let mut warnings: Vec<String> = compositions
            .iter()
            .flat_map(|composition| {
                let fonts = self.pipeline.warning(composition.spec);
                fonts
                    .into_iter()
                    .chain(beats::warning(composition, beats.as_deref()))
            })
            .collect();
        warnings.dedup();
        Ok(Inspection {
            videos,
            photos,
            warnings,
            problems,
        })
    }

    fn compositions<'a>(
        &'a self,
        specs: &'a [VideoSpec],
        logo: Option<&'a Logo>,
        beats: Option<&Beats>,
    ) -> Vec<Composition<'a>> {
        let times = beats.map_or(&[][..], |beats| &beats.times);
        let composition = |spec| Composition::new(spec, logo, &self.pipeline.fonts, times);
        specs.iter().map(composition).collect()
    }

    /// Gives the photos of scenes to `take`, as finely as all videos together need them.
    fn load(
        &self,
        compositions: &[Composition],
        scenes: &[usize],
        cancel: &CancellationToken,
        take: impl FnMut(Result<Arc<Photo>, PipelineError>) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let shows = |scene: usize| compositions.iter().filter(move |it| it.shows(scene));
        let details: Vec<Box<dyn Fn(Size) -> Detail + '_>> = scenes
            .iter()
            .map(|&scene| -> Box<dyn Fn(Size) -> Detail + '_> {
                Box::new(move |photo| {
                    let details = shows(scene).map(|it| it.detail(scene, photo, it.frame(photo)));
                    details.fold(Detail::COARSEST, Detail::finer)
                })
            })
            .collect();
        let wanted: Vec<Wanted> = scenes
            .iter()
            .zip(&details)
            .map(|(&scene, detail)| Wanted {
                asset: &compositions[0].spec.scenes[scene].photo,
                detail: &**detail,
                needs_subject: shows(scene).any(|it| it.needs_subject(scene)),
            })
            .collect();
        self.photos
            .load(&self.pipeline, &self.work_dir, &wanted, cancel, take)
    }

    /// What frames are made of beside photos. `is_check`: also what they do not need; and what is wrong is no error.
    fn materials(
        &self,
        specs: &[VideoSpec],
        is_check: bool,
        cancel: &CancellationToken,
    ) -> Result<Materials, PipelineError> {
        let wants_beats = specs.iter().any(|spec| spec.cut_on_beat);
        let mut bare = specs.to_vec();
        for spec in &mut bare {
            spec.scenes.clear();
            let wants_sound = wants_beats || is_check;
            spec.soundtrack = spec.soundtrack.take().filter(|_| wants_sound);
        }
        let key = serde_json::to_string(&(
            wants_beats,
            &bare[0].soundtrack,
            bare[0].output.length,
            logo(&bare),
        ));
        let key = key.unwrap_or_default();
        if let Some(materials) = self.materials.get(&key) {
            return Ok(materials);
        }
        let materials = self.fetch_materials(&bare, wants_beats, is_check, cancel)?;
        if materials.problems.is_empty() {
            self.materials.put(key, materials.clone());
        }
        Ok(materials)
    }

    fn fetch_materials(
        &self,
        specs: &[VideoSpec],
        wants_beats: bool,
        is_check: bool,
        cancel: &CancellationToken,
    ) -> Result<Materials, PipelineError> {
        let file = TemporaryFile::new(self.work_dir.join(format!("{}.mp4", JobId::random())));
        let order = |spec| VideoOrder {
            spec,
            file: file.path(),
        };
        let orders: Vec<VideoOrder> = specs.iter().map(order).collect();
        // Of a failure, nothing follows for the others.
        let failed = CancellationToken::new();
        let assets = Assets::fetch(&self.pipeline, &orders, false, &failed);
        let mut assets = assets.ok_or_else(super::stopped_failure)?;
        let mut problems = Vec::new();
        let wav = noted(assets.soundtrack(cancel), is_check, &mut problems)?;
        let logo = noted(assets.logo(cancel), is_check, &mut problems)?;
        let wav = wav.as_ref().filter(|_| wants_beats);
        Ok(Materials {
            logo: logo.map(Arc::new),
            beats: wav.and_then(|wav| beats::find(wav.path())).map(Arc::new),
            problems,
        })
    }
}

fn logo(specs: &[VideoSpec]) -> Option<&Asset> {
    specs.iter().find_map(|spec| spec.logo.as_ref())
}

/// Nothing, in place of a failure that is only to be told.
fn noted<T>(
    result: Result<Option<T>, PipelineError>,
    is_check: bool,
    problems: &mut Vec<Failure>,
) -> Result<Option<T>, PipelineError> {
    match result {
        Err(PipelineError::Failed(failure)) if is_check => {
            problems.push(failure);
            Ok(None)
        }
        result => result,
    }
}

fn not_drawn(error: &dyn Display) -> PipelineError {
    error!("a preview could not be made: {error}");
    PipelineError::Failed(Failure::internal())
}

#[derive(Clone)]
struct Materials {
    logo: Option<Arc<Logo>>,
    beats: Option<Arc<Beats>>,
    problems: Vec<Failure>,
}
