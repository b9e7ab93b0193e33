//! The assets of a video: downloaded concurrently into files without a name, and read one at a time.
//!
//! On disk, because a hundred photos may be more than memory; without a name, so that nothing is
//! left behind after a crash. Those of one video share a room: the next waits until earlier ones were
//! decoded.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use log::{debug, error};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::room::{Room, RoomyFile, Share};
use super::uploads::{self, UploadError};
use super::{Pipeline, PipelineError};
use crate::errors::{chain, is_shortage, shortage};
use crate::job::{Failure, FailureCode};
use crate::metrics::{metrics, result_label};
use crate::net::{FetchError, Net, Oversize};
use crate::sandbox::SandboxError;
use crate::spec::{Asset, Source, Upload};
use crate::storage::Storages;

/// Downloads of one video at the same time.
const MAX_CONCURRENT: usize = 8;

/// The downloads of one video, in the order in which they were asked for; aborted when this is dropped.
pub struct AssetDownloads<'a> {
    runtime: &'a Handle,
    queue: UnboundedSender<Download>,
    _dispatcher: JoinSet<()>,
}

/// What is to be downloaded, and who waits for it.
struct Download {
    place: Place,
    kind: AssetKind,
    done: oneshot::Sender<Fetched>,
}

/// Where it comes from.
enum Place {
    Url(String),
    Uploaded(Upload),
}

/// A file and its hash.
type Fetched = Result<(RoomyFile, Hash), DownloadError>;

#[derive(Debug, thiserror::Error)]
enum DownloadError {
    #[error(transparent)]
    Web(#[from] FetchError),
    #[error(transparent)]
    Upload(#[from] UploadError),
}

/// Downloads one file after the other, a few at the same time.
struct Downloader {
    net: Net,
    /// Of photos that were uploaded; `None`: there are none.
    storages: Option<Storages>,
    directory: PathBuf,
    room: Room,
    /// Cancelled once a download has failed that is needed.
    failed: CancellationToken,
}

/// An asset that may still be arriving.
pub struct PendingAsset {
    label: String,
    runtime: Handle,
    state: State,
    /// Of what was downloaded.
    hash: Option<Hash>,
}

/// At a time.
const HASHED_BYTES: usize = 256 << 10;

/// SHA-256.
pub type Hash = [u8; 32];

enum State {
    Downloading(oneshot::Receiver<Fetched>),
    Downloaded(RoomyFile),
    Failed(Failure),
    Local(PathBuf),
    /// Released after its use.
    Released,
}

/// What an asset is used as.
#[derive(Clone, Copy)]
pub struct AssetKind {
    /// The `Accept` header: media types in the order of preference.
    pub accept: &'static str,
    pub oversize: Oversize,
    /// Without it, all other downloads are in vain.
    pub is_needed: bool,
}

impl<'a> AssetDownloads<'a> {
    /// Cancels `failed` when a download fails that is needed.
    pub fn new(
        pipeline: &'a Pipeline,
        directory: &Path,
        room: Room,
        failed: CancellationToken,
    ) -> Self {
        let runtime = &pipeline.runtime;
        let downloader = Downloader {
            net: pipeline.net.clone(),
            storages: pipeline.storages.clone(),
            directory: directory.to_owned(),
            room,
            failed,
        };
        let (queue, downloads) = unbounded_channel();
        let mut dispatcher = JoinSet::new();
        dispatcher.spawn_on(Arc::new(downloader).run(downloads), runtime);
        Self {
            runtime,
            queue,
            _dispatcher: dispatcher,
        }
    }

    /// Asks for an asset. Downloads are started in the order of these calls.
    pub fn start(&mut self, asset: &Asset, kind: AssetKind) -> PendingAsset {
        let state = match &asset.source {
            Source::File(path) => State::Local(path.clone()),
            Source::Url(url) => self.download(Place::Url(url.clone()), kind),
            Source::Uploaded(place) => self.download(Place::Uploaded(place.clone()), kind),
        };
        PendingAsset {
            label: asset.label.clone(),
            runtime: self.runtime.clone(),
            state,
            hash: None,
        }
    }

    fn download(&self, place: Place, kind: AssetKind) -> State {
        let (done, receiver) = oneshot::channel();
        // Err: the runtime is shutting down, and whoever waits hears of it.
        let _ = self.queue.send(Download { place, kind, done });
        State::Downloading(receiver)
    }
}

impl Downloader {
    async fn run(self: Arc<Self>, mut downloads: UnboundedReceiver<Download>) {
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
        // Aborted when it is dropped.
        let mut running = JoinSet::new();
        while let Some(download) = downloads.recv().await {
            let permit = permits.clone().acquire_owned().await;
            let share = self.room.take(self.net.max_download_bytes()).await;
            let downloader = self.clone();
            running.spawn(async move {
                downloader.download(download, share).await;
                drop(permit);
            });
            while running.try_join_next().is_some() {}
        }
        while running.join_next().await.is_some() {}
    }

    async fn download(&self, download: Download, share: Share) {
        let Download { place, kind, done } = download;
        let began = Instant::now();
        let fetched = self.fetch(&place, kind, share).await;
        note_fetch(&fetched, began);
        let goes_on = fetched.is_ok() || !kind.is_needed;
        if let Err(error) = &fetched {
            log_failure(&place, error);
        }
        // Err: nobody waits for it any more.
        let _ = done.send(fetched);
        if !goes_on {
            self.failed.cancel();
        }
    }

    async fn fetch(&self, place: &Place, kind: AssetKind, share: Share) -> Fetched {
        let file = unnamed_file(self.directory.clone()).await;
        let file = file.map_err(FetchError::NotWritten)?;
        let file = match place {
            Place::Url(url) => {
                let fetched = self.net.fetch(url, kind.accept, kind.oversize, file);
                fetched.await?
            }
            Place::Uploaded(place) => {
                let limit = self.net.max_download_bytes();
                uploads::fetch(self.storages.as_ref(), place, limit, file).await?
            }
        };
        let hashed = tokio::task::spawn_blocking(move || hash(file)).await;
        let hashed = hashed.map_err(io::Error::other).flatten();
        let (file, hash) = hashed.map_err(FetchError::NotWritten)?;
        let file = share.keep(file).map_err(FetchError::NotWritten)?;
        Ok((file, hash))
    }
}

impl PendingAsset {
    /// Waits until the download has ended, well or badly.
    pub fn wait(&mut self, cancel: &CancellationToken) -> Result<(), PipelineError> {
        let State::Downloading(download) = &mut self.state else {
            return Ok(());
        };
        let ended = self.runtime.block_on(cancel.run_until_cancelled(download));
        self.state = match ended {
            Some(Ok(Ok((file, hash)))) => {
                self.hash = Some(hash);
                State::Downloaded(file)
            }
            Some(Ok(Err(error))) => State::Failed(failure(&self.label, code(&error), &error)),
            Some(Err(_)) | None => return Err(PipelineError::Cancelled),
        };
        Ok(())
    }

    /// Waits for the asset, and opens it. Can be repeated.
    pub fn file(&mut self, cancel: &CancellationToken) -> Result<File, PipelineError> {
        self.wait(cancel)?;
        let opened = match &self.state {
            State::Local(path) => open(path),
            State::Downloaded(download) => download.file.try_clone(),
            State::Failed(failure) => return Err(PipelineError::Failed(failure.clone())),
            State::Downloading(_) | State::Released => return Err(PipelineError::Cancelled),
        };
        opened.map_err(|error| match is_shortage(&error) {
            true => PipelineError::Temporary(failure(&self.label, FailureCode::Internal, &error)),
            false => unreadable(&self.label, &error),
        })
    }

    /// Of what was downloaded; `None`: it has not arrived, or is a local file.
    pub fn hash(&self) -> Option<Hash> {
        self.hash
    }

    /// Closes its file, after its use: there is room for another.
    pub fn release(&mut self) {
        self.state = State::Released;
    }

    /// What it means for the video that it was not decoded. `code`: if the file itself is to blame, which
    /// is not tried again.
    pub fn not_decoded(&mut self, code: FailureCode, error: SandboxError) -> PipelineError {
        let error = not_decoded(&self.label, code, error);
        if let PipelineError::Failed(failure) = &error
            && failure.code == code
        {
            self.state = State::Failed(failure.clone());
        }
        error
    }
}

/// What it means for a video that the asset of this label was not decoded. `code`: if the file itself is to blame.
pub fn not_decoded(label: &str, code: FailureCode, error: SandboxError) -> PipelineError {
    match error {
        SandboxError::Cancelled => PipelineError::Cancelled,
        SandboxError::Unreadable(error) => unreadable(label, &error),
        SandboxError::NotWritten(error) => not_written(&error),
        SandboxError::NotStarted => {
            error!("{error}");
            PipelineError::Failed(Failure::internal())
        }
        error => PipelineError::Failed(failure(label, code, &error)),
    }
}

fn unreadable(label: &str, error: &io::Error) -> PipelineError {
    let predicate = format!("cannot be read: {error}");
    PipelineError::Failed(failure(label, FailureCode::FileUnreadable, &predicate))
}

/// A failure with a sentence about an asset, of which this is the predicate.
fn failure(label: &str, code: FailureCode, predicate: &impl Display) -> Failure {
    Failure::new(code, format!("{label} {predicate}"))
}

/// Of the whole file. Its position is then its beginning, as it was.
pub fn hash(mut file: File) -> io::Result<(File, Hash)> {
    let mut hash = Sha256::new();
    file.rewind()?;
    let mut buffer = vec![0; HASHED_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    file.rewind()?;
    Ok((file, hash.finalize().into()))
}

async fn unnamed_file(directory: PathBuf) -> io::Result<File> {
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory));
    made.await.map_err(io::Error::other)?
}

/// Counts a download.
fn note_fetch(fetched: &Fetched, began: Instant) {
    let labels = [result_label(fetched)];
    let seconds = began.elapsed().as_secs_f64();
    metrics()
        .fetch_seconds
        .with_label_values(&labels)
        .observe(seconds);
    if let Ok((file, _)) = fetched {
        let bytes = file.file.metadata().map_or(0, |file| file.len());
        metrics().fetch_bytes.inc_by(bytes);
    }
}

/// Errors of our own disk are for the operator, all others for the client.
fn log_failure(place: &Place, error: &DownloadError) {
    match (place, error) {
        (_, DownloadError::Web(FetchError::NotWritten(_))) => {
            error!("a download could not be written: {}", chain(error));
        }
        (Place::Uploaded(place), DownloadError::Upload(error)) => error.log(&place.file),
        (Place::Url(url), error) => debug!("{url:?} could not be fetched: {}", chain(error)),
        (Place::Uploaded(place), error) => debug!("{}: {}", place.file, chain(error)),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if metadata.is_file() {
        return Ok(file);
    }
    // A pipe tells no length, and is read once.
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut file, &mut copy)?;
    Ok(copy)
}

/// The file of a decoded asset could not be written.
pub fn not_written(error: &io::Error) -> PipelineError {
    error!("a decoded file could not be written: {error}");
    PipelineError::Failed(match error.kind() {
        ErrorKind::StorageFull => Failure::new(FailureCode::DiskFull, "the disk is full"),
        _ => Failure::new(
            FailureCode::StorageFailed,
            "a decoded file could not be written",
        ),
    })
}

fn code(error: &DownloadError) -> FailureCode {
    // Neither the file nor its server is to blame.
    if let Some(shortage) = shortage(error) {
        return match shortage.kind() {
            ErrorKind::StorageFull => FailureCode::DiskFull,
            _ => FailureCode::Internal,
        };
    }
    let error = match error {
        DownloadError::Web(error) => error,
        DownloadError::Upload(error) => return error.code(),
    };
    match error {
        FetchError::Url(_) => FailureCode::UrlNotAllowed,
        FetchError::Status(_) | FetchError::BadRedirect | FetchError::TooManyRedirects => {
            FailureCode::BadAnswer
        }
        FetchError::TooLarge { .. } => FailureCode::TooLarge,
        FetchError::TimedOut(_) => FailureCode::TimedOut,
        FetchError::Unreachable(_) | FetchError::Name(_) | FetchError::BrokeOff(_) => {
            FailureCode::Unreachable
        }
        FetchError::NotWritten(_) => FailureCode::StorageFailed,
    }
}
