//! Canonical WAV files: RIFF header, `fmt ` and `data`, 44 bytes before the samples.

use std::io::{self, BufWriter, ErrorKind, Write};

/// Bytes before the samples.
const HEADER: u32 = 44;
const CHANNELS: u16 = 2;
const BYTES_PER_FRAME: u16 = 2 * CHANNELS;

/// The length of a file of so many frames.
pub(super) fn bytes(frames: usize) -> u64 {
    u64::from(HEADER) + frames as u64 * u64::from(BYTES_PER_FRAME)
}

/// Writes left and right samples of 16 bits, `rate` frames a second.
///
/// # Errors
/// Any error of `out`, and a file of more than 4 GiB.
pub(super) fn write(
    out: impl Write,
    rate: u32,
    frames: impl ExactSizeIterator<Item = [i16; 2]>,
) -> io::Result<()> {
    let bytes = u32::try_from(frames.len())
        .ok()
        .and_then(|frames| frames.checked_mul(u32::from(BYTES_PER_FRAME)))
        .filter(|bytes| bytes.checked_add(HEADER).is_some())
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "too long for a WAV file"))?;
    let mut out = BufWriter::new(out);
    out.write_all(b"RIFF")?;
    out.write_all(&(HEADER - 8 + bytes).to_le_bytes())?;
    out.write_all(b"WAVEfmt ")?;
    out.write_all(&16_u32.to_le_bytes())?;
    out.write_all(&1_u16.to_le_bytes())?; // PCM
    out.write_all(&CHANNELS.to_le_bytes())?;
    out.write_all(&rate.to_le_bytes())?;
    out.write_all(&(rate * u32::from(BYTES_PER_FRAME)).to_le_bytes())?;
    out.write_all(&BYTES_PER_FRAME.to_le_bytes())?;
    out.write_all(&16_u16.to_le_bytes())?; // bits per sample
    out.write_all(b"data")?;
    out.write_all(&bytes.to_le_bytes())?;
    for [left, right] in frames {
        out.write_all(&left.to_le_bytes())?;
        out.write_all(&right.to_le_bytes())?;
    }
    out.flush()
}
