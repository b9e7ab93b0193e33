//! Samples → pixels in the layout of a raster.

use super::directory::Directory;
use super::header::{Header, Photometric};
use super::{damaged, lab};
use crate::picture::PictureError;
use crate::picture::raster::{Layout, to_8_bits, unassociate};

const COLOR_MAP: u16 = 320;

pub(super) struct Canvas {
    width: usize,
    layout: Layout,
    data: Vec<u8>,
    /// Where a sample of a pixel goes. `None` for one that is neither colour nor alpha.
    channels: Vec<Option<usize>>,
    /// The number of colours that are stored with 0 for the lightest. Black is 0 in a raster.
    inverted: usize,
    palette: Option<Vec<[u8; 3]>>,
    /// Whether samples of 16 bits go into a layout of 8.
    narrows: bool,
    associated: bool,
    photometric: Photometric,
}

impl Canvas {
    pub fn new(header: &Header, directory: &Directory) -> Result<Canvas, PictureError> {
        let layout = header.layout();
        let palette = match header.photometric {
            Photometric::Palette => Some(palette(directory, header.bits).ok_or_else(damaged)?),
            _ => None,
        };
        let colours = header.colours();
        let alpha = header.alpha;
        let alpha_channel = if palette.is_some() { 3 } else { colours };
        let channels = (0..header.samples).map(|sample| {
            if sample < colours {
                Some(sample)
            } else {
                alpha
                    .filter(|alpha| alpha.sample == sample)
                    .map(|_| alpha_channel)
            }
        });
        Ok(Canvas {
            width: header.width,
            layout,
            data: vec![0; header.width * header.height * layout.bytes()],
            channels: channels.collect(),
            inverted: match header.photometric {
                // The layout has inverted inks.
                Photometric::WhiteIsZero | Photometric::Cmyk => colours,
                _ => 0,
            },
            palette,
            narrows: header.bits > 8 && !layout.is_deep(),
            associated: alpha.is_some_and(|alpha| alpha.associated),
            photometric: header.photometric,
        })
    }

    /// Whether a sample of a pixel is used.
    pub fn has(&self, sample: usize) -> bool {
        self.channels[sample].is_some()
    }

    /// Whether bytes can be taken as they are.
    fn is_plain(&self) -> bool {
        let channels = self.channels.iter().enumerate();
        !self.layout.is_deep()
            && !self.narrows
            && self.inverted == 0
            && self.palette.is_none()
            && channels.clone().all(|(i, channel)| *channel == Some(i))
            && channels.count() == self.layout.bytes()
    }

    /// Writes a run of pixels from (`x`, `y`) on: all samples of each, or those of one `plane`.
    pub fn write(&mut self, (x, y): (usize, usize), plane: Option<usize>, samples: &[u16]) {
        let pixel = self.layout.bytes();
        let start = (y * self.width + x) * pixel;
        if plane.is_none() && self.is_plain() {
            let out = &mut self.data[start..start + samples.len()];
            out.iter_mut()
                .zip(samples)
                .for_each(|(out, &sample)| *out = sample as u8);
            return;
        }
        let planes = plane.map_or(0..self.channels.len(), |plane| plane..plane + 1);
        let pixels = samples.chunks_exact(planes.len());
        let mut row = std::mem::take(&mut self.data);
        for (out, samples) in row[start..].chunks_exact_mut(pixel).zip(pixels) {
            for (plane, &sample) in planes.clone().zip(samples) {
                if let Some(channel) = self.channels[plane] {
                    self.write_sample(out, channel, plane < self.inverted, sample);
                }
            }
        }
        self.data = row;
    }

    fn write_sample(&self, pixel: &mut [u8], channel: usize, inverted: bool, sample: u16) {
        if let (Some(palette), true) = (&self.palette, channel < 3) {
            // Damaged files have indices beyond the palette.
            let colour = palette.get(usize::from(sample)).copied();
            pixel[..3].copy_from_slice(&colour.unwrap_or_default());
        } else if self.layout.is_deep() {
            let sample = if inverted { u16::MAX - sample } else { sample };
            pixel[2 * channel..][..2].copy_from_slice(&sample.to_ne_bytes());
        } else {
            let sample = if self.narrows {
                to_8_bits(&sample.to_ne_bytes())
            } else {
                sample as u8
            };
            pixel[channel] = if inverted { 255 - sample } else { sample };
        }
    }

    /// The samples of the raster.
    pub fn finish(mut self) -> Vec<u8> {
        if self.associated {
            unassociate(self.layout, &mut self.data);
        }
        lab::convert(self.photometric, self.layout, &mut self.data);
        self.data
    }
}

/// The colours of a palette: all levels of red, then of green, then of blue, in 16 bits.
fn palette(directory: &Directory, bits: usize) -> Option<Vec<[u8; 3]>> {
    let count = 1 << bits;
    let levels: Vec<u64> = directory.numbers(COLOR_MAP)?.first(3 * count).collect();
    // Some writers use 8 bits; so does libtiff guess.
    let shift = if levels.iter().any(|&level| level > 255) {
        8
    } else {
        0
    };
    let count = levels.len() / 3;
    let colour = |i: usize| [0, 1, 2].map(|c| (levels[c * count + i] >> shift) as u8);
    (count > 0).then(|| (0..count).map(colour).collect())
}
