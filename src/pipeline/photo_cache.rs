//! Photos that were asked for lately, decoded: for previews, of which one follows another.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

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

/// By the address of the photo, with the moment of its last use.
type Entries = HashMap<String, (Instant, Arc<Entry>)>;

struct Entry {
    /// For another decoding, one at a time.
    file: Arc<Mutex<File>>,
    picture: Picture,
    /// Found when it is first needed.
    subject: OnceLock<Subject>,
    /// Of the planes, and of the file on disk.
    bytes: usize,
}

/// Where a photo comes from that is to be loaded.
enum Origin {
    Kept(Arc<Entry>),
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
                    Some(entry) => Origin::Kept(entry),
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
                Origin::Kept(entry) => loading.refined(entry, wanted),
                Origin::Arriving(pending) => loading.arrived(pending, wanted),
                Origin::Repeated(earlier) => match held.get(&earlier) {
                    Some(Ok(entry)) => loading.refined(entry.clone(), wanted),
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

    fn get(&self, asset: &Asset) -> Option<Arc<Entry>> {
        let mut entries = self.entries();
        entries.retain(|_, (used, _)| used.elapsed() < LIFETIME);
        let (used, entry) = entries.get_mut(&key(asset)?)?;
        *used = Instant::now();
        Some(entry.clone())
    }

    /// Keeps a photo, in the place of those that were not used for longer.
    fn put(&self, asset: &Asset, entry: Arc<Entry>) {
        let Some(key) = key(asset) else {
            return;
        };
        let mut entries = self.entries();
        entries.insert(key, (Instant::now(), entry));
        let bytes = |(_, entry): &(Instant, Arc<Entry>)| entry.bytes;
        while entries.len() > MOST || entries.values().map(bytes).sum::<usize>() > MAX_BYTES {
            let oldest = entries.iter().min_by_key(|(_, (used, _))| *used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            entries.remove(&key);
        }
    }

    /// Gives up what was not used for long.
    pub fn sweep(&self) {
        self.entries()
            .retain(|_, (used, _)| used.elapsed() < LIFETIME);
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// A photo that is here, decoded again unless it is as fine as it has to be.
    fn refined(&self, entry: Arc<Entry>, wanted: &Wanted) -> Result<Arc<Entry>, PipelineError> {
        let needed = wanted.detail.map(|detail| detail(entry.picture.size));
        match needed.is_none_or(|detail| detail == entry.picture.detail) {
            true => Ok(entry),
            false => self.decode(entry.file.clone(), wanted),
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
        let planes = picture.planes.iter().map(|plane| plane.data.len());
        let entry = Arc::new(Entry {
            bytes: planes.sum::<usize>() + length as usize,
            file,
            picture,
            subject: OnceLock::new(),
        });
        self.cache.put(wanted.asset, entry.clone());
        Ok(entry)
    }
}
