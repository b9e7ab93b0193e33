//! A video frame → a JPEG file.

use image::ImageError;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::ycc;
use crate::spec::Size;

/// Of 100: at which nothing is seen of the compression.
const QUALITY: u8 = 88;

/// Encodes a frame: Y, Cb and Cr of 4:2:0 in BT.709 limited range, one after the other. Width and
/// height are even.
///
/// # Errors
/// If the frame is not of this size.
pub fn jpeg(frame: &[u8], size: Size) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (size.width as usize, size.height as usize);
    let (luma, chroma) = frame.split_at(frame.len().min(width * height));
    let (cb, cr) = chroma.split_at(chroma.len() / 2);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for (y, row) in luma.chunks_exact(width).enumerate() {
        let line = y / 2 * (width / 2);
        let chroma = cb[line..].iter().zip(&cr[line..]);
        for (pair, (cb, cr)) in row.chunks_exact(2).zip(chroma) {
            rgb.extend(pair.iter().flat_map(|luma| ycc::rgb([*luma, *cb, *cr])));
        }
    }
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, QUALITY).write_image(
        &rgb,
        size.width,
        size.height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(file)
}
