//! What the service says to a decoding process and hears from it, about one file.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::Arc;

use super::SandboxError;
use super::process::{DecodeProcess, unexpected};
use super::protocol::{Answer, Request};
use super::sentence;
use crate::picture::{Detail, Limits, Logo, Picture};
use crate::sound;
use crate::spec::Size;

/// What a soundtrack may have beyond its length, in seconds.
const SOUND_SLACK: f64 = 1.0;

/// Bytes of a soundtrack that are copied at once.
const COPIED_BYTES: usize = 64 << 10;

/// A file that one process has been given.
pub struct Conversation<'a> {
    pub process: &'a mut DecodeProcess,
    pub limits: Limits,
}

/// Why there was no answer to work with.
pub enum Interruption {
    /// The memory was not enough, for a photo of this size if it is known.
    OutOfMemory(Option<Size>),
    Failed(SandboxError),
    /// The process is gone, or has said something that it should not.
    Broken(io::Error),
}

impl From<io::Error> for Interruption {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Conversation<'_> {
    pub fn begin(&mut self, file: &File, request: &Request) -> Result<(), Interruption> {
        let sent = self.process.send(request);
        match sent.and_then(|()| self.process.send_file(file, request.file_bytes)) {
            // A process that gives up while it is sent a file has told why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            // It has become shorter.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Interruption::Failed(SandboxError::Unreadable(error)))
            }
            sent => Ok(sent?),
        }
    }

    pub fn photo(&mut self, detail: &impl Fn(Size) -> Detail) -> Result<Picture, Interruption> {
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
            planes: planes.map(Arc::new),
        })
    }

    pub fn logo(&mut self, max: Size) -> Result<Logo, Interruption> {
        match self.answer()? {
            Answer::Logo(size) if size.width <= max.width && size.height <= max.height => {
                let mut pixels = vec![[0; 4]; size.width as usize * size.height as usize];
                self.process.read_exact(pixels.as_flattened_mut())?;
                Logo::new(size, pixels).ok_or_else(|| unexpected(&Answer::Logo(size)).into())
            }
            other => Err(unexpected(&other).into()),
        }
    }

    /// Writes a WAV file with a header of ours, so that nobody else chooses what its bytes mean.
    pub fn soundtrack(&mut self, seconds: f64, wav: &File) -> Result<(), Interruption> {
        let (rate, frames) = match self.answer()? {
            Answer::Soundtrack { rate, frames } => (rate, frames),
            other => return Err(unexpected(&other).into()),
        };
        let most = (seconds + SOUND_SLACK) * f64::from(rate);
        if !(1..=sound::MAX_RATE).contains(&rate) || frames as f64 > most {
            return Err(unexpected(&Answer::Soundtrack { rate, frames }).into());
        }
        begin_wav(wav, rate, frames).map_err(not_written)?;
        let mut left = frames * u64::from(sound::BYTES_PER_FRAME);
        let mut buffer = vec![0; COPIED_BYTES];
        while left > 0 {
            let count = left.min(buffer.len() as u64);
            let samples = &mut buffer[..count as usize];
            self.process.read_exact(samples)?;
            (&mut &*wav).write_all(samples).map_err(not_written)?;
            left -= count;
        }
        Ok(())
    }

    /// The next answer, unless it is why there is none.
    fn answer(&mut self) -> Result<Answer, Interruption> {
        match self.process.receive()? {
            Answer::Rejected(why) => {
                Err(Interruption::Failed(SandboxError::Rejected(sentence(&why))))
            }
            Answer::OutOfMemory(size) => Err(Interruption::OutOfMemory(size)),
            answer => Ok(answer),
        }
    }
}

/// Begins the file anew: an earlier process may have left something in it.
fn begin_wav(mut wav: &File, rate: u32, frames: u64) -> io::Result<()> {
    wav.set_len(0)?;
    wav.rewind()?;
    sound::write_wav_header(wav, rate, frames)
}

fn not_written(error: io::Error) -> Interruption {
    Interruption::Failed(SandboxError::NotWritten(error))
}
