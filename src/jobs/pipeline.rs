//! The spine: how one video is made, from its specification to an address where it can be had.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::{debug, error};
use tokio::runtime::Handle;

use crate::errors::chain;
use crate::job::{Failure, Job, JobId, Video};
use crate::net::{FetchError, Net};
use crate::picture::{self, Picture};
use crate::render::{self, EncodeError, Encoder, Progress, RenderError, Rendered};
use crate::storage::{Storage, StorageError};
use crate::video::{Photo, Source, VideoSpec};

/// Picture types in the order of our liking, for servers that can choose.
const ACCEPT: &str = "image/jpeg, image/png, image/webp, image/*;q=0.8, */*;q=0.5";

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
    /// Leaves the video at `path`, whole or not at all.
    pub fn film(
        &self,
        spec: &VideoSpec,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Rendered, Stop> {
        let bytes = self.fetch(&spec.photo)?;
        // Gets ready while the photo is decoded, and is ended with a photo that cannot be.
        let encoding = self.encoder.start(path).map_err(unencoded)?;
        let picture = self.decode(&bytes, spec)?;
        drop(bytes);
        render::render(picture, spec, encoding, path, progress).map_err(|error| match error {
            RenderError::Interrupted => Stop::Interrupted,
            RenderError::Encode(error) => unencoded(error),
        })
    }

    fn fetch(&self, photo: &Photo) -> Result<Vec<u8>, Stop> {
        match &photo.source {
            Source::Url(url) => {
                self.runtime
                    .block_on(self.net.fetch(url, ACCEPT))
                    .map_err(|error| {
                        debug!("{url:?} could not be fetched: {}", chain(&error));
                        failed(fetch_code(&error), sentence(photo, &error))
                    })
            }
            Source::File(path) => std::fs::read(path).map_err(|error| {
                failed(
                    "file-unreadable",
                    format!("{} cannot be read: {error}", photo.label),
                )
            }),
        }
    }

    fn decode(&self, bytes: &[u8], spec: &VideoSpec) -> Result<Picture, Stop> {
        picture::decode(bytes, &self.limits, |size| render::detail(size, spec))
            .map_err(|error| failed("not-a-picture", sentence(&spec.photo, &error)))
    }
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

fn sentence(photo: &Photo, predicate: &impl Display) -> String {
    format!("{} {predicate}", photo.label)
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
    }
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
