//! The spine: how one video is made, from its specification to an address where it can be had.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log::error;
use tokio::runtime::Handle;

use super::album::Album;
use super::assets::{Fetcher, Kind};
use crate::errors::chain;
use crate::job::{Failure, Job, JobId, Video};
use crate::net::{Net, Oversize};
use crate::picture;
use crate::render::{self, EncodeError, Encoder, Progress, RenderError, Rendered};
use crate::storage::{Storage, StorageError};
use crate::video::VideoSpec;

const PHOTO: Kind = Kind {
    accept: "image/jpeg, image/png, image/webp, image/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Refuse,
};

/// The name under which [`Pipeline::test_storage`] stores its file.
pub const TEST_FILE: &str = "success.txt";

/// The first part of the way, which needs no job: from a specification to a file.
#[derive(Clone)]
pub struct Studio {
    pub runtime: Handle,
    pub net: Net,
    pub limits: picture::Limits,
    pub encoder: Encoder,
}

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
        let name = format!("{}.mp4", job.id);
        // Each attempt has its own file: an orphan of the last one may still hold another.
        let scratch = Scratch(
            self.work_dir
                .join(format!("{}.{}.mp4", job.id, job.attempt)),
        );

        let rendered = self.studio.film(&job.request.spec, &scratch.0, progress)?;
        let url = self.storage.put(&name, &scratch.0).map_err(|error| {
            error!("job {} could not be stored: {}", job.id, chain(&error));
            failed("storage-failed", "the video could not be stored")
        })?;
        Ok(Video {
            url,
            size: rendered.size,
            frames: rendered.frames,
            bytes: rendered.bytes,
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

impl Studio {
    /// Leaves the video at `path`, whole or not at all. What it is made from is kept beside it until
    /// then, in files without a name.
    pub fn film(
        &self,
        spec: &VideoSpec,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Rendered, Stop> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut fetcher = Fetcher::new(&self.runtime, &self.net, directory);
        let photos = spec
            .scenes
            .iter()
            .map(|scene| fetcher.fetch(&scene.photo, PHOTO));
        let photos = photos.collect();
        let wanted = Wanted {
            progress,
            spoiled: fetcher.failed(),
        };
        let mut album = Album::new(photos, &self.limits, &wanted);
        match self.shoot(&mut album, spec, path, &wanted) {
            Ok(rendered) => Ok(rendered),
            Err(RenderError::Encode(error)) => Err(unencoded(error)),
            Err(_) if progress.stopped() => Err(Stop::Interrupted),
            // All that is wrong with the photos, at once.
            Err(RenderError::Photo(_) | RenderError::Interrupted) => {
                Err(all_of(album.look_through(progress)?))
            }
        }
    }

    fn shoot(
        &self,
        album: &mut Album,
        spec: &VideoSpec,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Rendered, RenderError<Stop>> {
        album.wait_for_first().map_err(RenderError::Photo)?;
        // Gets ready while the photo is decoded, and is ended with a photo that cannot be.
        let encoding = self.encoder.start(path, None)?;
        render::render(album, spec, encoding, path, progress)
    }
}

/// A rendering that is given up when one of its assets cannot be had.
struct Wanted<'a> {
    progress: &'a dyn Progress,
    spoiled: Arc<AtomicBool>,
}

impl Progress for Wanted<'_> {
    fn frames_done(&self, done: u32, of: u32) {
        self.progress.frames_done(done, of);
    }

    fn stopped(&self) -> bool {
        self.progress.stopped() || self.spoiled.load(Ordering::Relaxed)
    }
}

/// Several failures as one.
fn all_of(failures: Vec<Failure>) -> Stop {
    let code = failures.first().map(|failure| failure.code.clone());
    let messages: Vec<String> = failures
        .into_iter()
        .map(|failure| failure.message)
        .collect();
    Stop::Failed(match code {
        Some(code) => Failure::new(&code, messages.join("; ")),
        None => Failure::internal(),
    })
}

fn unencoded(error: EncodeError) -> Stop {
    error!("encoding failed: {}", chain(&error));
    let failure = Failure::new(encode_code(&error), error.to_string());
    match error {
        EncodeError::Died { .. } => Stop::EncoderLost(failure),
        _ => Stop::Failed(failure),
    }
}

fn failed(code: &str, message: impl Into<String>) -> Stop {
    Stop::Failed(Failure::new(code, message))
}

fn encode_code(error: &EncodeError) -> &'static str {
    match error {
        EncodeError::DiskFull => "disk-full",
        EncodeError::NotStarted(_) | EncodeError::Died { .. } | EncodeError::Output(_) => {
            "encoder-failed"
        }
    }
}

/// A file that is gone when the job is, unless it has been moved on.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // Err: it has been moved, or was never made.
        let _ = std::fs::remove_file(&self.0);
    }
}
