//! L*a*b* → sRGB (TIFF 6.0, section 23, and its Technical Note 4).

use super::header::Photometric;
use crate::picture::colour::lab_to_srgb;
use crate::picture::raster::Layout;

/// Converts the pixels of a raster with three samples, if they are L*a*b*.
pub(super) fn convert(photometric: Photometric, layout: Layout, data: &mut [u8]) {
    // Of an 8-bit sample; 256 times this of a 16-bit one.
    let offset: u16 = match photometric {
        // a* and b* are in two's complement.
        Photometric::CieLab => 0,
        // They have half their range added.
        Photometric::IccLab => 128,
        _ => return,
    };
    if layout.is_deep() {
        for pixel in data.as_chunks_mut::<6>().0 {
            let word = |i: usize| u16::from_ne_bytes([pixel[i], pixel[i + 1]]);
            let signed = |i: usize| f64::from(word(i).wrapping_sub(offset << 8) as i16) / 256.0;
            let rgb = lab_to_srgb([f64::from(word(0)) / 655.35, signed(2), signed(4)]);
            for (out, level) in pixel.as_chunks_mut::<2>().0.iter_mut().zip(rgb) {
                *out = ((level * 65_535.0).round() as u16).to_ne_bytes();
            }
        }
    } else {
        for pixel in data.as_chunks_mut::<3>().0 {
            let signed = |v: u8| f64::from(v.wrapping_sub(offset as u8) as i8);
            let [lightness, a, b] = *pixel;
            let rgb = lab_to_srgb([f64::from(lightness) / 2.55, signed(a), signed(b)]);
            *pixel = rgb.map(|level| (level * 255.0).round() as u8);
        }
    }
}
