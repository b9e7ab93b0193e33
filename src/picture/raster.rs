//! Decoded samples in the layout of their file, and their conversion to RGB.

use super::colour::{Model, multiply, to_srgb};
use super::icc::Transform;
use image::metadata::Orientation;

/// The samples of a pixel. 16-bit samples are in native byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Gray8,
    GrayAlpha8,
    Gray16,
    GrayAlpha16,
    Rgb8,
    Rgba8,
    Rgb16,
    Rgba16,
    /// 255 is no ink, as Adobe writes it. Browsers and Pillow assume this whether or not a file has an Adobe segment.
    InvertedCmyk8,
    /// Y, Cb, Cr of the inverted inks' complement, and inverted black (Adobe Technical Note #5116).
    InvertedYcck8,
}

impl Layout {
    /// Per pixel.
    pub fn bytes(self) -> usize {
        match self {
            Layout::Gray8 => 1,
            Layout::GrayAlpha8 | Layout::Gray16 => 2,
            Layout::Rgb8 => 3,
            Layout::GrayAlpha16 | Layout::Rgba8 | Layout::InvertedCmyk8 | Layout::InvertedYcck8 => {
                4
            }
            Layout::Rgb16 => 6,
            Layout::Rgba16 => 8,
        }
    }

    /// Whether samples have 16 bits.
    pub fn is_deep(self) -> bool {
        matches!(
            self,
            Layout::Gray16 | Layout::GrayAlpha16 | Layout::Rgb16 | Layout::Rgba16
        )
    }

    pub fn model(self) -> Model {
        match self {
            Layout::Gray8 | Layout::GrayAlpha8 | Layout::Gray16 | Layout::GrayAlpha16 => {
                Model::Gray
            }
            Layout::Rgb8 | Layout::Rgba8 | Layout::Rgb16 | Layout::Rgba16 => Model::Rgb,
            Layout::InvertedCmyk8 | Layout::InvertedYcck8 => Model::Cmyk,
        }
    }
}

/// A decoded picture in its stored orientation and colour space.
pub(super) struct Raster {
    pub width: usize,
    pub height: usize,
    pub layout: Layout,
    /// `width * height * layout.bytes()` bytes.
    pub data: Vec<u8>,
    pub orientation: Orientation,
    /// To sRGB. `None` when the samples are sRGB, or are taken for it.
    pub transform: Option<Transform>,
}

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

/// Buffers for a row, reused by the next one.
#[derive(Default)]
pub(super) struct Scratch {
    colours: Vec<u8>,
    alpha: Vec<u8>,
}

impl Raster {
    /// Keeps the pixels of an area, which must be within the picture.
    pub fn crop(&mut self, area: Area) {
        let pixel = self.layout.bytes();
        let length = area.width * pixel;
        for y in 0..area.height {
            let start = ((area.top + y) * self.width + area.left) * pixel;
            self.data.copy_within(start..start + length, y * length);
        }
        self.data.truncate(area.height * length);
        (self.width, self.height) = (area.width, area.height);
    }

    /// The samples of `count` pixels from (`x`, `y`) on, in reading order.
    pub fn samples(&self, x: usize, y: usize, count: usize) -> &[u8] {
        let start = (y * self.width + x) * self.layout.bytes();
        &self.data[start..start + count * self.layout.bytes()]
    }

    /// Whether the samples are sRGB triples already.
    pub fn is_plain_rgb(&self) -> bool {
        self.layout == Layout::Rgb8 && self.transform.is_none()
    }

    /// Writes `out.len() / 3` pixels from (`x`, `y`) on as sRGB triples, composited over black.
    pub fn rgb(&self, x: usize, y: usize, scratch: &mut Scratch, out: &mut [u8]) {
        let samples = self.samples(x, y, out.len() / 3);
        scratch.colours.clear();
        scratch.alpha.clear();
        scratch.read(self.layout, samples);
        let model = self.layout.model();
        match &self.transform {
            Some(transform) => transform.apply(&scratch.colours, model, out),
            None => to_srgb(&scratch.colours, model, out),
        }
        if !scratch.alpha.is_empty() {
            for (pixel, &alpha) in out.as_chunks_mut::<3>().0.iter_mut().zip(&scratch.alpha) {
                *pixel = pixel.map(|c| multiply(c, alpha));
            }
        }
    }
}

impl Scratch {
    /// Of the pixels that were converted last. Empty when the layout has no alpha.
    pub fn alpha(&self) -> &[u8] {
        &self.alpha
    }

    /// Splits samples into 8-bit colours and alpha.
    fn read(&mut self, layout: Layout, samples: &[u8]) {
        match layout {
            Layout::Gray8 | Layout::Rgb8 => self.colours.extend_from_slice(samples),
            Layout::Gray16 | Layout::Rgb16 => self
                .colours
                .extend(samples.as_chunks().0.iter().map(to_8_bits)),
            Layout::GrayAlpha8 => self.split::<2>(samples.as_chunks().0.iter().copied()),
            Layout::Rgba8 => self.split::<4>(samples.as_chunks().0.iter().copied()),
            Layout::GrayAlpha16 => self.split::<2>(samples.as_chunks::<4>().0.iter().map(narrow)),
            Layout::Rgba16 => self.split::<4>(samples.as_chunks::<8>().0.iter().map(narrow)),
            Layout::InvertedCmyk8 => self.colours.extend(samples.iter().map(|s| 255 - s)),
            Layout::InvertedYcck8 => self
                .colours
                .extend(samples.as_chunks().0.iter().flat_map(ycck_to_cmyk)),
        }
    }

    fn split<const N: usize>(&mut self, pixels: impl Iterator<Item = [u8; N]>) {
        for pixel in pixels {
            self.colours.extend_from_slice(&pixel[..N - 1]);
            self.alpha.push(pixel[N - 1]);
        }
    }
}

/// `round(sample · 255 / 65535)`
pub(super) fn to_8_bits(sample: &[u8; 2]) -> u8 {
    ((u32::from(u16::from_ne_bytes(*sample)) * 255 + 32_895) >> 16) as u8
}

fn narrow<const WIDE: usize, const N: usize>(pixel: &[u8; WIDE]) -> [u8; N] {
    const { assert!(WIDE == 2 * N) };
    std::array::from_fn(|i| to_8_bits(&[pixel[2 * i], pixel[2 * i + 1]]))
}

/// Inverted YCCK → inks, where 255 is full ink. BT.601 full range as in JFIF, in 16.16 fixed point.
///
/// YCC encodes the complement of the stored inks, and these are the complement of the inks: its RGB values are the inks.
fn ycck_to_cmyk(&[y, cb, cr, k]: &[u8; 4]) -> [u8; 4] {
    let [y, cb, cr] = [i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128];
    let to_byte = |v: i32| ((v + 0x8000) >> 16).clamp(0, 255) as u8;
    [
        to_byte(y + 91_881 * cr),
        to_byte(y - 22_554 * cb - 46_802 * cr),
        to_byte(y + 116_130 * cb),
        255 - k,
    ]
}

/// Undoes the multiplication of colours by their alpha.
pub(super) fn unassociate(layout: Layout, data: &mut [u8]) {
    match layout {
        Layout::GrayAlpha8 => divide_bytes::<2>(data),
        Layout::Rgba8 => divide_bytes::<4>(data),
        Layout::GrayAlpha16 => divide_words::<4>(data),
        Layout::Rgba16 => divide_words::<8>(data),
        _ => {}
    }
}

/// Divides colours by their alpha, the last of `N` bytes.
fn divide_bytes<const N: usize>(data: &mut [u8]) {
    for pixel in data.as_chunks_mut::<N>().0 {
        let alpha = u32::from(pixel[N - 1]);
        for colour in &mut pixel[..N - 1] {
            *colour = divided(u32::from(*colour), alpha, 255) as u8;
        }
    }
}

/// Divides colours by their alpha, the last two of `N` bytes.
fn divide_words<const N: usize>(data: &mut [u8]) {
    let word = |bytes: &[u8]| u32::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
    for pixel in data.as_chunks_mut::<N>().0 {
        let alpha = word(&pixel[N - 2..]);
        for colour in pixel[..N - 2].as_chunks_mut::<2>().0 {
            *colour = (divided(word(colour), alpha, 65_535) as u16).to_ne_bytes();
        }
    }
}

/// `round(colour · full / alpha)`, at most `full`.
fn divided(colour: u32, alpha: u32, full: u32) -> u32 {
    // 65535² + 65535 / 2 fits 32 bits.
    (colour * full + alpha / 2)
        .checked_div(alpha)
        .unwrap_or(0)
        .min(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_round_to_the_nearest_of_eight() {
        for v in 0..=u16::MAX {
            let nearest = (f64::from(v) * 255.0 / 65535.0).round() as u8;
            assert_eq!(to_8_bits(&v.to_ne_bytes()), nearest, "{v}");
        }
    }
}
