//! The assets of a video: downloaded concurrently into files without a name, and read one at a time.
//!
//! On disk, because a hundred photos may be more than memory; without a name, so that nothing is
//! left behind after a crash.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::{debug, error};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use crate::errors::chain;
use crate::job::{Failure, FailureCode};
use crate::net::{FetchError, Net, Oversize};
use crate::spec::{Asset, Source};

/// Downloads of one video at the same time.
const MAX_CONCURRENT: usize = 8;

/// The downloads of one video; aborted when this is dropped.
pub struct AssetDownloads<'a> {
    runtime: &'a Handle,
    net: &'a Net,
    directory: &'a Path,
    permits: Arc<Semaphore>,
    tasks: JoinSet<()>,
    /// Cancelled once a download has failed.
    failed: CancellationToken,
}

/// An asset that may still be arriving.
pub struct PendingAsset {
    label: String,
    runtime: Handle,
    state: State,
}

enum State {
    Downloading(oneshot::Receiver<Result<File, FetchError>>),
    Downloaded(File),
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
}

impl<'a> AssetDownloads<'a> {
    /// Cancels `failed` when a download fails.
    pub fn new(
        runtime: &'a Handle,
        net: &'a Net,
        directory: &'a Path,
        failed: CancellationToken,
    ) -> Self {
        Self {
            runtime,
            net,
            directory,
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT)),
            tasks: JoinSet::new(),
            failed,
        }
    }

    /// Starts a download, after those that were started before.
    pub fn start(&mut self, asset: &Asset, kind: AssetKind) -> PendingAsset {
        let state = match &asset.source {
            Source::File(path) => State::Local(path.clone()),
            Source::Url(url) => State::Downloading(self.download(url.clone(), kind)),
        };
        PendingAsset {
            label: asset.label.clone(),
            runtime: self.runtime.clone(),
            state,
        }
    }

    fn download(
        &mut self,
        url: String,
        kind: AssetKind,
    ) -> oneshot::Receiver<Result<File, FetchError>> {
        let (sender, receiver) = oneshot::channel();
        let (net, permits) = (self.net.clone(), self.permits.clone());
        let (directory, failed) = (self.directory.to_owned(), self.failed.clone());
        let download = async move {
            let _permit = permits.acquire_owned().await;
            let fetched = match unnamed_file(directory).await {
                Ok(file) => net.fetch(&url, kind.accept, kind.oversize, file).await,
                Err(error) => Err(FetchError::NotWritten(error)),
            };
            let succeeded = fetched.is_ok();
            if let Err(error) = &fetched {
                log_failure(&url, error);
            }
            // Err: nobody waits for it any more.
            let _ = sender.send(fetched);
            if !succeeded {
                failed.cancel();
            }
        };
        self.tasks.spawn_on(download, self.runtime);
        receiver
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
            Some(Ok(Ok(file))) => State::Downloaded(file),
            Some(Ok(Err(error))) => State::Failed(self.failure(code(&error), &error)),
            Some(Err(_)) | None => return Err(PipelineError::Cancelled),
        };
        Ok(())
    }

    /// Waits for the asset and reads all of it. Can be repeated.
    pub fn read(&mut self, cancel: &CancellationToken) -> Result<Vec<u8>, PipelineError> {
        self.wait(cancel)?;
        let read = match &mut self.state {
            State::Local(path) => std::fs::read(path),
            State::Downloaded(file) => read_whole(file),
            State::Failed(failure) => return Err(PipelineError::Failed(failure.clone())),
            State::Downloading(_) | State::Released => return Err(PipelineError::Cancelled),
        };
        read.map_err(|error| {
            let predicate = format!("cannot be read: {error}");
            PipelineError::Failed(self.failure(FailureCode::FileUnreadable, &predicate))
        })
    }

    /// Closes its file, after its use.
    pub fn release(&mut self) {
        self.state = State::Released;
    }

    /// A failure with a sentence about the asset, of which this is the predicate.
    pub fn failure(&self, code: FailureCode, predicate: &impl Display) -> Failure {
        Failure::new(code, format!("{} {predicate}", self.label))
    }
}

async fn unnamed_file(directory: PathBuf) -> io::Result<File> {
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory));
    made.await.map_err(io::Error::other)?
}

/// Errors of our own disk are for the operator, all others for the client.
fn log_failure(url: &str, error: &FetchError) {
    match error {
        FetchError::NotWritten(_) => error!("a download could not be written: {}", chain(error)),
        _ => debug!("{url:?} could not be fetched: {}", chain(error)),
    }
}

fn read_whole(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.seek(io::SeekFrom::End(0))?;
    file.rewind()?;
    let mut bytes = Vec::with_capacity(length as usize);
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn code(error: &FetchError) -> FailureCode {
    match error {
        FetchError::Url(_) => FailureCode::UrlNotAllowed,
        FetchError::Status(_) | FetchError::BadRedirect | FetchError::TooManyRedirects => {
            FailureCode::BadAnswer
        }
        FetchError::TooLarge { .. } => FailureCode::TooLarge,
        FetchError::TimedOut(_) => FailureCode::TimedOut,
        FetchError::Unreachable(_) | FetchError::BrokeOff(_) => FailureCode::Unreachable,
        FetchError::NotWritten(error) if error.kind() == io::ErrorKind::StorageFull => {
            FailureCode::DiskFull
        }
        FetchError::NotWritten(_) => FailureCode::StorageFailed,
    }
}
