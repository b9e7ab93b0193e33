//! A decoding process, seen from the service: it is sent a file, and answers.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use serde::Serialize;

use super::protocol::{self, Answer};
use super::running::Running;
use super::{SUBCOMMAND, Settings};
use crate::allocator;
use crate::confinement::this_program;

/// What a pipe holds: the most that Linux allows without privileges.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// A process that waits for a file, or decodes it.
pub struct DecodeProcess {
    pub running: Running,
    stdin: ChildStdin,
    stdout: ChildStdout,
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
            .stderr(Stdio::null());
        allocator::set_env(&mut command);
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
        };
        match process.receive()? {
            Answer::Ready(missing) => Ok((process, missing)),
            other => Err(unexpected(&other)),
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
}

/// The error of an answer that was not its turn.
pub fn unexpected(answer: &Answer) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("unexpected {answer:?}"))
}
