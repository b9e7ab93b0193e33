//! Photos that were asked for lately, decoded: for previews, of which one follows another.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// By the address of the photo.
    entries: Arc<Mutex<HashMap<String, Entry>>>,
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

struct Entry {
    /// For another decoding.
    file: File,
    picture: Picture,
    subject: Option<Subject>,
    used: Instant,
}

impl Entry {
    /// Of the planes, and of the file on disk.
    fn bytes(&self) -> usize {
        let planes = self.picture.planes.iter();
        let file = self.file.metadata().map_or(0, |file| file.len());
        planes.map(|plane| plane.data.len()).sum::<usize>() + file as usize
    }
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
        let mut pending: Vec<Option<PendingAsset>> = wanted
            .iter()
            .map(|wanted| {
                let is_missing = !self.has(wanted.asset);
                is_missing.then(|| downloads.start(wanted.asset, PHOTO))
            })
            .collect();
        for pending in pending.iter_mut().flatten() {
            pending.wait(cancel)?;
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
        for (pending, wanted) in pending.into_iter().zip(wanted) {
            take(loading.photo(pending, wanted))?;
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

    fn has(&self, asset: &Asset) -> bool {
        let mut entries = self.entries();
        entries.retain(|_, entry| entry.used.elapsed() < LIFETIME);
        key(asset).is_some_and(|key| entries.contains_key(&key))
    }

    fn take(&self, asset: &Asset) -> Option<Entry> {
        self.entries().remove(&key(asset)?)
    }

    /// Keeps a photo, in the place of those that were not used for longer.
    fn put(&self, asset: &Asset, entry: Entry) {
        let Some(key) = key(asset) else {
            return;
        };
        let mut entries = self.entries();
        entries.insert(key, entry);
        while entries.len() > MOST || entries.values().map(Entry::bytes).sum::<usize>() > MAX_BYTES
        {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            entries.remove(&key);
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None`: of a local file, which may change.
fn key(asset: &Asset) -> Option<String> {
    match &asset.source {
        Source::Url(url) => Some(url.clone()),
        Source::Uploaded(name) => Some(format!("uploaded {name}")),
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

impl Loading<'_> {
    fn photo(
        &mut self,
        pending: Option<PendingAsset>,
        wanted: &Wanted,
    ) -> Result<Arc<Photo>, PipelineError> {
        let known = self.cache.take(wanted.asset);
        let is_fine = |entry: &Entry| {
            let detail = wanted.detail;
            detail.is_none_or(|detail| detail(entry.picture.size) == entry.picture.detail)
        };
        let mut entry = match (known, pending) {
            (Some(entry), _) if is_fine(&entry) => entry,
            (Some(entry), _) => self.decode(entry.file, wanted)?,
            (None, Some(mut pending)) => {
                let file = pending.file(self.cancel)?;
                self.decode(file, wanted)?
            }
            // Another preview had it in its hands, or has taken its place.
            (None, None) => return self.photo_again(wanted),
        };
        if wanted.needs_subject && entry.subject.is_none() {
            entry.subject = Some(self.finder.find(&entry.picture));
        }
        let subject = entry.subject.clone().filter(|_| wanted.needs_subject);
        let photo = Arc::new(Photo {
            picture: entry.picture.clone(),
            subject: subject.unwrap_or_default(),
        });
        entry.used = Instant::now();
        self.cache.put(wanted.asset, entry);
        Ok(photo)
    }

    fn photo_again(&mut self, wanted: &Wanted) -> Result<Arc<Photo>, PipelineError> {
        let room = Room::new(self.pipeline.net.max_download_bytes());
        let failed = CancellationToken::new();
        let mut downloads = AssetDownloads::new(self.pipeline, self.directory, room, failed);
        let pending = downloads.start(wanted.asset, PHOTO);
        self.photo(Some(pending), wanted)
    }

    fn decode(&self, file: File, wanted: &Wanted) -> Result<Entry, PipelineError> {
        let mut session = self.pipeline.sandbox.session();
        let detail = |photo| {
            wanted
                .detail
                .map_or(Detail::COARSEST, |detail| detail(photo))
        };
        let decoded = session.photo(&file, self.directory, detail, self.cancel);
        let picture = decoded
            .map_err(|error| not_decoded(&wanted.asset.label, FailureCode::NotAPicture, error))?;
        Ok(Entry {
            file,
            picture,
            subject: None,
            used: Instant::now(),
        })
    }
}
