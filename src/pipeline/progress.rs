//! The progress of several videos, told as one.

use std::sync::atomic::{AtomicU32, Ordering};

/// Who wants to know how far it is.
pub trait Observer: Sync {
    /// Told of every frame, of all videos.
    fn frames_done(&self, done: u32, of: u32);
}

/// Counts the frames of all videos.
pub struct Progress<'a> {
    observer: &'a dyn Observer,
    done: AtomicU32,
    of: u32,
}

impl<'a> Progress<'a> {
    pub fn new(observer: &'a dyn Observer, frames: u32) -> Self {
        Self {
            observer,
            done: AtomicU32::new(0),
            of: frames,
        }
    }

    pub fn frame_done(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.observer.frames_done(done, self.of);
    }
}
