//! Photos that were asked for lately, decoded: for previews, of which one follows another.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{slice, thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::assets::PHOTO;
use super::downloads::{AssetDownloads, PendingAsset, not_decoded};
use super::room::Room;
use super::{Pipeline, PipelineError};
use crate::job::FailureCode;
use crate::picture::{Detail, Picture};
use crate::render::Photo;
use crate::spec::{Asset, Size, Source};
use crate::subject::{Finder, Subject};

/// Each holds a file open.
const MOST: usize = 200;

/// Of one photo.
const MOST_DECODINGS: usize = 4;

/// Of all decoded photos and their files.
const MAX_BYTES: usize = 256 << 20;

/// After its last use.
const LIFETIME: Duration = Duration::from_secs(600);

/// What a photo is wanted for.
pub struct Wanted<'a> {
    pub asset: &'a Asset,
    /// How coarse a photo of a size may be decoded; `None`: it does not matter.
    pub detail: Option<&'a dyn Fn(Size) -> Detail>,
    pub needs_subject: bool,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct PhotoCache {
    entries: Arc<Mutex<Entries>>,
    /// For those that decode and draw.
    slots: Arc<Semaphore>,
}

impl Default for PhotoCache {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            entries: Arc::default(),
            slots: Arc::new(Semaphore::new(cores)),
        }
    }
}

/// By the address of the photo.
type Entries = HashMap<String, Kept>;

/// A photo, decoded as finely as each of several shapes of videos needs it. Never empty; the last is the newest.
struct Kept {
    used: Instant,
    decodings: Vec<Arc<Entry>>,
}

/// A photo, decoded once.
struct Entry {
    /// For another decoding, one at a time.
    file: Arc<Mutex<File>>,
    picture: Picture,
    file_bytes: usize,
    /// Found when it is first needed.
    subject: OnceLock<Subject>,
}

/// Where a photo comes from that is to be loaded.
enum Origin {
    Kept(Vec<Arc<Entry>>),
    Arriving(PendingAsset),
    /// The same as an earlier one, by its index.
    Repeated(usize),
}

impl PhotoCache {
    /// Fetches the photos that are not here, all at the same time, and gives all to `take` in their order, each before the
    /// next is decoded. Blocks.
    pub fn load(
        &self,
        pipeline: &Pipeline,
        directory: &Path,
        wanted: &[Wanted],
        cancel: &CancellationToken,
        mut take: impl FnMut(Result<Arc<Photo>, PipelineError>) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let room = Room::of_files(pipeline.net.max_download_bytes(), wanted.len());
        // Of a failure, nothing follows for the others.
        let failed = CancellationToken::new();
        let mut downloads = AssetDownloads::new(pipeline, directory, room, failed);
        let mut origins = Vec::with_capacity(wanted.len());
        for (index, one) in wanted.iter().enumerate() {
            let place = key(one.asset);
            let is_same = |earlier: &Wanted| place.is_some() && key(earlier.asset) == place;
            let origin = match wanted[..index].iter().position(is_same) {
                Some(earlier) => Origin::Repeated(earlier),
                None => match self.get(one.asset) {
                    Some(decodings) => Origin::Kept(decodings),
                    None => Origin::Arriving(downloads.start(one.asset, PHOTO)),
                },
            };
            origins.push(origin);
        }
        for origin in &mut origins {
            if let Origin::Arriving(pending) = origin {
                pending.wait(cancel)?;
            }
        }
        // Only now: who waits for a slow server must not be in the way of others.
        let _slot = self.slot(pipeline, cancel)?;
        let mut loading = Loading {
            cache: self,
            pipeline,
            directory,
            finder: Finder::default(),
            cancel,
        };
        // Those that come again. Of many, only these are held.
        let mut held: HashMap<usize, Result<Arc<Entry>, PipelineError>> = HashMap::new();
        let comes_again: HashSet<usize> = origins.iter().filter_map(Origin::repeats).collect();
        for (index, (origin, wanted)) in origins.into_iter().zip(wanted).enumerate() {
            let entry = match origin {
                Origin::Kept(decodings) => loading.refined(&decodings, wanted),
                Origin::Arriving(pending) => loading.arrived(pending, wanted),
                Origin::Repeated(earlier) => match held.get(&earlier) {
                    Some(Ok(entry)) => loading.refined(slice::from_ref(entry), wanted),
                    Some(Err(error)) => Err(error.clone()),
                    None => Err(super::stopped_failure()),
                },
            };
            if comes_again.contains(&index) {
                held.insert(index, entry.clone());
            }
            take(entry.map(|entry| loading.photo(&entry, wanted)))?;
        }
        Ok(())
    }

    /// A place among those that decode and draw. Blocks.
    pub fn slot(
        &self,
        pipeline: &Pipeline,
        cancel: &CancellationToken,
    ) -> Result<OwnedSemaphorePermit, PipelineError> {
        let slot = cancel.run_until_cancelled(self.slots.clone().acquire_owned());
        // Err: never, as nobody closes it.
        let slot = pipeline.runtime.block_on(slot).and_then(Result::ok);
        slot.ok_or(PipelineError::Cancelled)
    }

    fn get(&self, asset: &Asset) -> Option<Vec<Arc<Entry>>> {
        let mut entries = self.entries();
        entries.retain(|_, kept| kept.used.elapsed() < LIFETIME);
        let kept = entries.get_mut(&key(asset)?)?;
        kept.used = Instant::now();
        Some(kept.decodings.clone())
    }

    /// Keeps a decoding, in the place of photos that were not used for longer.
    fn put(&self, asset: &Asset, entry: Arc<Entry>) {
        let Some(key) = key(asset) else {
            return;
        };
        let mut entries = self.entries();
        let kept = entries.entry(key).or_insert_with(Kept::new);
        kept.add(entry);
        while entries.len() > MOST || bytes(&entries) > MAX_BYTES {
            let oldest = entries.iter().min_by_key(|(_, kept)| kept.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            entries.remove(&key);
        }
    }

    /// Whether more photos can be kept without giving up others.
    pub fn has_room(&self) -> bool {
        let entries = self.entries();
        entries.len() < MOST && bytes(&entries) < MAX_BYTES / 4 * 3
    }

    /// Gives up what was not used for long.
    pub fn sweep(&self) {
        self.entries()
            .retain(|_, kept| kept.used.elapsed() < LIFETIME);
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes(entries: &Entries) -> usize {
    entries.values().map(Kept::bytes).sum()
}

impl Kept {
    fn new() -> Self {
        Self {
            used: Instant::now(),
            decodings: Vec::new(),
        }
    }

    /// In the place of the oldest, if there are many.
    fn add(&mut self, entry: Arc<Entry>) {
        self.used = Instant::now();
        let detail = entry.picture.detail;
        self.decodings.retain(|old| old.picture.detail != detail);
        if self.decodings.len() == MOST_DECODINGS {
            self.decodings.remove(0);
        }
        self.decodings.push(entry);
    }

    /// Of the planes, and of the file on disk.
    fn bytes(&self) -> usize {
        let planes = self.decodings.iter().map(|entry| entry.plane_bytes());
        let file = self.decodings.last().map_or(0, |entry| entry.file_bytes);
        planes.sum::<usize>() + file
    }
}

impl Entry {
    fn plane_bytes(&self) -> usize {
        let planes = self.picture.planes.iter();
        planes.map(|plane| plane.data.len()).sum()
    }
}

/// `None`: of a local file, which may change.
fn key(asset: &Asset) -> Option<String> {
    match &asset.source {
        Source::Url(url) => Some(url.clone()),
        Source::Uploaded(place) => Some(format!("uploaded {}", place.file)),
        Source::File(_) => None,
    }
}

/// What is needed to load photos.
struct Loading<'a> {
    cache: &'a PhotoCache,
    pipeline: &'a Pipeline,
    directory: &'a Path,
    finder: Finder,
    cancel: &'a CancellationToken,
}

impl Origin {
    fn repeats(&self) -> Option<usize> {
        match self {
            Self::Repeated(earlier) => Some(*earlier),
            Self::Kept(_) | Self::Arriving(_) => None,
        }
    }
}

impl Loading<'_> {
    fn arrived(
        &self,
        mut pending: PendingAsset,
        wanted: &Wanted,
    ) -> Result<Arc<Entry>, PipelineError> {
        let file = pending.file(self.cancel)?;
        self.decode(Arc::new(Mutex::new(file)), wanted)
    }

    /// A photo that is here, decoded again unless it once was as finely as it has to be.
    fn refined(
        &self,
        decodings: &[Arc<Entry>],
        wanted: &Wanted,
    ) -> Result<Arc<Entry>, PipelineError> {
        let newest = decodings.last().ok_or_else(super::stopped_failure)?;
        let needed = wanted.detail.map(|detail| detail(newest.picture.size));
        let fits = |entry: &&Arc<Entry>| needed.is_none_or(|it| it == entry.picture.detail);
        match decodings.iter().rev().find(fits) {
            Some(entry) => Ok(entry.clone()),
            None => self.decode(newest.file.clone(), wanted),
        }
    }

    fn photo(&mut self, entry: &Entry, wanted: &Wanted) -> Arc<Photo> {
        let subject = match wanted.needs_subject {
            true => {
                let finder = &mut self.finder;
                let found = entry.subject.get_or_init(|| finder.find(&entry.picture));
                found.clone()
            }
            false => Subject::default(),
        };
        Arc::new(Photo {
            picture: entry.picture.clone(),
            subject,
        })
    }

    fn decode(&self, file: Arc<Mutex<File>>, wanted: &Wanted) -> Result<Arc<Entry>, PipelineError> {
        let detail = |photo| {
            let detail = wanted.detail;
            detail.map_or(Detail::COARSEST, |detail| detail(photo))
        };
        let mut session = self.pipeline.sandbox.session();
        let (picture, length) = {
            let file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let decoded = session.photo(&file, self.directory, detail, self.cancel);
            (decoded, file.metadata().map_or(0, |file| file.len()))
        };
        let picture = picture
            .map_err(|error| not_decoded(&wanted.asset.label, FailureCode::NotAPicture, error))?;
        let entry = Arc::new(Entry {
            file_bytes: length as usize,
            file,
            picture,
            subject: OnceLock::new(),
        });
        self.cache.put(wanted.asset, entry.clone());
        Ok(entry)
    }
}
