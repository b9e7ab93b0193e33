//! Decodes what strangers send in child processes of this program, whose memory and time are limited, and
//! which can do nothing but compute.
//!
//! ```text
//! pool ─ processes that were started ahead
//! process (with running) ─ one of them, which is killed in time
//! conversation ─ sends it a file, and receives what it answers
//! protocol ─ what goes over the pipes
//! child ─ the other end: confines itself, decodes, answers
//! heif ─ a converter that is not ours, confined as well
//! ```
//!
//! A process decodes the files of one [`Session`], so that nothing of one stranger's file is left for another's,
//! and ends. A file first gets the memory that ordinary ones need; one that needs more is tried again with all
//! of it in a process of its own, one file at a time, so that many at once stay bounded as well.

mod child;
mod conversation;
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
pub use heif::probe as probe_heif;
pub use settings::Settings;

use crate::picture::{Detail, Limits, Logo, Picture};
use crate::spec::Size;
use conversation::{Conversation, Interruption};
use heif::Converted;
use pool::Pool;
use process::DecodeProcess;
use protocol::{Request, Task};
use running::{Ending, Watchdog};

/// The subcommand of this program that decodes.
pub const SUBCOMMAND: &str = "decode";

/// What an ordinary file may take, in bytes: a photo of 40 megapixels.
const ORDINARY_MEMORY: u64 = 256 << 20;

/// Files that one process decodes at most.
const FILES_PER_PROCESS: u32 = 32;

/// The longest sentence of a decoder, in characters.
const MAX_SENTENCE: usize = 300;

/// Where processes for decoding come from; cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pool: Arc<Pool>,
    settings: Settings,
    limits: Limits,
    runtime: Handle,
    /// For files that need more memory than others: one at a time.
    large: Arc<Semaphore>,
}

/// Decodes the files that one client has sent for one video, one after the other.
///
/// They share a process as long as it does well, and it keeps the memory that it was given: to start one and
/// to be given memory takes a third of the time of a small photo.
pub struct Session {
    sandbox: Sandbox,
    /// Has done what it was asked for, and waits for the next file.
    process: Option<DecodeProcess>,
}

/// Starts a process, and tells what this system lacks to confine it.
///
/// # Errors
/// If it cannot be started, or not be confined.
pub fn probe(settings: &Settings, runtime: &Handle) -> io::Result<Vec<String>> {
    let started = DecodeProcess::start(settings, runtime, &CancellationToken::new());
    started.map(|(_, missing)| missing)
}

/// What came of one process.
enum Attempt<T> {
    Decoded(T),
    /// The memory was not enough, for a photo of this size if it is known; after how long.
    OutOfMemory(Option<Size>, Duration),
}

/// A file to decode.
#[derive(Clone, Copy)]
struct Source<'a> {
    file: &'a File,
    /// As [`Request::is_upright`].
    is_upright: bool,
    /// What is left for it.
    time: Duration,
}

impl Sandbox {
    /// `runtime` runs the watchdogs.
    ///
    /// # Errors
    /// If the thread that starts the processes cannot be started.
    pub fn start(settings: &Settings, limits: Limits, runtime: Handle) -> io::Result<Self> {
        Ok(Self {
            pool: Arc::new(Pool::start(settings.clone(), runtime.clone())?),
            settings: settings.clone(),
            limits,
            runtime,
            large: Arc::new(Semaphore::new(1)),
        })
    }

    /// For the files of one client.
    pub fn session(&self) -> Session {
        Session {
            sandbox: self.clone(),
            process: None,
        }
    }

    /// What a file gets first, in bytes.
    fn ordinary_memory(&self) -> u64 {
        ORDINARY_MEMORY.min(self.settings.max_memory)
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

    /// What has become of a process that does not answer as it should; `Ok`: the memory was not enough.
    fn explain(
        &self,
        process: &DecodeProcess,
        watchdog: &Watchdog,
        error: &io::Error,
        cancel: &CancellationToken,
    ) -> Result<(), SandboxError> {
        let ending = process.running.end();
        if cancel.is_cancelled() {
            return Err(SandboxError::Cancelled);
        }
        match ending {
            _ if watchdog.was_late() => Err(SandboxError::TooSlow(self.settings.time_limit)),
            Ok(Ending::OutOfTime) => Err(SandboxError::TooSlow(self.settings.time_limit)),
            Ok(Ending::OutOfMemory) => Ok(()),
            Ok(Ending::Exited(status, words)) => {
                let error = sentence(&error.to_string());
                warn!("a decoding process failed ({error}), and ended with {status}: {words}");
                Err(SandboxError::Died)
            }
            Err(unknown) => {
                warn!("how a decoding process has ended is not known: {unknown}");
                Err(SandboxError::Died)
            }
        }
    }
}

impl Session {
    /// Ends the process, with the memory that it keeps. Another is started for the next file.
    pub fn pause(&mut self) {
        self.process = None;
    }

    /// Decodes a photo. `directory` is for files on the way; `detail` gets the upright size of the photo, in
    /// pixels, and may be asked twice. Blocks.
    pub fn photo(
        &mut self,
        file: &File,
        directory: &Path,
        detail: impl Fn(Size) -> Detail,
        cancel: &CancellationToken,
    ) -> Result<Picture, SandboxError> {
        let converted = self.sandbox.convert_heif(file, directory, cancel)?;
        let source = self.source(file, converted.as_ref());
        let task = Task::Photo(self.sandbox.limits);
        self.decode(source, task, cancel, |conversation| {
            conversation.photo(&detail)
        })
    }

    /// Decodes a logo, fitted to `max`. `directory` is for files on the way. Blocks.
    pub fn logo(
        &mut self,
        file: &File,
        directory: &Path,
        max: Size,
        cancel: &CancellationToken,
    ) -> Result<Logo, SandboxError> {
        let converted = self.sandbox.convert_heif(file, directory, cancel)?;
        let source = self.source(file, converted.as_ref());
        let task = Task::Logo(self.sandbox.limits, max);
        self.decode(source, task, cancel, |conversation| conversation.logo(max))
    }

    /// Decodes a soundtrack of a length in seconds, and writes it to a new WAV file. Blocks.
    pub fn soundtrack(
        &mut self,
        file: &File,
        seconds: f64,
        wav: &File,
        cancel: &CancellationToken,
    ) -> Result<(), SandboxError> {
        let source = self.source(file, None);
        let task = Task::Soundtrack(seconds);
        self.decode(source, task, cancel, |conversation| {
            conversation.soundtrack(seconds, wav)
        })
    }

    /// A file, or what it was converted to.
    fn source<'a>(&self, file: &'a File, converted: Option<&'a Converted>) -> Source<'a> {
        let limit = self.sandbox.settings.time_limit;
        match converted {
            None => Source {
                file,
                is_upright: false,
                time: limit,
            },
            Some(converted) => Source {
                file: &converted.png,
                is_upright: true,
                time: limit.saturating_sub(converted.took),
            },
        }
    }

    /// Gives a file to a process with the memory of ordinary ones, and if that is not enough to another
    /// with all of it.
    fn decode<T>(
        &mut self,
        mut source: Source,
        task: Task,
        cancel: &CancellationToken,
        talk: impl Fn(&mut Conversation) -> Result<T, Interruption>,
    ) -> Result<T, SandboxError> {
        let max = self.sandbox.settings.max_memory;
        let ordinary = self.sandbox.ordinary_memory();
        match self.try_to_decode(&source, task, ordinary, cancel, &talk)? {
            Attempt::Decoded(decoded) => return Ok(decoded),
            Attempt::OutOfMemory(size, _) if ordinary == max => {
                return Err(SandboxError::TooMuchMemory { limit: max, size });
            }
            Attempt::OutOfMemory(_, took) => source.time = source.time.saturating_sub(took),
        }
        let _permit = self.sandbox.large_permit(cancel)?;
        match self.try_to_decode(&source, task, max, cancel, &talk)? {
            Attempt::Decoded(decoded) => Ok(decoded),
            Attempt::OutOfMemory(size, _) => Err(SandboxError::TooMuchMemory { limit: max, size }),
        }
    }

    fn try_to_decode<T>(
        &mut self,
        source: &Source,
        task: Task,
        memory: u64,
        cancel: &CancellationToken,
        talk: &impl Fn(&mut Conversation) -> Result<T, Interruption>,
    ) -> Result<Attempt<T>, SandboxError> {
        let Source {
            file,
            is_upright,
            time,
        } = *source;
        let request = Request {
            task,
            is_upright,
            file_bytes: file.metadata().map_err(SandboxError::Unreadable)?.len(),
            memory,
        };
        let kept = self.process.take();
        let mut process = match kept {
            Some(kept) if memory == self.sandbox.ordinary_memory() && kept.running.is_alive() => {
                kept
            }
            _ => self.sandbox.pool.take(cancel)?,
        };
        let began = Instant::now();
        let watchdog = process.running.watch(time, &self.sandbox.runtime, cancel);
        let mut conversation = Conversation {
            process: &mut process,
            limits: self.sandbox.limits,
        };
        let sent = conversation.begin(file, &request);
        match sent.and_then(|()| talk(&mut conversation)) {
            Ok(decoded) => {
                let is_well = watchdog.stop();
                if is_well && memory == self.sandbox.ordinary_memory() {
                    self.process = process.for_another();
                }
                Ok(Attempt::Decoded(decoded))
            }
            Err(Interruption::OutOfMemory(size)) => Ok(Attempt::OutOfMemory(size, began.elapsed())),
            Err(Interruption::Failed(error)) => Err(error),
            Err(Interruption::Broken(error)) => self
                .sandbox
                .explain(&process, &watchdog, &error, cancel)
                .map(|()| Attempt::OutOfMemory(None, began.elapsed())),
        }
    }
}

/// What a process says, fit for anyone to read.
fn sentence(text: &str) -> String {
    let plain = text.trim().chars().filter(|c| !c.is_control());
    plain.take(MAX_SENTENCE).collect()
}
