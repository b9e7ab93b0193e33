//! The spine: how one video is made, from its specification to an address where it can be had.

mod album;
mod assets;
mod studio;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::error;

pub use studio::{Studio, wav_beside};

use crate::errors::chain;
use crate::job::{Failure, Job, JobId, Video};
use crate::picture;
use crate::render::Progress;
use crate::spec::Size;
use crate::storage::{Storage, StorageError};

/// The name under which [`Pipeline::test_storage`] stores its file.
pub const TEST_FILE: &str = "success.txt";

/// The whole way; cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    pub studio: Studio,
    pub storage: Arc<dyn Storage>,
    /// Where videos are written before they are stored. On the local storage's own file system,
    /// so that storing is a rename.
    pub work_dir: PathBuf,
}

/// Why there is no video.
#[derive(Debug)]
pub enum Stop {
    /// Give up: it would fail again.
    Failed(Failure),
    /// ffmpeg was ended. Give up, unless the whole service is being stopped.
    EncoderLost(Failure),
    /// Begin again another time: it was cut off from outside.
    Interrupted,
}

impl Pipeline {
    pub fn run(&self, job: &Job, progress: &dyn Progress) -> Result<Video, Stop> {
        // Each attempt has its own files: an orphan of the last one may still hold others.
        let scratch = |kind| {
            let name = format!("{}.{}.{kind}", job.id, job.attempt);
            Scratch(self.work_dir.join(name))
        };
        let video = scratch("mp4");
        let rendered = self.studio.film(&job.request.spec, &video.0, progress)?;
        let thumbnail_url = match &rendered.thumbnail {
            None => None,
            Some(frame) => {
                let thumbnail = scratch("jpg");
                self.draw_thumbnail(frame, rendered.size, &thumbnail.0)?;
                Some(self.keep(&job.id.thumbnail_name(), &thumbnail.0)?)
            }
        };
        Ok(Video {
            url: self.keep(&job.id.video_name(), &video.0)?,
            size: rendered.size,
            frames: rendered.frames,
            frame_rate: job.request.spec.output.frame_rate,
            thumbnail_url,
            bytes: rendered.bytes,
        })
    }

    fn draw_thumbnail(&self, frame: &[u8], size: Size, file: &Path) -> Result<(), Stop> {
        let drawn = picture::thumbnail(frame, size).map_err(io::Error::other);
        drawn
            .and_then(|jpeg| std::fs::write(file, jpeg))
            .map_err(|error| {
                error!("a thumbnail could not be made: {error}");
                failed("storage-failed", "the thumbnail could not be stored")
            })
    }

    /// Stores a file for good, and tells its address.
    fn keep(&self, name: &str, file: &Path) -> Result<String, Stop> {
        self.storage.put(name, file).map_err(|error| {
            error!("{name} could not be stored: {}", chain(&error));
            failed("storage-failed", "the video could not be stored")
        })
    }

    /// Shows that videos can be stored, with a small text in place of one.
    pub fn test_storage(&self) -> Result<String, StorageError> {
        let scratch = Scratch(self.work_dir.join(JobId::random().to_string()));
        let written = std::fs::write(&scratch.0, "Kinora can store files here.\n");
        written.map_err(|cause| StorageError::new(TEST_FILE, cause))?;
        self.storage.put(TEST_FILE, &scratch.0)
    }
}

fn failed(code: &str, message: impl Into<String>) -> Stop {
    Stop::Failed(Failure::new(code, message))
}

/// A file that is gone when the job is, unless it has been moved on.
pub struct Scratch(pub PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // Err: it has been moved, or was never made.
        let _ = std::fs::remove_file(&self.0);
    }
}
