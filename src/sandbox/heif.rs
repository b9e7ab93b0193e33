//! HEIF, such as the HEIC photos of phones: libheif's own program converts them, confined as the decoders
//! are.

use std::fs::File;
use std::io::{self, Seek};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tokio_util::sync::CancellationToken;

use super::running::{Ending, Running};
use super::{Sandbox, SandboxError};
use crate::confinement::{NOT_STARTED, converter};
use crate::picture::is_heif;

/// Files in the converter's directory.
const PHOTO: &str = "photo.heif";
const CONVERTED: &str = "photo.png";
/// Of a file of several pictures, the first.
const FIRST_CONVERTED: &str = "photo-1.png";

/// Where the converter is looked for. The service's own environment stays out of its reach.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin";

/// Enough to tell what a file is, in bytes.
const START: usize = 64;

impl Sandbox {
    /// Converts a HEIF picture to a PNG; `None`: the file is something else. Blocks.
    pub(super) fn convert_heif(
        &self,
        file: &File,
        directory: &Path,
        cancel: &CancellationToken,
    ) -> Result<Option<File>, SandboxError> {
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
    ) -> Result<File, SandboxError> {
        let own = tempfile::tempdir_in(directory).map_err(SandboxError::NotWritten)?;
        copy(file, &own.path().join(PHOTO)).map_err(SandboxError::NotWritten)?;
        let _permit = self.large_permit(cancel)?;
        let command = self.heif_convert(own.path());
        let running = command.and_then(|mut command| Running::start(&mut command));
        let running = running.map_err(|_| SandboxError::NotStarted)?;
        let watchdog = running.watch(self.settings.time_limit, &self.runtime, cancel);
        let ending = running.wait();
        if cancel.is_cancelled() {
            return Err(SandboxError::Cancelled);
        }
        if watchdog.was_late() {
            return Err(SandboxError::TooSlow(self.settings.time_limit));
        }
        match ending.map_err(|_| SandboxError::Died)? {
            Ending::OutOfTime => Err(SandboxError::TooSlow(self.settings.time_limit)),
            Ending::OutOfMemory => Err(SandboxError::TooMuchMemory(self.settings.max_memory)),
            Ending::Exited(status) if status.code() == Some(NOT_STARTED.into()) => {
                Err(SandboxError::NoConverter)
            }
            Ending::Exited(_) => [CONVERTED, FIRST_CONVERTED]
                .iter()
                .find_map(|name| File::open(own.path().join(name)).ok())
                .ok_or_else(|| SandboxError::Rejected("is a damaged HEIC picture".into())),
        }
    }

    fn heif_convert(&self, directory: &Path) -> io::Result<Command> {
        let mut command = converter(
            self.settings.heif_convert.as_os_str(),
            self.settings.max_memory,
            self.settings.time_limit,
            directory,
        )?;
        command
            .args([PHOTO, CONVERTED])
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        crate::allocator::set_env(&mut command);
        Ok(command)
    }
}

fn copy(mut file: &File, to: &Path) -> io::Result<()> {
    file.rewind()?;
    io::copy(&mut file, &mut File::create(to)?).map(drop)
}
