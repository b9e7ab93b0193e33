//! A video frame → a JPEG file.

use jpeg_encoder::{ColorType, Encoder, EncodingError};

use super::{planes, ycc};
use crate::spec::Size;

/// JPEG quality, of 100: no artefacts are visible.
const QUALITY: u8 = 88;

/// Why there is no JPEG file.
#[derive(Debug, thiserror::Error)]
pub enum JpegError {
    #[error("the frame is not of this size")]
    Size,
    #[error("the frame cannot be encoded")]
    Encoding(#[from] EncodingError),
}

/// Encodes a frame as a JPEG file: Y, Cb and Cr of 4:2:0 in BT.709 limited range, one after the
/// other. Width and height are even.
///
/// # Errors
/// If the frame is not of this size.
pub fn thumbnail(frame: &[u8], size: Size) -> Result<Vec<u8>, JpegError> {
    if frame.len() != size.frame_bytes() {
        return Err(JpegError::Size);
    }
    jpeg(&rgb(frame, size), size)
}

/// Encodes RGB samples.
pub(super) fn jpeg(rgb: &[u8], size: Size) -> Result<Vec<u8>, JpegError> {
    let side = |side| u16::try_from(side).map_err(|_| JpegError::Size);
    let (width, height) = (side(size.width)?, side(size.height)?);
    let mut file = Vec::new();
    Encoder::new(&mut file, QUALITY).encode(rgb, width, height, ColorType::Rgb)?;
    Ok(file)
}

pub(super) fn rgb(frame: &[u8], size: Size) -> Vec<u8> {
    let width = size.width as usize;
    let [luma, cb, cr] = planes(frame, size);
    let mut rgb = Vec::with_capacity(3 * luma.len());
    for (y, row) in luma.chunks_exact(width).enumerate() {
        let line = y / 2 * (width / 2);
        let chroma = cb[line..].iter().zip(&cr[line..]);
        for (pair, (cb, cr)) in row.chunks_exact(2).zip(chroma) {
            rgb.extend(pair.iter().flat_map(|luma| ycc::rgb([*luma, *cb, *cr])));
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_another_size_is_an_error() {
        let size = Size {
            width: 16,
            height: 8,
        };
        assert!(thumbnail(&[128; 192], size).is_ok());
        assert!(thumbnail(&[128; 191], size).is_err());
        assert!(thumbnail(&[], size).is_err());
    }
}
