//! A video frame → a JPEG file.

use image::ImageError;
use image::codecs::jpeg::JpegEncoder;
use image::error::{ParameterError, ParameterErrorKind};
use image::{ExtendedColorType, ImageEncoder};

use super::{planes, ycc};
use crate::spec::Size;

/// JPEG quality, of 100: no artefacts are visible.
const QUALITY: u8 = 88;

/// Encodes a frame as a JPEG file: Y, Cb and Cr of 4:2:0 in BT.709 limited range, one after the
/// other. Width and height are even.
///
/// # Errors
/// If the frame is not of this size.
pub fn thumbnail(frame: &[u8], size: Size) -> Result<Vec<u8>, ImageError> {
    if frame.len() != size.frame_bytes() {
        let kind = ParameterErrorKind::DimensionMismatch;
        return Err(ImageError::Parameter(ParameterError::from_kind(kind)));
    }
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, QUALITY).write_image(
        &rgb(frame, size),
        size.width,
        size.height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(file)
}

fn rgb(frame: &[u8], size: Size) -> Vec<u8> {
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
