//! What a video is made from: its photos, its logo and its soundtrack.

use std::fs::File;
use std::path::{Path, PathBuf};

use log::error;
use tokio_util::sync::CancellationToken;

use super::downloads::{AssetDownloads, AssetKind, PendingAsset, not_written};
use super::photos::PhotoSource;
use super::publisher::TemporaryFile;
use super::{Pipeline, PipelineError};
use crate::job::{Failure, FailureCode};
use crate::net::Oversize;
use crate::picture::Logo;
use crate::sandbox::Sandbox;
use crate::spec::{Size, VideoSpec};

const PHOTO: AssetKind = AssetKind {
    accept: "image/jpeg, image/png, image/webp, image/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Refuse,
};
/// Of hours of music, the beginning is enough.
const SOUNDTRACK: AssetKind = AssetKind {
    accept: "audio/mpeg, audio/mp4, audio/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Cut,
};
const LOGO: AssetKind = AssetKind {
    accept: "image/png, image/svg+xml, image/webp, image/*;q=0.8, */*;q=0.5",
    oversize: Oversize::Refuse,
};

/// The most room that a template has for a logo, in pixels.
const LARGEST_LOGO: Size = Size {
    width: 800,
    height: 600,
};

pub struct Assets<'a> {
    pub photos: PhotoSource,
    soundtrack: Option<PendingAsset>,
    logo: Option<PendingAsset>,
    sandbox: &'a Sandbox,
    /// Aborted when the assets are dropped.
    _downloads: AssetDownloads<'a>,
}

impl<'a> Assets<'a> {
    /// Starts all downloads, into the directory of `file`. Cancels `failed` when one fails.
    pub fn fetch(
        pipeline: &'a Pipeline,
        spec: &VideoSpec,
        file: &Path,
        failed: &CancellationToken,
    ) -> Self {
        let directory = directory(file);
        let Pipeline {
            runtime,
            net,
            sandbox,
            ..
        } = pipeline;
        let mut downloads = AssetDownloads::new(runtime, net, directory, failed.clone());
        // The soundtrack first, which has to be ready before the first frame.
        let soundtrack = spec.soundtrack.as_ref();
        let soundtrack = soundtrack.map(|asset| downloads.start(asset, SOUNDTRACK));
        let logo = spec.logo.as_ref();
        let logo = logo.map(|asset| downloads.start(asset, LOGO));
        let photos = spec.scenes.iter().map(|scene| &scene.photo);
        let photos = photos.map(|asset| downloads.start(asset, PHOTO)).collect();
        Self {
            photos: PhotoSource::new(photos, sandbox.session(), directory),
            soundtrack,
            logo,
            sandbox,
            _downloads: downloads,
        }
    }

    pub fn logo(
        &mut self,
        video: &Path,
        cancel: &CancellationToken,
    ) -> Result<Option<Logo>, PipelineError> {
        let Some(logo) = &mut self.logo else {
            return Ok(None);
        };
        let file = logo.file(cancel)?;
        let mut session = self.sandbox.session();
        let decoded = session.logo(&file, directory(video), LARGEST_LOGO, cancel);
        decoded
            .map(Some)
            .map_err(|error| logo.not_decoded(FailureCode::NotAPicture, error))
    }

    /// The soundtrack, as long as the video: a WAV file beside that of the video.
    pub fn soundtrack(
        &mut self,
        spec: &VideoSpec,
        video: &Path,
        cancel: &CancellationToken,
    ) -> Result<Option<TemporaryFile>, PipelineError> {
        let Some(soundtrack) = &mut self.soundtrack else {
            return Ok(None);
        };
        let file = soundtrack.file(cancel)?;
        let wav = TemporaryFile::new(wav_beside(video));
        let out = File::create(wav.path()).map_err(|error| not_written(&error))?;
        let seconds = spec.output.seconds();
        let mut session = self.sandbox.session();
        let decoded = session.soundtrack(&file, seconds, &out, cancel);
        decoded
            .map(|()| Some(wav))
            .map_err(|error| soundtrack.not_decoded(FailureCode::NotSound, error))
    }

    /// Everything that is wrong with the assets, as one failure.
    pub fn failures(
        &mut self,
        spec: &VideoSpec,
        video: &Path,
        cancel: &CancellationToken,
    ) -> PipelineError {
        let others = [
            self.logo(video, cancel).map(drop),
            self.soundtrack(spec, video, cancel).map(drop),
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
