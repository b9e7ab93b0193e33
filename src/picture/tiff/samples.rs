//! Rows of decompressed chunks → numbers from 0 to the largest of 8 or of 16 bits.

use super::header::{Header, Number, Photometric, Predictor};

/// Undoes the predictor of a row (TIFF 6.0, section 14; TIFF Technical Note 3).
pub(super) fn undo_predictor(header: &Header, row: &mut [u8], scratch: &mut Vec<u8>) {
    let stride = header.samples_in_chunk();
    match header.predictor {
        Predictor::None => {}
        Predictor::Horizontal => {
            let size = header.bits / 8;
            for at in (stride * size..row.len() / size * size).step_by(size) {
                let sum = read(&row[at..at + size], header.big_endian)
                    .wrapping_add(read(&row[at - stride * size..][..size], header.big_endian));
                write(&mut row[at..at + size], sum, header.big_endian);
            }
        }
        Predictor::FloatingPoint => {
            for at in stride..row.len() {
                row[at] = row[at].wrapping_add(row[at - stride]);
            }
            // The bytes of all samples are stored by their weight, the highest first.
            let size = header.bits / 8;
            let count = row.len() / size;
            scratch.clear();
            scratch.extend_from_slice(row);
            for (i, sample) in row.chunks_exact_mut(size).enumerate() {
                for (weight, byte) in sample.iter_mut().enumerate() {
                    *byte = scratch[weight * count + i];
                }
                if !header.big_endian {
                    sample.reverse();
                }
            }
        }
    }
}

/// Appends the samples of `row`: indices of a palette as they are, others over the whole range of 8 bits, or of 16 bits
/// if they have more than 8.
///
/// Floating-point numbers run from 0 to 1; what is outside is black or white. Signed integers are read as unsigned ones, as
/// libtiff does.
pub(super) fn unpack(header: &Header, row: &[u8], out: &mut Vec<u16>) {
    out.clear();
    let big_endian = header.big_endian;
    let bits = header.bits;
    match (header.number, bits) {
        (Number::Integer, 8) => out.extend(row.iter().map(|&byte| u16::from(byte))),
        (Number::Integer, 16) => {
            let number = if big_endian {
                u16::from_be_bytes
            } else {
                u16::from_le_bytes
            };
            out.extend(row.as_chunks().0.iter().map(|&bytes| number(bytes)));
        }
        (Number::Float, _) => {
            let samples = row.chunks_exact(bits / 8);
            out.extend(samples.map(|sample| from_float(read(sample, big_endian), bits)));
        }
        (Number::Integer, 24 | 32 | 64) => {
            let samples = row.chunks_exact(bits / 8);
            let value = |sample| full_range(header, read(sample, big_endian));
            out.extend(samples.map(value));
        }
        // Whatever the byte order, the highest bit comes first.
        _ => out.extend((0..row.len() * 8 / bits).map(|i| {
            let value = (i * bits..(i + 1) * bits).fold(0, |value, bit| {
                value << 1 | u64::from(row[bit / 8] >> (7 - bit % 8) & 1)
            });
            full_range(header, value)
        })),
    }
}

fn full_range(header: &Header, value: u64) -> u16 {
    let bits = header.bits as u32;
    if header.photometric == Photometric::Palette {
        return value as u16;
    }
    if bits > 16 {
        return (value >> (bits - 16)) as u16;
    }
    let largest = (1u64 << bits) - 1;
    let range = if header.bits > 8 { 65_535 } else { 255 };
    ((value * range + largest / 2) / largest) as u16
}

fn from_float(value: u64, bits: usize) -> u16 {
    let value = match bits {
        16 => from_half(value as u16),
        32 => f64::from(f32::from_bits(value as u32)),
        _ => f64::from_bits(value),
    };
    // The cast makes a NaN 0.
    (value.clamp(0.0, 1.0) * 65_535.0).round() as u16
}

/// IEEE 754 binary16.
fn from_half(value: u16) -> f64 {
    let sign = if value >> 15 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(value & 0x3ff) / 1024.0;
    match i32::from(value >> 10 & 0x1f) {
        0 => sign * fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => sign * (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

fn read(bytes: &[u8], big_endian: bool) -> u64 {
    let digit = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
    if big_endian {
        bytes.iter().fold(0, digit)
    } else {
        bytes.iter().rev().fold(0, digit)
    }
}

fn write(bytes: &mut [u8], value: u64, big_endian: bool) {
    let byte = |i: usize| (value >> (8 * i)) as u8;
    let last = bytes.len() - 1;
    for (i, out) in bytes.iter_mut().enumerate() {
        *out = byte(if big_endian { last - i } else { i });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read() {
        for (half, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0x3800, 0.5),
            (0xbc00, -1.0),
            (0x0001, 2f64.powi(-24)),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(from_half(half), value, "{half:#x}");
        }
        assert!(from_half(0x7e00).is_nan());
    }
}
