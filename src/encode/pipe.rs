//! The pipe through which ffmpeg is given its frames.
//!
//! Frames that are larger than the pipe are not copied into it. It is given references to their memory (vmsplice(2)), from
//! which ffmpeg reads them: this saves a twentieth of the processor time of a video. A frame must not change until it has
//! been read, which is certain when the next one is in the pipe, because both do not fit.

use std::io::{self, Write};
use std::process::ChildStdin;

/// What the pipe holds: the most that Linux allows without privileges.
const CAPACITY: usize = 1 << 20;

pub struct FramePipe {
    /// `None`: closed.
    input: Option<ChildStdin>,
    /// The last frame, if the pipe may still refer to it. Kept until ffmpeg has ended.
    referred: Option<Vec<u8>>,
}

impl FramePipe {
    pub fn new(input: Option<ChildStdin>) -> Self {
        #[cfg(target_os = "linux")]
        if let Some(input) = &input {
            // Err: the system allows less, and it takes more turns.
            let _ = rustix::pipe::fcntl_setpipe_size(input, CAPACITY);
        }
        Self {
            input,
            referred: None,
        }
    }

    /// Copies `bytes` into the pipe.
    pub fn copy(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.input {
            Some(input) => input.write_all(bytes),
            None => Ok(()),
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
    fn refer(&mut self, frame: &[u8]) -> io::Result<()> {
        use nix::errno::Errno;
        use nix::fcntl::{SpliceFFlags, vmsplice};

        let mut rest = frame;
        while let (Some(input), false) = (&self.input, rest.is_empty()) {
            match vmsplice(input, &[io::IoSlice::new(rest)], SpliceFFlags::empty()) {
                Ok(bytes) => rest = &rest[bytes..],
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE) => return Err(io::ErrorKind::BrokenPipe.into()),
                // Some containers do not allow it.
                Err(_) => return self.copy(rest),
            }
        }
        Ok(())
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
