//! HEIF, such as the HEIC photos of phones: libheif's own program converts them, confined as the decoders
//! are.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use log::warn;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::running::{Ending, Running};
use super::{Sandbox, SandboxError, Settings};
use crate::confinement::{NOT_EXECUTABLE, NOT_STARTED, converter};
use crate::picture::{Detail, Limits, is_heif};

/// Files in the converter's directory. It can write to the two that it converts to, and create no others.
const PHOTO: &str = "photo.heif";
const CONVERTED: &str = "photo.png";
/// Of a file of several pictures, the first.
const FIRST_CONVERTED: &str = "photo-1.png";

/// How a whole PNG file ends.
const END_OF_PNG: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// What libheif says of a file whose compression it has no decoder for.
const NO_DECODER: &str = "Unsupported codec";

/// Where the converter is looked for. The service's own environment stays out of its reach.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin";

/// Enough to tell what a file is, in bytes.
const START: usize = 64;

/// Converts a small HEIC picture.
///
/// # Errors
/// As for any other.
pub fn probe(settings: &Settings, runtime: &Handle) -> Result<(), SandboxError> {
    let sandbox = Sandbox::start(settings, Limits::default(), runtime.clone());
    let sandbox = sandbox.map_err(|_| SandboxError::NotStarted)?;
    let directory = tempfile::tempdir().map_err(SandboxError::NotWritten)?;
    let mut file = tempfile::tempfile().map_err(SandboxError::NotWritten)?;
    let written = file.write_all(include_bytes!("probe.heic"));
    written.map_err(SandboxError::NotWritten)?;
    let coarsest = |_| Detail::COARSEST;
    let picture =
        sandbox
            .session()
            .photo(&file, directory.path(), coarsest, &CancellationToken::new());
    picture.map(drop)
}

/// What a HEIF picture was converted to.
pub struct Converted {
    pub png: File,
    pub took: Duration,
}

impl Sandbox {
    /// Converts a HEIF picture; `None`: the file is something else. Blocks.
    pub(super) fn convert_heif(
        &self,
        file: &File,
        directory: &Path,
        cancel: &CancellationToken,
    ) -> Result<Option<Converted>, SandboxError> {
        let mut start = [0; START];
        // Err: it is shorter than any picture.
        let is_heif = file.read_exact_at(&mut start, 0).is_ok() && is_heif(&start);
        is_heif
            .then(|| self.heif_to_png(file, directory, cancel))
            .transpose()
    }

    /// Converts in a directory of its own within `directory`, which is removed at the end.
    fn heif_to_png(
        &self,
        file: &File,
        directory: &Path,
        cancel: &CancellationToken,
    ) -> Result<Converted, SandboxError> {
        let own = tempfile::tempdir_in(directory).map_err(SandboxError::NotWritten)?;
        copy(file, &own.path().join(PHOTO)).map_err(SandboxError::NotWritten)?;
        let results = [CONVERTED, FIRST_CONVERTED].map(|name| create(&own.path().join(name)));
        let _permit = self.large_permit(cancel)?;
        let command = self.heif_convert(own.path());
        let running = command.and_then(|mut command| Running::start(&mut command));
        let running = running.map_err(|_| SandboxError::NotStarted)?;
        let began = Instant::now();
        let watchdog = running.watch(self.settings.time_limit, &self.runtime, cancel);
        let ending = running.wait();
        if cancel.is_cancelled() {
            return Err(SandboxError::Cancelled);
        }
        if watchdog.was_late() {
            return Err(SandboxError::TooSlow(self.settings.time_limit));
        }
        let mut is_begun = false;
        for png in results {
            let png = png.map_err(SandboxError::NotWritten)?;
            if is_whole(&png) {
                let took = began.elapsed();
                return Ok(Converted { png, took });
            }
            is_begun |= png.metadata().is_ok_and(|png| png.len() > 0);
        }
        Err(self.not_converted(ending, is_begun))
    }

    /// Why there is no whole PNG file. `is_begun`: there is a part of one.
    fn not_converted(&self, ending: io::Result<Ending>, is_begun: bool) -> SandboxError {
        let (status, words) = match ending {
            Ok(Ending::OutOfTime) => return SandboxError::TooSlow(self.settings.time_limit),
            Ok(Ending::OutOfMemory) => {
                return SandboxError::TooMuchMemory {
                    limit: self.settings.max_memory,
                    size: None,
                };
            }
            Ok(Ending::Exited(status, words)) => (status, words),
            Err(error) => {
                warn!("how heif-convert has ended is not known: {error}");
                return SandboxError::Died;
            }
        };
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        match code {
            // It does not notice that a disk is full.
            Some(0) if is_begun => return SandboxError::NotWritten(ErrorKind::StorageFull.into()),
            Some(NOT_STARTED) => return SandboxError::NoConverter,
            Some(_) if words.contains(NO_DECODER) => return SandboxError::NoConverter,
            _ => warn!("heif-convert ended with {status}: {words}"),
        }
        match code {
            Some(NOT_EXECUTABLE) => SandboxError::NotStarted,
            Some(_) => SandboxError::Rejected("is a damaged HEIC picture".into()),
            None => SandboxError::Died,
        }
    }

    fn heif_convert(&self, directory: &Path) -> io::Result<Command> {
        let mut command = converter(
            self.settings.heif_convert.as_os_str(),
            self.settings.max_memory,
            self.settings.time_limit,
            directory,
            &[CONVERTED, FIRST_CONVERTED],
        )?;
        command
            .args([PHOTO, CONVERTED])
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        crate::allocator::set_env(&mut command);
        Ok(command)
    }
}

fn copy(mut file: &File, to: &Path) -> io::Result<()> {
    file.rewind()?;
    io::copy(&mut file, &mut File::create(to)?).map(drop)
}

/// An empty file, to be written by another and read here.
fn create(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
}

fn is_whole(png: &File) -> bool {
    let mut end = [0; END_OF_PNG.len()];
    let start = png
        .metadata()
        .ok()
        .and_then(|png| png.len().checked_sub(end.len() as u64));
    start.is_some_and(|start| png.read_exact_at(&mut end, start).is_ok()) && end == *END_OF_PNG
}
