//! CCITT bilevel codings: one bit per pixel, 1 for black (TIFF 6.0, sections 10 and 11).

use super::compression::{CCITT_RLE, CCITT_T4, CCITT_T6};
use super::header::Header;
use fax::decoder::{DecodeStatus, Group4Decoder};
use fax::maps::{black, white};
use fax::{BitReader, ByteReader};
use std::convert::Infallible;

/// The bit of T4Options for rows that refer to the row before, which `fax` has no decoder for.
const TWO_DIMENSIONAL: u64 = 1;

/// Whether [`decode`] knows the coding.
pub(super) fn is_supported(header: &Header) -> bool {
    header.compression != CCITT_T4 || header.t4_options & TWO_DIMENSIONAL == 0
}

/// Decompresses `rows` rows. `None` for damaged or cut data, or a picture wider than 65,535 pixels.
pub(super) fn decode(header: &Header, data: &[u8], rows: usize) -> Option<Vec<u8>> {
    let width = u16::try_from(header.grid.width).ok()?;
    let mut out = vec![0; usize::from(width).div_ceil(8) * rows];
    let lines = out.chunks_exact_mut(usize::from(width).div_ceil(8));
    // `fax` looks at more bits than the last code has.
    let input = data.iter().chain(&[0; 2]).map(|&byte| Ok(byte));
    if header.compression == CCITT_T6 {
        let mut decoder = Group4Decoder::<_>::new(input, width).ok()?;
        for line in lines {
            if decoder.advance().ok()? == DecodeStatus::End {
                // Encoders may leave out white lines at the end. Without the mark, the data are cut.
                if !ends_with_mark(data) {
                    return None;
                }
                break;
            }
            draw(decoder.transition(), width, line);
        }
    } else {
        let mut rows = Rows {
            reader: ByteReader::new(input).ok()?,
            width,
            aligned: header.compression == CCITT_RLE,
        };
        for line in lines {
            draw(&rows.next()?, width, line);
        }
    }
    Some(out)
}

/// Whether data of T.6 have their end, two ends of a line, before what fills the last byte.
fn ends_with_mark(data: &[u8]) -> bool {
    let filled = data
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let last = &data[filled.saturating_sub(4)..filled];
    let bits = last
        .iter()
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    bits != 0 && (bits >> bits.trailing_zeros()) & 0xff_ffff == 0x00_1001
}

/// Rows in one-dimensional coding.
struct Rows<R> {
    reader: ByteReader<R>,
    width: u16,
    /// Whether each row begins at a byte. If not, a mark separates rows.
    aligned: bool,
}

impl<R: Iterator<Item = Result<u8, Infallible>>> Rows<R> {
    /// Where the colours of the next row change, from white on.
    fn next(&mut self) -> Option<Vec<u16>> {
        if !self.aligned {
            self.skip_marks();
        }
        let mut changes = Vec::new();
        let mut at: u16 = 0;
        let mut is_white = true;
        while at < self.width {
            at = at.checked_add(self.run(is_white)?)?.min(self.width);
            changes.push(at);
            is_white = !is_white;
        }
        if self.aligned {
            self.skip(self.reader.bits_to_byte_boundary());
        }
        Some(changes)
    }

    /// Skips ends of lines: eleven zeros or more, which no run has, and a one.
    fn skip_marks(&mut self) {
        while self.reader.peek(11) == Some(0) {
            while self.reader.peek(1) == Some(0) {
                self.skip(1);
            }
            self.skip(1);
        }
    }

    /// The length of a run: codes for multiples of 64, and one for the rest.
    fn run(&mut self, is_white: bool) -> Option<u16> {
        let mut run: u16 = 0;
        loop {
            let code = if is_white {
                white::decode(&mut self.reader)?
            } else {
                black::decode(&mut self.reader)?
            };
            run = run.checked_add(code)?;
            if code < 64 {
                return Some(run);
            }
        }
    }

    fn skip(&mut self, bits: u8) {
        // Reading from memory cannot fail.
        let _ = self.reader.consume(bits);
    }
}

/// Sets the bits of black runs, which begin at every other change.
fn draw(changes: &[u16], width: u16, line: &mut [u8]) {
    for run in changes.chunks(2) {
        let end = run.get(1).copied().unwrap_or(width).min(width);
        for x in usize::from(run[0])..usize::from(end) {
            line[x / 8] |= 0x80 >> (x % 8);
        }
    }
}
