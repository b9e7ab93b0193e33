//! Single frames of videos that are not made yet, exactly as they will be.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use log::error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::assets::{Assets, LARGEST_LOGO};
use super::downloads::not_decoded;
use super::look_ahead::LookAhead;
use super::photo_cache::{PhotoCache, Wanted};
use super::recent_cache::RecentCache;
use super::temporary_file::TemporaryFile;
use super::{Pipeline, PipelineError, VideoOrder, beats, photos};
use crate::job::{Failure, FailureCode, JobId, SkippedPhoto};
use crate::picture::{self, Detail, Logo};
use crate::render::{self, Composition, Photo};
use crate::sound::Beats;
use crate::spec::{Asset, BadPhotos, Size, VideoSpec};

/// Frames of a contact sheet.
const SHEET_FRAMES: u32 = 12;

/// Places for photos that previews wait for, decode and keep on disk at the same time.
const PLACES: u32 = 200;

/// Of one preview at most, so that a few with many photos leave room for others.
const PLACES_OF_ONE: u32 = 25;

/// Uploaded photos that are looked at, or wait for it, at the same time.
const UPLOADS: usize = 32;

/// For a place among those that draw previews.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between looks for photos that were not used for long.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How long the materials of an order are kept.
const MATERIALS_LIFETIME: Duration = Duration::from_secs(600);

/// The same of what is known of bad photos, whose server may be mended.
const BAD_PHOTOS_LIFETIME: Duration = Duration::from_secs(30);

/// Draws previews; cheap to clone.
#[derive(Clone)]
pub struct Previewer {
    pub pipeline: Pipeline,
    /// For files on the way.
    work_dir: PathBuf,
    pub(super) photos: PhotoCache,
    pub(super) ahead: LookAhead,
    materials: RecentCache<Materials>,
    bad_photos: RecentCache<Vec<SkippedPhoto>>,
    places: Arc<Semaphore>,
    places_for_uploads: Arc<Semaphore>,
}

/// Places among those that draw previews; given back when this is dropped.
pub struct Places(#[expect(dead_code, reason = "is held")] OwnedSemaphorePermit);

impl Previewer {
    pub fn new(pipeline: Pipeline, work_dir: PathBuf) -> Self {
        Self {
            pipeline,
            work_dir,
            photos: PhotoCache::default(),
            ahead: LookAhead::default(),
            materials: RecentCache::new(MATERIALS_LIFETIME),
            bad_photos: RecentCache::new(BAD_PHOTOS_LIFETIME),
            places: Arc::new(Semaphore::new(PLACES as usize)),
            places_for_uploads: Arc::new(Semaphore::new(UPLOADS)),
        }
    }

    /// Waits for places for so many photos. Whoever draws holds them: else those that wait for slow servers could take
    /// all threads and the whole disk. `None`: there were none for a while.
    pub async fn places(&self, photos: usize) -> Option<Places> {
        let photos = u32::try_from(photos).unwrap_or(PLACES_OF_ONE);
        take_places(&self.places, photos.clamp(1, PLACES_OF_ONE)).await
    }

    /// The same for a photo that was uploaded, which waits for no server.
    pub async fn place_for_upload(&self) -> Option<Places> {
        take_places(&self.places_for_uploads, 1).await
    }

    /// Gives up photos that were not used for long, now and then. Ends only with the task.
    pub async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP_INTERVAL).await;
            self.photos.sweep();
        }
    }

    /// The size of a photo that was uploaded, upright; of a drawing, as a logo. Blocks.
    pub fn photo_size(
        &self,
        file: &Path,
        is_drawing: bool,
        cancel: &CancellationToken,
    ) -> Result<Size, PipelineError> {
        let file = &File::open(file).map_err(|error| not_drawn(&error))?;
        let Self {
            pipeline, work_dir, ..
        } = self;
        let _slot = self.photos.slot(pipeline, cancel)?;
        let mut session = pipeline.sandbox.session();
        let size = match is_drawing {
            true => session
                .logo(file, work_dir, LARGEST_LOGO, cancel)
                .map(|logo| logo.size()),
            false => session
                .photo(file, work_dir, |_| Detail::COARSEST, cancel)
                .map(|photo| photo.size),
        };
        size.map_err(|error| not_decoded("the photo", FailureCode::NotAPicture, error))
    }

    /// The frame that video `index` of an order shows at a moment, in seconds, as a JPEG file. Blocks.
    pub fn frame(
        &self,
        specs: &[VideoSpec],
        index: usize,
        seconds: Option<f64>,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, PipelineError> {
        self.ahead.stop();
        let output = &specs[index].output;
        let last = output.frames() - 1;
        let frame = match seconds {
            // The one that is seen then. A decimal fraction may be just below its frame's time.
            Some(seconds) => (seconds * f64::from(output.frame_rate) + 1e-6) as u32,
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
        let skipped = self.bad_photos(specs, cancel)?;
        if let (Some(first), true) = (skipped.first(), skipped.len() == specs[0].scenes.len()) {
            return Err(PipelineError::Failed(first.failure.clone()));
        }
        let specs = &without(specs, &skipped);
        let Materials { logo, beats, .. } = self.materials(specs, false, cancel)?;
        let compositions = self
            .pipeline
            .compositions(specs, logo.as_deref(), beats.as_deref());
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
        self.load(&compositions, &scenes, false, cancel, |photo| {
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

    /// The photos that will be left out of the videos.
    pub fn bad_photos(
        &self,
        specs: &[VideoSpec],
        cancel: &CancellationToken,
    ) -> Result<Vec<SkippedPhoto>, PipelineError> {
        let spec = &specs[0];
        if spec.bad_photos == BadPhotos::Fail {
            return Ok(Vec::new());
        }
        let assets: Vec<&Asset> = spec.scenes.iter().map(|scene| &scene.photo).collect();
        let key = serde_json::to_string(&assets).unwrap_or_default();
        if let Some(bad) = self.bad_photos.get(&key) {
            return Ok(bad);
        }
        let wanted = assets.into_iter().map(|asset| Wanted {
            asset,
            detail: None,
            needs_subject: false,
        });
        let wanted: Vec<Wanted> = wanted.collect();
        let mut bad = Vec::new();
        let mut index = 0;
        let take = |photo| {
            match photo {
                Ok(_) => {}
                Err(PipelineError::Failed(failure)) if photos::is_of_photo(failure.code) => {
                    bad.push(SkippedPhoto { index, failure });
                }
                Err(error) => return Err(error),
            }
            index += 1;
            Ok(())
        };
        self.photos
            .load(&self.pipeline, &self.work_dir, &wanted, cancel, take)?;
        self.bad_photos.put(key, bad.clone());
        Ok(bad)
    }

    /// Gives the photos of scenes to `take`, as finely as all videos together need them. `is_check`: with their subjects
    /// also where no video needs them.
    pub fn load(
        &self,
        compositions: &[Composition],
        scenes: &[usize],
        is_check: bool,
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
                detail: Some(&**detail),
                needs_subject: is_check || shows(scene).any(|it| it.needs_subject(scene)),
            })
            .collect();
        self.photos
            .load(&self.pipeline, &self.work_dir, &wanted, cancel, take)
    }

    /// What frames are made of beside photos. `is_check`: also what they do not need; and what is wrong is no error.
    pub fn materials(
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

async fn take_places(semaphore: &Arc<Semaphore>, count: u32) -> Option<Places> {
    let places = semaphore.clone().acquire_many_owned(count);
    // Err: never, as nobody closes it.
    let places = tokio::time::timeout(PATIENCE, places).await.ok()?.ok()?;
    Some(Places(places))
}

pub fn without<'a>(specs: &'a [VideoSpec], skipped: &[SkippedPhoto]) -> Cow<'a, [VideoSpec]> {
    let photos: Vec<usize> = skipped.iter().map(|photo| photo.index).collect();
    match photos.is_empty() {
        true => Cow::Borrowed(specs),
        false => specs.iter().map(|spec| spec.without(&photos)).collect(),
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
pub struct Materials {
    pub logo: Option<Arc<Logo>>,
    pub beats: Option<Arc<Beats>>,
    pub problems: Vec<Failure>,
}
