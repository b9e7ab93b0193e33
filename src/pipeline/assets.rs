//! A job's assets: fetched side by side into files without a name, and had one at a time.
//!
//! On disk, because a hundred photos may be more than memory; without a name, because what a crash
//! leaves behind is then gone with the process.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use log::{debug, error};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Stop;
use crate::errors::chain;
use crate::job::Failure;
use crate::net::{FetchError, Net, Oversize};
use crate::spec::{Asset, Source};

/// Downloads of one job at the same time.
const SIDE_BY_SIDE: usize = 8;

/// Between two looks whether the job is still wanted.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Where assets are fetched with, and to.
pub struct Fetcher<'a> {
    runtime: &'a Handle,
    net: &'a Net,
    directory: &'a Path,
    permits: Arc<Semaphore>,
    /// Given up with the value.
    downloads: JoinSet<()>,
    failed: Arc<AtomicBool>,
}

/// An asset on its way.
pub struct Arrival {
    label: String,
    from: From,
}

enum From {
    Download(Receiver<Result<File, FetchError>>),
    /// Once it has arrived.
    Fetched(File),
    /// Why it has not.
    Nowhere(Failure),
    File(PathBuf),
    /// Nothing is left to read.
    Used,
}

/// What an asset is taken for.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Media types in the order of our liking, for servers that can choose.
    pub accept: &'static str,
    pub oversize: Oversize,
}

impl<'a> Fetcher<'a> {
    pub fn new(runtime: &'a Handle, net: &'a Net, directory: &'a Path) -> Self {
        Self {
            runtime,
            net,
            directory,
            permits: Arc::new(Semaphore::new(SIDE_BY_SIDE)),
            downloads: JoinSet::new(),
            failed: Arc::default(),
        }
    }

    /// Begins to fetch, after what has been begun before.
    pub fn fetch(&mut self, asset: &Asset, kind: Kind) -> Arrival {
        let from = match &asset.source {
            Source::File(path) => From::File(path.clone()),
            Source::Url(url) => From::Download(self.download(url.clone(), kind)),
        };
        Arrival {
            label: asset.label.clone(),
            from,
        }
    }

    fn download(&mut self, url: String, kind: Kind) -> Receiver<Result<File, FetchError>> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (net, permits) = (self.net.clone(), self.permits.clone());
        let (directory, failed) = (self.directory.to_owned(), self.failed.clone());
        let download = async move {
            let _permit = permits.acquire_owned().await;
            let fetched = match unnamed_file(directory).await {
                Ok(file) => net.fetch(&url, kind.accept, kind.oversize, file).await,
                Err(error) => Err(FetchError::NotKept(error)),
            };
            if let Err(error) = &fetched {
                log_failure(&url, error);
                failed.store(true, Ordering::Relaxed);
            }
            // Err: nobody wants it any more.
            let _ = sender.send(fetched);
        };
        self.downloads.spawn_on(download, self.runtime);
        receiver
    }

    /// Set once a download has failed.
    pub fn failed(&self) -> Arc<AtomicBool> {
        self.failed.clone()
    }
}

impl Arrival {
    /// Waits until it is here, or will not be. Err: the job is not wanted any more.
    pub fn wait(&mut self, stopped: &dyn Fn() -> bool) -> Result<(), Stop> {
        let From::Download(download) = &self.from else {
            return Ok(());
        };
        let fetched = loop {
            match download.recv_timeout(LOOK_INTERVAL) {
                Ok(fetched) => break fetched,
                Err(RecvTimeoutError::Timeout) if !stopped() => {}
                Err(_) => return Err(Stop::Interrupted),
            }
        };
        self.from = match fetched {
            Ok(file) => From::Fetched(file),
            Err(error) => From::Nowhere(self.complaint(fetch_code(&error), &error)),
        };
        Ok(())
    }

    /// Waits for it and reads all of it. Does so again when asked again.
    pub fn read(&mut self, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, Stop> {
        self.wait(stopped)?;
        let read = match &mut self.from {
            From::File(path) => std::fs::read(path),
            From::Fetched(file) => read_whole(file),
            From::Nowhere(failure) => return Err(Stop::Failed(failure.clone())),
            From::Download(_) | From::Used => return Err(Stop::Interrupted),
        };
        read.map_err(|error| {
            let predicate = format!("cannot be read: {error}");
            Stop::Failed(self.complaint("file-unreadable", &predicate))
        })
    }

    /// Lets go of it, once it has been used.
    pub fn drop_file(&mut self) {
        self.from = From::Used;
    }

    /// A sentence about it, from the predicate on.
    pub fn complaint(&self, code: &str, predicate: &impl Display) -> Failure {
        Failure::new(code, format!("{} {predicate}", self.label))
    }
}

async fn unnamed_file(directory: PathBuf) -> io::Result<File> {
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory));
    made.await.map_err(io::Error::other)?
}

/// A fault on our side is the operator's business, any other the caller's.
fn log_failure(url: &str, error: &FetchError) {
    match error {
        FetchError::NotKept(_) => error!("an asset could not be kept: {}", chain(error)),
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

fn fetch_code(error: &FetchError) -> &'static str {
    match error {
        FetchError::Url(_) => "url-not-allowed",
        FetchError::Status(_) | FetchError::BadRedirect | FetchError::TooManyRedirects => {
            "bad-answer"
        }
        FetchError::TooLarge { .. } => "too-large",
        FetchError::TimedOut(_) => "timed-out",
        FetchError::Unreachable(_) | FetchError::BrokeOff(_) => "unreachable",
        FetchError::NotKept(error) if error.kind() == io::ErrorKind::StorageFull => "disk-full",
        FetchError::NotKept(_) => "storage-failed",
    }
}
