//! Bytes of a soundtrack → stereo PCM exactly as long as the video.
//!
//! ```text
//! decode (with open, vorbis) ─ bytes → packets, no more than needed
//! clip (with mix, decimate) ─ packets → stereo frames, at a rate up to MAX_RATE
//! arrange ─ the clip cut or looped, faded, limited in loudness; pure
//! wav ─ header and samples, for an encoder
//! beats ─ stereo frames → the times of beats
//! ```
//!
//! The sample rate of the file is kept, up to [`MAX_RATE`]: the WAV header states it, and the encoder resamples.

mod arrange;
mod beats;
mod clip;
mod decimate;
mod decode;
mod error;
mod mix;
mod open;
mod vorbis;
mod wav;

pub use crate::media_type::SoundFormat as Format;
pub use beats::Beats;
pub use clip::MAX_RATE;
pub use error::SoundError;
pub use wav::{BYTES_PER_FRAME, read as read_wav, write_header as write_wav_header};

use crate::media_type::{self, Kind};
use arrange::Arrangement;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Stereo sound of a given length, computed frame by frame from a decoded clip.
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

    /// Left and right samples, in order.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = [i16; 2]> + '_ {
        self.arrangement.frames()
    }

    /// Writes a whole WAV file: 16-bit stereo PCM behind the 44 bytes of the plain header.
    ///
    /// # Errors
    /// As [`write_wav_header`].
    pub fn write_wav(&self, mut out: impl io::Write) -> io::Result<()> {
        write_wav_header(&mut out, self.rate, self.frames().len() as u64)?;
        self.write_samples(out)
    }

    /// Writes the samples alone, [`BYTES_PER_FRAME`] for each frame: those of a WAV file.
    ///
    /// # Errors
    /// Any error of `out`.
    pub fn write_samples(&self, out: impl io::Write) -> io::Result<()> {
        wav::write_samples(out, self.frames())
    }
}

/// Makes `length` seconds of sound from a complete file: MP3, AAC, M4A (or the sound of an MP4), Ogg Vorbis, FLAC or
/// WAV, recognised by its content.
///
/// Only the first `length` seconds are decoded; a shorter file is repeated. Damaged packets are skipped, as in players.
/// Loud sound is attenuated, so that its peaks rarely exceed -1 dBFS after lossy encoding.
///
/// # Errors
/// When the bytes are not sound in one of these formats, or none of it can be decoded.
pub fn soundtrack(bytes: &[u8], length: f64) -> Result<Track, SoundError> {
    let (format, bytes) = sniff(bytes)?;
    let clip = catch_panic(|| decode::decode(format, bytes, length));
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

/// Runs a decoder, which may panic on a malformed file. `None` after a panic.
fn catch_panic<T>(decoder: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(decoder)).ok()
}
