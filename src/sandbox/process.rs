//! A decoding process, seen from the service: it is sent a file, and answers.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::protocol::{self, Answer};
use super::running::Running;
use super::{FILES_PER_PROCESS, SUBCOMMAND, Settings};
use crate::allocator;
use crate::confinement::this_program;

/// What a pipe holds: the most that Linux allows without privileges.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// How long one may take to start, on a machine that is very busy.
pub const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A process that waits for a file, or decodes it.
pub struct DecodeProcess {
    pub running: Running,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// For how many files it is good.
    files_left: u32,
}

impl DecodeProcess {
    /// Starts a process and waits until it has confined itself, or `cancel` is cancelled. Tells what its
    /// system lacks for that.
    pub fn start(
        settings: &Settings,
        runtime: &Handle,
        cancel: &CancellationToken,
    ) -> io::Result<(Self, Vec<String>)> {
        let program = settings.program.clone().map_or_else(this_program, Ok)?;
        let mut command = Command::new(program);
        command
            .arg(SUBCOMMAND)
            .arg(settings.max_memory.to_string())
            .arg(settings.time_limit.as_millis().to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        allocator::keep_blocks(&mut command);
        let running = Running::start(&mut command)?;
        let (stdin, stdout) = running.pipes().ok_or(ErrorKind::BrokenPipe)?;
        // Err: the system allows less, and it takes more turns.
        #[cfg(target_os = "linux")]
        let _ = (
            rustix::pipe::fcntl_setpipe_size(&stdin, PIPE_BYTES),
            rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES),
        );
        let mut process = Self {
            running,
            stdin,
            stdout,
            files_left: FILES_PER_PROCESS,
        };
        let _watchdog = process.running.watch(START_TIMEOUT, runtime, cancel);
        match process.receive()? {
            Answer::Ready(missing) => Ok((process, missing)),
            other => Err(unexpected(&other)),
        }
    }

    /// The same process after a file, unless it has decoded enough of them.
    pub fn for_another(mut self) -> Option<Self> {
        self.files_left = self.files_left.saturating_sub(1);
        (self.files_left > 0).then_some(self)
    }

    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        protocol::send(&mut self.stdin, message)
    }

    /// Sends a whole file.
    pub fn send_file(&mut self, mut file: &File, bytes: u64) -> io::Result<()> {
        file.rewind()?;
        let sent = io::copy(&mut file.take(bytes), &mut self.stdin)?;
        match sent < bytes {
            true => Err(ErrorKind::UnexpectedEof.into()),
            false => Ok(()),
        }
    }

    pub fn receive(&mut self) -> io::Result<Answer> {
        protocol::receive(&mut self.stdout)
    }

    pub fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.stdout.read_exact(buffer)
    }
}

/// The error of an answer that was not its turn.
pub fn unexpected(answer: &Answer) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("unexpected {answer:?}"))
}
