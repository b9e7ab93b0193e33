//! Decodes what strangers send in child processes of this program, whose memory and time are limited, and
//! which can do nothing but compute.
//!
//! ```text
//! pool ─ processes that were started ahead
//! process (with running) ─ one of them: sends it a file, receives what it answers, kills it in time
//! protocol ─ what goes over the pipes
//! child ─ the other end: confines itself, decodes, answers
//! heif ─ a converter that is not ours, confined as well
//! ```
//!
//! A process decodes one file and ends: nothing of one stranger's file is left for the next. A file first
//! gets the memory that ordinary ones need; one that needs more is tried again with all of it, one file
//! at a time, so that many at once stay bounded as well.

mod child;
mod error;
mod heif;
mod pool;
mod process;
mod protocol;
mod running;
mod settings;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use child::run;
pub use error::SandboxError;
pub use settings::Settings;

use crate::picture::{Detail, Limits, Logo, Picture};
use crate::spec::Size;
use pool::Pool;
use process::{DecodeProcess, unexpected};
use protocol::{Answer, Request, Task};
use running::{Ending, Watchdog};

/// The subcommand of this program that decodes.
pub const SUBCOMMAND: &str = "decode";

/// What an ordinary file may take, in bytes: a photo of 40 megapixels.
const ORDINARY_MEMORY: u64 = 256 << 20;

/// The longest sentence of a decoder, in characters.
const MAX_SENTENCE: usize = 300;

/// A WAV file's header, a frame of it, and the frames that are there beyond its length, in seconds.
const WAV_HEADER: u64 = 44;
const WAV_FRAME: u64 = 4;
const WAV_SLACK: f64 = 1.0;

/// Decodes files; cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pool: Arc<Pool>,
    settings: Settings,
    limits: Limits,
    runtime: Handle,
    /// For files that need more memory than others: one at a time.
    large: Arc<Semaphore>,
}

/// Starts a process, and tells what this system lacks to confine it.
///
/// # Errors
/// If it cannot be started, or not be confined.
pub fn probe(settings: &Settings) -> io::Result<Vec<String>> {
    DecodeProcess::start(settings).map(|(_, missing)| missing)
}

/// Why there was no answer to work with.
enum Interruption {
    OutOfMemory,
    Failed(SandboxError),
    /// The process is gone, or has said something that it should not.
    Broken(io::Error),
}

impl From<io::Error> for Interruption {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// A file to decode.
#[derive(Clone, Copy)]
struct Source<'a> {
    file: &'a File,
    /// As [`Request::is_upright`].
    is_upright: bool,
}

/// A file that one process has been given.
struct Conversation<'a> {
    process: &'a mut DecodeProcess,
    limits: Limits,
}

impl Sandbox {
    /// `runtime` runs the watchdogs.
    ///
    /// # Errors
    /// If the thread that starts the processes cannot be started.
    pub fn start(settings: &Settings, limits: Limits, runtime: Handle) -> io::Result<Self> {
        Ok(Self {
            pool: Arc::new(Pool::start(settings.clone())?),
            settings: settings.clone(),
            limits,
            runtime,
            large: Arc::new(Semaphore::new(1)),
        })
    }

    /// Decodes a photo. `directory` is for files on the way; `detail` gets the upright size of the photo, in
    /// pixels, and may be asked twice. Blocks.
    pub fn photo(
        &self,
        file: &File,
        directory: &Path,
        detail: impl Fn(Size) -> Detail,
        cancel: &CancellationToken,
    ) -> Result<Picture, SandboxError> {
        let converted = self.convert_heif(file, directory, cancel)?;
        let file = converted.as_ref().unwrap_or(file);
        let source = Source {
            file,
            is_upright: converted.is_some(),
        };
        let task = Task::Photo(self.limits);
        self.decode(source, task, cancel, |conversation| {
            conversation.photo(&detail)
        })
    }

    /// Decodes a logo, fitted to `max`. `directory` is for files on the way. Blocks.
    pub fn logo(
        &self,
        file: &File,
        directory: &Path,
        max: Size,
        cancel: &CancellationToken,
    ) -> Result<Logo, SandboxError> {
        let converted = self.convert_heif(file, directory, cancel)?;
        let file = converted.as_ref().unwrap_or(file);
        let source = Source {
            file,
            is_upright: converted.is_some(),
        };
        let task = Task::Logo(self.limits, max);
        self.decode(source, task, cancel, |conversation| conversation.logo(max))
    }

    /// Decodes a soundtrack of a length in seconds, and writes it to a new WAV file. Blocks.
    pub fn soundtrack(
        &self,
        file: &File,
        seconds: f64,
        wav: &File,
        cancel: &CancellationToken,
    ) -> Result<(), SandboxError> {
        let source = Source {
            file,
            is_upright: false,
        };
        let task = Task::Soundtrack(seconds);
        self.decode(source, task, cancel, |conversation| {
            conversation.soundtrack(seconds, wav)
        })
    }

    /// Gives a file to a process with the memory of ordinary ones, and if that is not enough to another
    /// with all of it.
    fn decode<T>(
        &self,
        source: Source,
        task: Task,
        cancel: &CancellationToken,
        talk: impl Fn(&mut Conversation) -> Result<T, Interruption>,
    ) -> Result<T, SandboxError> {
        let Source { file, is_upright } = source;
        let file_bytes = file.metadata().map_err(SandboxError::Unreadable)?.len();
        let max = self.settings.max_memory;
        let mut time = self.settings.time_limit;
        let ordinary = ORDINARY_MEMORY.min(max);
        for memory in [ordinary, max] {
            let _permit = (memory > ordinary)
                .then(|| self.large_permit(cancel))
                .transpose()?;
            let request = Request {
                task,
                is_upright,
                file_bytes,
                memory,
            };
            let began = Instant::now();
            match self.try_to_decode(file, &request, time, cancel, &talk)? {
                Some(decoded) => return Ok(decoded),
                None => time = time.saturating_sub(began.elapsed()),
            }
        }
        Err(SandboxError::TooMuchMemory(max))
    }

    /// Waits until no other file needs much memory.
    fn large_permit(
        &self,
        cancel: &CancellationToken,
    ) -> Result<tokio::sync::OwnedSemaphorePermit, SandboxError> {
        let permit = cancel.run_until_cancelled(self.large.clone().acquire_owned());
        // Err: never, as nobody closes it.
        match self.runtime.block_on(permit) {
            Some(Ok(permit)) => Ok(permit),
            Some(Err(_)) | None => Err(SandboxError::Cancelled),
        }
    }

    /// `None`: the memory was not enough.
    fn try_to_decode<T>(
        &self,
        file: &File,
        request: &Request,
        time: Duration,
        cancel: &CancellationToken,
        talk: &impl Fn(&mut Conversation) -> Result<T, Interruption>,
    ) -> Result<Option<T>, SandboxError> {
        let mut process = self.pool.take(cancel)?;
        let watchdog = process.running.watch(time, &self.runtime, cancel);
        let mut conversation = Conversation {
            process: &mut process,
            limits: self.limits,
        };
        let sent = conversation.begin(file, request);
        match sent.and_then(|()| talk(&mut conversation)) {
            Ok(decoded) => Ok(Some(decoded)),
            Err(Interruption::OutOfMemory) => Ok(None),
            Err(Interruption::Failed(error)) => Err(error),
            Err(Interruption::Broken(error)) => self.explain(&process, &watchdog, &error, cancel),
        }
    }

    /// What has become of a process that does not answer as it should.
    fn explain<T>(
        &self,
        process: &DecodeProcess,
        watchdog: &Watchdog,
        error: &io::Error,
        cancel: &CancellationToken,
    ) -> Result<Option<T>, SandboxError> {
        let ending = process.running.end();
        if cancel.is_cancelled() {
            return Err(SandboxError::Cancelled);
        }
        match ending {
            _ if watchdog.was_late() => Err(SandboxError::TooSlow(self.settings.time_limit)),
            Ok(Ending::OutOfTime) => Err(SandboxError::TooSlow(self.settings.time_limit)),
            Ok(Ending::OutOfMemory) => Ok(None),
            Ok(Ending::Exited(status)) => {
                warn!("a decoding process ended with {status}: {error}");
                Err(SandboxError::Died)
            }
            Err(unknown) => {
                warn!("how a decoding process has ended is not known: {unknown}");
                Err(SandboxError::Died)
            }
        }
    }
}

impl Conversation<'_> {
    fn begin(&mut self, file: &File, request: &Request) -> Result<(), Interruption> {
        let sent = self.process.send(request);
        // A process that gives up while it is sent a file has told why.
        match sent.and_then(|()| self.process.send_file(file, request.file_bytes)) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => Ok(sent?),
        }
    }

    fn photo(&mut self, detail: &impl Fn(Size) -> Detail) -> Result<Picture, Interruption> {
        let size = match self.answer()? {
            Answer::Size(size) => size,
            other => return Err(unexpected(&other).into()),
        };
        // Nobody has to believe it: memory follows from it.
        if self.limits.check_size(size.width, size.height).is_err() {
            return Err(unexpected(&Answer::Size(size)).into());
        }
        let detail = detail(size).clamped();
        self.process.send(&detail)?;
        match self.answer()? {
            Answer::Planes => {}
            other => return Err(unexpected(&other).into()),
        }
        let mut planes = detail.planes(size);
        for plane in &mut planes {
            self.process.read_exact(&mut plane.data)?;
        }
        Ok(Picture {
            size,
            detail,
            planes,
        })
    }

    fn logo(&mut self, max: Size) -> Result<Logo, Interruption> {
        match self.answer()? {
            Answer::Logo(size) if size.width <= max.width && size.height <= max.height => {
                let mut pixels = vec![[0; 4]; size.width as usize * size.height as usize];
                self.process.read_exact(pixels.as_flattened_mut())?;
                Logo::new(size, pixels).ok_or_else(|| unexpected(&Answer::Logo(size)).into())
            }
            other => Err(unexpected(&other).into()),
        }
    }

    fn soundtrack(&mut self, seconds: f64, wav: &File) -> Result<(), Interruption> {
        let most = (seconds + WAV_SLACK) * f64::from(crate::sound::MAX_RATE);
        let most = WAV_HEADER + WAV_FRAME * most as u64;
        match self.answer()? {
            Answer::Soundtrack(bytes) if bytes <= most => Ok(self.process.copy_to(wav, bytes)?),
            other => Err(unexpected(&other).into()),
        }
    }

    /// The next answer, unless it is why there is none.
    fn answer(&mut self) -> Result<Answer, Interruption> {
        match self.process.receive()? {
            Answer::Rejected(why) => {
                Err(Interruption::Failed(SandboxError::Rejected(sentence(&why))))
            }
            Answer::OutOfMemory => Err(Interruption::OutOfMemory),
            answer => Ok(answer),
        }
    }
}

/// What a process says, fit for anyone to read.
fn sentence(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(MAX_SENTENCE).collect()
}
