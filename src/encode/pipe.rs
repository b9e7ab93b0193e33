//! The pipe through which ffmpeg is given its frames.
//!
//! Frames that are larger than the pipe are not copied into it. It is given references to their memory (vmsplice(2)), from
//! which ffmpeg reads them: this saves a twentieth of the processor time of a video. A frame must not change until it has
//! been read, which is certain when the next one is in the pipe, because both do not fit.

use std::io;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, write};
use tokio_util::sync::CancellationToken;

/// What the pipe holds: the most that Linux allows without privileges.
const CAPACITY: usize = 1 << 20;

/// Without anything being read at the other end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between looks whether anybody still wants the video.
const LOOK_INTERVAL: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

pub struct FramePipe {
    /// `None`: closed.
    input: Option<ChildStdin>,
    cancel: CancellationToken,
    /// The last frame, if the pipe may still refer to it. Kept until ffmpeg has ended.
    referred: Option<Vec<u8>>,
}

impl FramePipe {
    /// Nothing more is written once `cancel` is cancelled, whoever may hold the other end.
    pub fn new(input: Option<ChildStdin>, cancel: CancellationToken) -> io::Result<Self> {
        if let Some(input) = &input {
            #[cfg(target_os = "linux")]
            // Err: the system allows less, and it takes more turns.
            let _ = rustix::pipe::fcntl_setpipe_size(input, CAPACITY);
            fcntl_setfl(input, fcntl_getfl(input)? | OFlags::NONBLOCK)?;
        }
        Ok(Self {
            input,
            cancel,
            referred: None,
        })
    }

    /// Copies `bytes` into the pipe. Err: also `TimedOut`, if nothing is read for long.
    pub fn copy(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.put(bytes, |input, rest| write(input, rest))
    }

    /// Lets `put` take all of `bytes`, piece by piece, as there is room.
    fn put(
        &self,
        bytes: &[u8],
        put: impl Fn(&ChildStdin, &[u8]) -> Result<usize, Errno>,
    ) -> io::Result<()> {
        let Some(input) = &self.input else {
            return Ok(());
        };
        let mut rest = bytes;
        let mut moved = Instant::now();
        while !rest.is_empty() {
            match put(input, rest) {
                Ok(count) => {
                    rest = &rest[count..];
                    moved = Instant::now();
                }
                Err(Errno::AGAIN) => self.wait_for_room(input, moved)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn wait_for_room(&self, input: &ChildStdin, moved: Instant) -> io::Result<()> {
        if self.cancel.is_cancelled() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if moved.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match poll(
            &mut [PollFd::new(input, PollFlags::OUT)],
            Some(&LOOK_INTERVAL),
        ) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a frame into the pipe, and gives back one that has left it: this one, or the one before, or none for the first.
    pub fn frame(&mut self, frame: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        if frame.len() < CAPACITY {
            self.copy(&frame)?;
            return Ok(Some(frame));
        }
        let referred = self.refer(&frame);
        // Also after a failure: a part of it may be in the pipe.
        let read = self.referred.replace(frame);
        referred.map(|()| read)
    }

    #[cfg(target_os = "linux")]
    fn refer(&self, frame: &[u8]) -> io::Result<()> {
        use nix::fcntl::{SpliceFFlags, vmsplice};

        self.put(frame, |input, rest| {
            let pieces = [io::IoSlice::new(rest)];
            match vmsplice(input, &pieces, SpliceFFlags::SPLICE_F_NONBLOCK) {
                Ok(count) => Ok(count),
                Err(error) => match Errno::from_raw_os_error(error as i32) {
                    passing @ (Errno::AGAIN | Errno::INTR | Errno::PIPE) => Err(passing),
                    // Some containers do not allow it.
                    _ => write(input, rest),
                },
            }
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn refer(&mut self, frame: &[u8]) -> io::Result<()> {
        self.copy(frame)
    }

    /// Tells ffmpeg that there are no more frames.
    pub fn close(&mut self) {
        self.input = None;
    }
}
