//! Canonical WAV files: RIFF header, `fmt ` and `data`, 44 bytes before the samples.

use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};

/// Bytes before the samples.
const HEADER: u32 = 44;
const CHANNELS: u16 = 2;

/// Of a left and a right sample of 16 bits.
pub const BYTES_PER_FRAME: u16 = 2 * CHANNELS;

/// Writes what comes before so many frames, `rate` of them a second.
///
/// # Errors
/// Any error of `out`, and a file of more than 4 GiB: six hours at 48 kHz.
pub fn write_header(mut out: impl Write, rate: u32, frames: u64) -> io::Result<()> {
    let bytes = u32::try_from(frames)
        .ok()
        .and_then(|frames| frames.checked_mul(u32::from(BYTES_PER_FRAME)))
        .filter(|bytes| bytes.checked_add(HEADER).is_some())
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "too long for a WAV file"))?;
    let mut header = Vec::with_capacity(HEADER as usize);
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&(HEADER - 8 + bytes).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend_from_slice(&16_u32.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes()); // PCM
    header.extend_from_slice(&CHANNELS.to_le_bytes());
    header.extend_from_slice(&rate.to_le_bytes());
    header.extend_from_slice(&(rate * u32::from(BYTES_PER_FRAME)).to_le_bytes());
    header.extend_from_slice(&BYTES_PER_FRAME.to_le_bytes());
    header.extend_from_slice(&16_u16.to_le_bytes()); // bits per sample
    header.extend_from_slice(b"data");
    header.extend_from_slice(&bytes.to_le_bytes());
    out.write_all(&header)
}

/// Reads a file that [`write_header`] began: its rate in Hz, and its frames. They end early where it cannot be read.
///
/// # Errors
/// Any error while the header is read.
pub fn read(mut wav: impl Read) -> io::Result<(u32, impl Iterator<Item = [i16; 2]>)> {
    /// Of the rate in the header.
    const RATE: std::ops::Range<usize> = 24..28;
    let mut header = [0; HEADER as usize];
    wav.read_exact(&mut header)?;
    let mut rate = [0; 4];
    rate.copy_from_slice(&header[RATE]);
    let mut samples = BufReader::with_capacity(1 << 16, wav);
    let frames = std::iter::from_fn(move || {
        let mut frame = [0; BYTES_PER_FRAME as usize];
        samples.read_exact(&mut frame).ok()?;
        let [a, b, c, d] = frame;
        Some([i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d])])
    });
    Ok((u32::from_le_bytes(rate), frames))
}

/// Writes left and right samples.
pub(super) fn write_samples(
    out: impl Write,
    frames: impl Iterator<Item = [i16; 2]>,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for [left, right] in frames {
        out.write_all(&left.to_le_bytes())?;
        out.write_all(&right.to_le_bytes())?;
    }
    out.flush()
}
