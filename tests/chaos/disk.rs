//! A small disk of a service's own, which can be filled up.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::scratch::Scratch;

/// For a job store, videos and frames.
const SIZE: &str = "size=192m";

pub struct Disk {
    directory: Scratch,
    is_mounted: bool,
}

impl Disk {
    /// A file system in memory. Without the right to mount one, a directory that cannot be filled.
    pub fn new() -> Self {
        let directory = Scratch::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(directory.path())
            .status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        if !is_mounted {
            println!("  no disk is filled up: that takes the right to mount one");
        }
        Self {
            directory,
            is_mounted,
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn can_be_filled(&self) -> bool {
        self.is_mounted
    }

    /// Leaves so many bytes free at most.
    pub fn fill(&self, free: u64) {
        let stat = rustix::fs::statvfs(self.path()).expect("a file system");
        let mut left = (stat.f_bavail * stat.f_frsize).saturating_sub(free);
        let mut file = File::create(self.filling()).expect("a file");
        let chunk = vec![0; 1 << 20];
        while left > 0 {
            let length = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            // Err: the service was first, and nothing is free any more.
            if file.write_all(&chunk[..length]).is_err() {
                return;
            }
            left -= length as u64;
        }
    }

    pub fn empty(&self) {
        fs::remove_file(self.filling()).expect("what has filled the disk");
    }

    fn filling(&self) -> PathBuf {
        self.directory.join("filling")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            // Err: the next restart of the machine ends it.
            let _ = Command::new("umount").arg(self.path()).status();
        }
    }
}
