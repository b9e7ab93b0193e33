//! Room on the disk: below a bound, nothing new is accepted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{info, warn};

/// Between looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks now and then whether the disks have room. Not when it is asked: a disk of the network may not answer.
pub struct FreeSpace {
    /// One on each disk that is written to.
    directories: Vec<PathBuf>,
    /// In bytes; 0: none is needed.
    least: u64,
    has_room: AtomicBool,
}

/// A disk is nearly full.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the disk is nearly full: fewer than {least} bytes are free")]
pub struct NearlyFull {
    least: u64,
}

impl FreeSpace {
    /// Looks once.
    pub fn new(directories: Vec<PathBuf>, least: u64) -> Self {
        let space = Self {
            directories,
            least,
            has_room: AtomicBool::new(true),
        };
        space.note(least_free(&space.directories));
        space
    }

    pub fn check(&self) -> Result<(), NearlyFull> {
        match self.has_room.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(NearlyFull { least: self.least }),
        }
    }

    /// Goes on looking. Ends only with the task, or at once if nothing is needed.
    pub async fn watch(&self) {
        if self.least == 0 {
            return;
        }
        loop {
            tokio::time::sleep(INTERVAL).await;
            let directories = self.directories.clone();
            let free = tokio::task::spawn_blocking(move || least_free(&directories));
            // Err: it panicked, and the last answer holds.
            if let Ok(free) = free.await {
                self.note(free);
            }
        }
    }

    fn note(&self, free: Option<u64>) {
        let has_room = free.is_none_or(|free| free >= self.least);
        let had_room = self.has_room.swap(has_room, Ordering::Relaxed);
        match (had_room, has_room) {
            (true, false) => warn!(
                "nothing new is accepted: fewer than {} bytes are free (storage.min_free)",
                self.least
            ),
            (false, true) => info!("there is room on the disk again"),
            _ => {}
        }
    }
}

/// Of a directory that cannot be asked, its writers will tell.
fn least_free(directories: &[PathBuf]) -> Option<u64> {
    let free = directories.iter().filter_map(|it| free_bytes(it).ok());
    free.min()
}

/// For whoever is not root.
fn free_bytes(directory: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
