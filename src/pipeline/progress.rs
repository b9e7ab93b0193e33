//! The progress of several videos, told as one.

use std::sync::{Mutex, PoisonError};

/// Who wants to know how far it is.
pub trait Observer: Sync {
    /// Told of every frame, of all videos, in order.
    fn frames_done(&self, done: u32, of: u32);
}

/// Counts the frames of all videos.
pub struct Progress<'a> {
    observer: &'a dyn Observer,
    done: Mutex<u32>,
    of: u32,
}

impl<'a> Progress<'a> {
    pub fn new(observer: &'a dyn Observer, frames: u32) -> Self {
        Self {
            observer,
            done: Mutex::new(0),
            of: frames,
        }
    }

    pub fn frame_done(&self) {
        // Held while the observer is told, so that it hears of the frames in order. A number cannot be half changed.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        self.observer.frames_done(*done, self.of);
    }
}
