//! Compressed chunks → rows of samples.

use super::header::{Header, Photometric};
use super::{damaged, fax, truncated, unsupported};
use crate::picture::{PictureError, jpeg};
use flate2::{Decompress, FlushDecompress, Status};
use std::borrow::Cow;
use weezl::{BitOrder, LzwStatus};

/// Values of the field Compression.
const NONE: u16 = 1;
pub(super) const CCITT_RLE: u16 = 2;
pub(super) const CCITT_T4: u16 = 3;
pub(super) const CCITT_T6: u16 = 4;
const LZW: u16 = 5;
/// TIFF 6.0, section 22, superseded by Technical Note 2.
pub(super) const OLD_JPEG: u16 = 6;
pub(super) const JPEG: u16 = 7;
const DEFLATE: u16 = 8;
const OLD_DEFLATE: u16 = 32_946;
const PACK_BITS: u16 = 32_773;

/// Checks what can be known before memory is allocated.
pub(super) fn check(header: &Header) -> Result<(), PictureError> {
    let supported = match header.compression {
        // The chroma of these is subsampled in blocks of their own.
        NONE | LZW | DEFLATE | OLD_DEFLATE | PACK_BITS => header.photometric != Photometric::YCbCr,
        CCITT_RLE | CCITT_T4 | CCITT_T6 => {
            header.bits == 1 && header.samples == 1 && fax::is_supported(header)
        }
        JPEG => header.bits == 8 && !(header.planar && header.photometric == Photometric::YCbCr),
        _ => false,
    };
    if supported {
        Ok(())
    } else {
        Err(unsupported())
    }
}

/// Whether samples may be stored as differences. Elsewhere the field counts for nothing, as in libtiff.
pub(super) fn has_predictor(compression: u16) -> bool {
    matches!(compression, LZW | DEFLATE | OLD_DEFLATE)
}

/// Decompresses the first `rows` rows of a chunk, `row_bytes` long each.
pub(super) fn decompress<'d>(
    header: &Header,
    tables: Option<&[u8]>,
    data: &'d [u8],
    rows: usize,
    row_bytes: usize,
) -> Result<Cow<'d, [u8]>, PictureError> {
    let length = rows * row_bytes;
    if header.compression == JPEG {
        return jpeg_rows(header, tables, data, rows).map(Cow::Owned);
    }
    // As libtiff does for all codings but JPEG.
    let data = if header.low_bit_first {
        Cow::Owned(data.iter().map(|byte| byte.reverse_bits()).collect())
    } else {
        Cow::Borrowed(data)
    };
    match header.compression {
        NONE if data.len() < length => Err(truncated()),
        NONE => Ok(match data {
            Cow::Borrowed(data) => Cow::Borrowed(&data[..length]),
            owned => owned,
        }),
        LZW => lzw(&data, length).map(Cow::Owned),
        DEFLATE | OLD_DEFLATE => deflate(&data, length).map(Cow::Owned),
        PACK_BITS => pack_bits(&data, length).map(Cow::Owned),
        _ => fax::decode(header, &data, rows)
            .map(Cow::Owned)
            .ok_or_else(damaged),
    }
}

fn jpeg_rows(
    header: &Header,
    tables: Option<&[u8]>,
    data: &[u8],
    rows: usize,
) -> Result<Vec<u8>, PictureError> {
    let chunk = jpeg::Chunk {
        width: header.grid.width,
        rows: rows..=header.grid.height.max(rows),
        components: header.samples_in_chunk(),
        ycc: header.photometric == Photometric::YCbCr,
    };
    jpeg::decode_chunk(&chunk, tables, data).map_err(|error| match error {
        PictureError::Unsupported(_) | PictureError::ArithmeticJpeg => unsupported(),
        PictureError::Truncated(_) => truncated(),
        _ => damaged(),
    })
}

fn lzw(data: &[u8], length: usize) -> Result<Vec<u8>, PictureError> {
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let mut out = vec![0; length];
    let (mut read, mut written) = (0, 0);
    while written < length {
        let step = decoder.decode_bytes(&data[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
            Ok(_) => break,
            Err(_) => return Err(damaged()),
        }
    }
    whole(out, written)
}

fn deflate(data: &[u8], length: usize) -> Result<Vec<u8>, PictureError> {
    let mut decoder = Decompress::new(true);
    let mut out = vec![0; length];
    let mut written = 0;
    let mut read = 0;
    while written < length {
        let status = decoder
            .decompress(&data[read..], &mut out[written..], FlushDecompress::None)
            .map_err(|_| damaged())?;
        let before = (read, written);
        // Both are inside the slices.
        read = decoder.total_in() as usize;
        written = decoder.total_out() as usize;
        if status == Status::StreamEnd || (read, written) == before {
            break;
        }
    }
    whole(out, written)
}

/// TIFF 6.0, section 9.
fn pack_bits(data: &[u8], length: usize) -> Result<Vec<u8>, PictureError> {
    let mut out = Vec::with_capacity(length + 128);
    let mut rest = data;
    while out.len() < length {
        let [head, tail @ ..] = rest else {
            break;
        };
        match *head as i8 {
            -128 => rest = tail,
            run @ ..0 => {
                let [byte, tail @ ..] = tail else {
                    break;
                };
                let count = usize::from(run.unsigned_abs()) + 1;
                out.resize(out.len() + count, *byte);
                rest = tail;
            }
            literal => {
                let count = (literal as usize + 1).min(tail.len());
                let (bytes, tail) = tail.split_at(count);
                out.extend_from_slice(bytes);
                rest = tail;
            }
        }
    }
    let written = out.len().min(length);
    out.resize(length, 0);
    whole(out, written)
}

/// `out` if `written` bytes fill it.
fn whole(out: Vec<u8>, written: usize) -> Result<Vec<u8>, PictureError> {
    if written == out.len() {
        Ok(out)
    } else {
        Err(truncated())
    }
}
