//! Bytes of a soundtrack → stereo PCM that lasts exactly as long as the video.
//!
//! ```text
//! decode (with vorbis) ─ bytes → packets → stereo, no more than is needed
//! mix ─ any channels → two
//! halve ─ rates that nobody hears → rates that fit the memory
//! arrange ─ the clip cut or looped, faded, turned down: what is heard at each moment; pure
//! wav ─ the header and the samples, for an encoder
//! ```
//!
//! The sample rate of the file is kept, up to [`MAX_RATE`]: the header carries it, and the encoder resamples.

mod arrange;
mod decode;
mod error;
mod halve;
mod mix;
mod vorbis;
mod wav;

pub use crate::media_type::SoundFormat as Format;
pub use decode::MAX_RATE;
pub use error::SoundError;

use crate::media_type::{self, Kind};
use arrange::Arrangement;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Stereo sound of a given length, made sample by sample from the clip that it holds.
#[derive(Clone, Debug)]
pub struct Track {
    rate: u32,
    arrangement: Arrangement,
}

impl Track {
    /// In Hz; at most [`MAX_RATE`].
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Left and right, from the first moment to the last.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = [i16; 2]> + '_ {
        self.arrangement.frames()
    }

    /// Writes a whole WAV file: 16-bit stereo PCM behind the 44 bytes of the plain header.
    ///
    /// # Errors
    /// Whatever `out` says, and a length whose bytes the header cannot count: six hours at 48 kHz.
    pub fn write_wav(&self, out: impl io::Write) -> io::Result<()> {
        wav::write(out, self.rate, self.frames())
    }
}

/// Makes `length` seconds of sound from a whole file: MP3, AAC, M4A (or the sound of an MP4), Ogg Vorbis, FLAC or
/// WAV, told by its content.
///
/// No more than the first `length` seconds are decoded; a shorter file is repeated. What cannot be decoded in the
/// middle of a file is left out, as players do. Loud sound is turned down so far that what becomes of it in a lossy
/// format hardly ever exceeds -1 dBFS.
///
/// # Errors
/// A sentence for the caller when the bytes are no such sound, or none of it can be decoded.
pub fn soundtrack(bytes: &[u8], length: f64) -> Result<Track, SoundError> {
    let (format, bytes) = sniff(bytes)?;
    let clip = caught(|| decode::decode(format, bytes, length));
    let clip = clip.unwrap_or(Err(SoundError::Undecodable(format)))?;
    Ok(Track {
        rate: clip.rate,
        arrangement: Arrangement::new(clip.frames, clip.rate, length),
    })
}

/// The format of sound with a decoder, and the bytes after any tags.
fn sniff(bytes: &[u8]) -> Result<(Format, &[u8]), SoundError> {
    if bytes.is_empty() {
        return Err(SoundError::Empty);
    }
    let found = media_type::sniff(bytes).ok_or(SoundError::Unknown)?;
    match found.kind {
        Kind::Sound(format) => Ok((format, &bytes[found.start..])),
        Kind::OtherSound => Err(SoundError::OtherFormat(found.name)),
        Kind::Id3 => Err(SoundError::Damaged(Format::Mp3)),
        _ => Err(SoundError::LooksLike(found.name)),
    }
}

/// Runs a decoder that may panic on hostile files instead of failing. `None` then.
fn caught<T>(decoder: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(decoder)).ok()
}
