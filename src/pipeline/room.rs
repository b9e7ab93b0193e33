//! The room that the files of one video take on the disk.

use std::fs::File;

use tokio::sync::watch;

/// For all files of one video, in bytes. A hundred ordinary photos fit twice.
const ROOM: u64 = 1 << 30;

/// Files of the largest size that always fit: the soundtrack, the logo and two photos.
const LARGEST_FILES: u64 = 4;

/// Counts the bytes of files; cheap to clone.
#[derive(Clone)]
pub struct Room {
    taken: watch::Sender<u64>,
    limit: u64,
}

/// Some of the room; given back when this is dropped.
pub struct Share {
    room: Room,
    bytes: u64,
}

/// A file, and the room that it takes.
pub struct RoomyFile {
    pub file: File,
    _share: Share,
}

impl Room {
    /// `largest`: in bytes, what one file may have.
    pub fn new(largest: u64) -> Self {
        Self {
            taken: watch::Sender::new(0),
            limit: ROOM.max(largest.saturating_mul(LARGEST_FILES)),
        }
    }

    /// For so many files of the largest size, beside the soundtrack and the logo.
    pub fn of_files(largest: u64, files: usize) -> Self {
        Self {
            taken: watch::Sender::new(0),
            limit: largest.saturating_mul(files as u64 + LARGEST_FILES),
        }
    }

    /// Waits until there is room for so many bytes, and takes it. One caller at a time: others could
    /// overtake each other.
    pub async fn take(&self, bytes: u64) -> Share {
        let mut taken = self.taken.subscribe();
        // Err: never, as this has a sender.
        let _ = taken.wait_for(|taken| *taken + bytes <= self.limit).await;
        self.taken.send_modify(|taken| *taken += bytes);
        Share {
            room: self.clone(),
            bytes,
        }
    }
}

impl Share {
    /// Keeps the room of a file, and gives the rest back.
    pub fn keep(mut self, file: File) -> std::io::Result<RoomyFile> {
        let bytes = file.metadata()?.len().min(self.bytes);
        let rest = self.bytes - bytes;
        self.bytes = bytes;
        self.room.taken.send_modify(|taken| *taken -= rest);
        Ok(RoomyFile { file, _share: self })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.taken.send_modify(|taken| *taken -= self.bytes);
    }
}
