//! What videos are made from: their photos, their logo and their soundtrack.

use std::fs::File;
use std::path::{Path, PathBuf};

use log::error;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::build;
use super::downloads::{AssetDownloads, AssetKind, Hash, PendingAsset, not_written};
use super::photos::PhotoSource;
use super::room::Room;
use super::temporary_file::TemporaryFile;
use super::{Pipeline, PipelineError, VideoOrder};
use crate::job::{Failure, FailureCode, SkippedPhoto};
use crate::net::Oversize;
use crate::picture::Logo;
use crate::spec::{BadPhotos, Size};

pub const PHOTO: AssetKind = AssetKind {
    accept: "image/jpeg, image/png, image/webp, image/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Refuse,
    is_needed: true,
};
/// A photo without which there may be a video all the same.
const DISPENSABLE_PHOTO: AssetKind = AssetKind {
    is_needed: false,
    ..PHOTO
};
/// Of hours of music, the beginning is enough.
const SOUNDTRACK: AssetKind = AssetKind {
    accept: "audio/mpeg, audio/mp4, audio/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Cut,
    is_needed: true,
};
const LOGO: AssetKind = AssetKind {
    accept: "image/png, image/svg+xml, image/webp, image/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Refuse,
    is_needed: true,
};

/// The most room that a template has for a logo, in pixels.
pub const LARGEST_LOGO: Size = Size {
    width: 800,
    height: 600,
};

pub struct Assets<'a> {
    pub photos: PhotoSource,
    soundtrack: Option<PendingAsset>,
    logo: Option<PendingAsset>,
    pipeline: &'a Pipeline,
    /// Of the first video; the soundtrack is as long.
    file: &'a Path,
    seconds: f64,
    bad_photos: BadPhotos,
    /// Aborted when the assets are dropped.
    _downloads: AssetDownloads<'a>,
}

impl<'a> Assets<'a> {
    /// Starts all downloads for these videos, into the directory of the first. Cancels `failed` when one fails.
    /// `needs_all`: all photos are to be there before the first is decoded. `None` if there are no videos.
    pub fn fetch(
        pipeline: &'a Pipeline,
        orders: &[VideoOrder<'a>],
        needs_all: bool,
        failed: &CancellationToken,
    ) -> Option<Self> {
        let VideoOrder { spec, file } = orders.first()?;
        let directory = directory(file);
        let Pipeline { net, sandbox, .. } = pipeline;
        // All photos are looked at before the first is shown.
        let needs_all = needs_all || spec.bad_photos == BadPhotos::Skip;
        let room = match needs_all {
            false => Room::new(net.max_download_bytes()),
            true => Room::of_files(net.max_download_bytes(), spec.scenes.len()),
        };
        let mut downloads = AssetDownloads::new(pipeline, directory, room, failed.clone());
        // The soundtrack first, which has to be ready before the first frame.
        let soundtrack = spec.soundtrack.as_ref();
        let soundtrack = soundtrack.map(|asset| downloads.start(asset, SOUNDTRACK));
        let mut logos = orders.iter().map(|order| order.spec.logo.as_ref());
        let logo = logos.find_map(|logo| logo);
        let logo = logo.map(|asset| downloads.start(asset, LOGO));
        let photos = spec.scenes.iter().map(|scene| &scene.photo);
        let kind = match spec.bad_photos {
            BadPhotos::Fail => PHOTO,
            BadPhotos::Skip => DISPENSABLE_PHOTO,
        };
        let photos = photos.map(|asset| downloads.start(asset, kind)).collect();
        Some(Self {
            photos: PhotoSource::new(photos, sandbox.session(), directory),
            soundtrack,
            logo,
            pipeline,
            file,
            seconds: spec.output.seconds(),
            bad_photos: spec.bad_photos,
            _downloads: downloads,
        })
    }

    pub fn logo(&mut self, cancel: &CancellationToken) -> Result<Option<Logo>, PipelineError> {
        let Some(logo) = &mut self.logo else {
            return Ok(None);
        };
        let file = logo.file(cancel)?;
        let mut session = self.pipeline.sandbox.session();
        let decoded = session.logo(&file, directory(self.file), LARGEST_LOGO, cancel);
        decoded
            .map(Some)
            .map_err(|error| logo.not_decoded(FailureCode::NotAPicture, error))
    }

    /// The soundtrack, as long as the video: a WAV file beside that of the video.
    pub fn soundtrack(
        &mut self,
        cancel: &CancellationToken,
    ) -> Result<Option<TemporaryFile>, PipelineError> {
        let Some(soundtrack) = &mut self.soundtrack else {
            return Ok(None);
        };
        let file = soundtrack.file(cancel)?;
        let wav = TemporaryFile::new(wav_beside(self.file));
        let out = File::create(wav.path()).map_err(|error| not_written(&error))?;
        let mut session = self.pipeline.sandbox.session();
        let decoded = session.soundtrack(&file, self.seconds, &out, cancel);
        decoded
            .map(|()| Some(wav))
            .map_err(|error| soundtrack.not_decoded(FailureCode::NotSound, error))
    }

    /// Takes photos out of which nothing can be made, if that is what is to become of them. At least one is left.
    pub fn skip_bad_photos(
        &mut self,
        cancel: &CancellationToken,
    ) -> Result<Vec<SkippedPhoto>, PipelineError> {
        match self.bad_photos {
            BadPhotos::Fail => Ok(Vec::new()),
            BadPhotos::Skip => self.photos.skip_bad(cancel),
        }
    }

    /// Waits for everything, and tells what hash it has.
    pub fn wait_for_hash(
        &mut self,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, PipelineError> {
        for asset in [&mut self.soundtrack, &mut self.logo].into_iter().flatten() {
            asset.wait(cancel)?;
        }
        self.photos.wait_for_all(cancel)?;
        Ok(self.hash())
    }

    /// Of all assets, and of what else makes videos what they are. `None`: some have not arrived, or are local files.
    pub fn hash(&self) -> Option<String> {
        let others = [&self.soundtrack, &self.logo];
        let others = others.into_iter().flatten().map(PendingAsset::hash);
        // Before the program reads itself, which takes a while.
        let assets: Vec<Hash> = others.chain(self.photos.hashes()).collect::<Option<_>>()?;
        let mut hash = Sha256::new();
        hash.update(build::fingerprint()?);
        hash.update(self.pipeline.fonts.fingerprint());
        hash.update(self.pipeline.encoder.fingerprint());
        for asset in assets {
            hash.update(asset);
        }
        let hash = hash.finalize();
        Some(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Everything that is wrong with the assets, as one failure.
    pub fn failures(&mut self, cancel: &CancellationToken) -> PipelineError {
        let others = [
            self.logo(cancel).map(drop),
            self.soundtrack(cancel).map(drop),
        ];
        let is_known = others.iter().any(Result::is_err);
        let mut failures = match self.photos.failures(is_known, cancel) {
            Ok(failures) => failures,
            Err(error) => return error,
        };
        for other in others {
            match other {
                Err(PipelineError::Failed(failure)) => failures.push(failure),
                Err(error) if failures.is_empty() => return error,
                Ok(()) | Err(_) => {}
            }
        }
        PipelineError::Failed(joined(failures))
    }
}

/// Several failures as one, with the code of the first.
fn joined(failures: Vec<Failure>) -> Failure {
    let Some(code) = failures.first().map(|failure| failure.code) else {
        error!("a video was given up although nothing is wrong with its assets");
        return Failure::internal();
    };
    let messages: Vec<String> = failures
        .into_iter()
        .map(|failure| failure.message)
        .collect();
    Failure::new(code, messages.join("; "))
}

/// Where files are that a video is made from.
fn directory(video: &Path) -> &Path {
    match video.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Where the soundtrack of a video is while the video is made.
pub fn wav_beside(video: &Path) -> PathBuf {
    video.with_extension("wav")
}
