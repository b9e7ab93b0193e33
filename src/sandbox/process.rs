//! A decoding process, seen from the service.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::protocol::{self, Answer};
use super::{SUBCOMMAND, Settings};
use crate::allocator;
use crate::confinement::this_program;

/// What a pipe holds: the most that Linux allows without privileges.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// A process that waits for a file, or decodes it. Killed when this is dropped.
pub struct DecodeProcess {
    /// Shared with the watchdog.
    child: Arc<Mutex<Child>>,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

/// Kills a process at its deadline, or when its work is cancelled.
pub struct Watchdog {
    task: AbortHandle,
    late: Arc<AtomicBool>,
}

/// How a process ended that gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was given no more memory, and gave up.
    OutOfMemory,
    /// It has used all of its time on the processor.
    OutOfTime,
    Died(ExitStatus),
}

impl DecodeProcess {
    /// Starts a process and waits until it has confined itself. Tells what its system lacks for that.
    pub fn start(settings: &Settings) -> io::Result<(Self, Vec<String>)> {
        let program = settings.program.clone().map_or_else(this_program, Ok)?;
        let mut command = Command::new(program);
        command
            .arg(SUBCOMMAND)
            .arg(settings.max_memory.to_string())
            .arg(settings.time_limit.as_millis().to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Out of reach of a Ctrl-C at the terminal, which is the service's to answer.
            .process_group(0);
        allocator::set_env(&mut command);
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let child = Arc::new(Mutex::new(child));
        let (stdin, stdout) = pipes.ok_or(ErrorKind::BrokenPipe)?;
        // Err: the system allows less, and it takes more turns.
        #[cfg(target_os = "linux")]
        let _ = (
            rustix::pipe::fcntl_setpipe_size(&stdin, PIPE_BYTES),
            rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES),
        );
        let mut process = Self {
            child,
            stdin,
            stdout,
        };
        match process.receive()? {
            Answer::Ready(missing) => Ok((process, missing)),
            other => Err(unexpected(&other)),
        }
    }

    /// Whether it still waits for a file.
    pub fn is_alive(&self) -> bool {
        matches!(lock(&self.child).try_wait(), Ok(None))
    }

    pub fn watch(&self, time: Duration, runtime: &Handle, cancel: &CancellationToken) -> Watchdog {
        let (child, cancel) = (self.child.clone(), cancel.clone());
        let late = Arc::new(AtomicBool::new(false));
        let is_late = late.clone();
        let task = runtime.spawn(async move {
            let cancelled = tokio::time::timeout(time, cancel.cancelled()).await;
            is_late.store(cancelled.is_err(), Ordering::Relaxed);
            // Err: it has just ended by itself.
            let _ = lock(&child).kill();
        });
        Watchdog {
            task: task.abort_handle(),
            late,
        }
    }

    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        protocol::send(&mut self.stdin, message)
    }

    /// Sends a whole file.
    pub fn send_file(&mut self, mut file: &File, bytes: u64) -> io::Result<()> {
        file.rewind()?;
        io::copy(&mut file.take(bytes), &mut self.stdin).map(drop)
    }

    pub fn receive(&mut self) -> io::Result<Answer> {
        protocol::receive(&mut self.stdout)
    }

    pub fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.stdout.read_exact(buffer)
    }

    /// Copies so many bytes that it sends; fewer are an error.
    pub fn copy_to(&mut self, mut out: &File, bytes: u64) -> io::Result<()> {
        let copied = io::copy(&mut (&mut self.stdout).take(bytes), &mut out)?;
        if copied < bytes {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        out.flush()
    }

    /// Ends it, unless it has just ended by itself, and tells how.
    pub fn end(self) -> io::Result<Ending> {
        let mut child = lock(&self.child);
        // Changes nothing for one that is dead.
        let _ = child.kill();
        let status = child.wait()?;
        let signal = status.signal().and_then(Signal::from_named_raw);
        Ok(match signal {
            // Rust's answer to an allocation that fails.
            Some(Signal::ABORT) => Ending::OutOfMemory,
            Some(Signal::XCPU) => Ending::OutOfTime,
            _ => Ending::Died(status),
        })
    }
}

impl Drop for DecodeProcess {
    fn drop(&mut self) {
        // Both fail if it is gone already.
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Watchdog {
    /// Whether it has killed the process because of its deadline.
    pub fn was_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    // A handle to a process cannot be left half changed.
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error of an answer that was not its turn.
pub fn unexpected(answer: &Answer) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("unexpected {answer:?}"))
}
