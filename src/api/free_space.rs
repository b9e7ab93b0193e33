//! Room on the disk: below a bound, nothing new is accepted.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{info, warn};

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(1);

/// Looks now and then whether the disks have room.
pub struct FreeSpace {
    /// One on each disk that is written to.
    directories: Vec<PathBuf>,
    /// In bytes; 0: none is needed.
    least: u64,
    last: Mutex<Option<(Instant, bool)>>,
}

/// A disk is nearly full.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the disk is nearly full: fewer than {least} bytes are free")]
pub struct NearlyFull {
    least: u64,
}

impl FreeSpace {
    pub fn new(directories: Vec<PathBuf>, least: u64) -> Self {
        Self {
            directories,
            least,
            last: Mutex::default(),
        }
    }

    pub fn check(&self) -> Result<(), NearlyFull> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = match *last {
            Some((at, has_room)) if at.elapsed() < FRESH => has_room,
            before => {
                let has_room = self.has_room();
                self.log_change(before.is_none_or(|(_, had_room)| had_room), has_room);
                *last = Some((Instant::now(), has_room));
                has_room
            }
        };
        match has_room {
            true => Ok(()),
            false => Err(NearlyFull { least: self.least }),
        }
    }

    fn has_room(&self) -> bool {
        // Of a directory that cannot be asked, its writers will tell.
        let free = self.directories.iter().filter_map(|it| free_bytes(it).ok());
        self.least == 0 || free.min().is_none_or(|free| free >= self.least)
    }

    fn log_change(&self, had_room: bool, has_room: bool) {
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

/// For whoever is not root.
fn free_bytes(directory: &PathBuf) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
