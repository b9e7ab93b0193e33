//! Rows of luma and chroma → rows of RGB or gray (ITU-T H.273, 8.3).

use super::av1::{Coding, Frame, Rows};
use super::unsupported;
use crate::picture::PictureError;
use crate::picture::colour::{KB, KR};
use re_rav1d::dav1d::PlanarImageComponent::{U, V, Y};

/// Weights of red and blue in luma. `None` for planes that are green, blue and red.
type Weights = Option<(f32, f32)>;

/// Reads the rows of a frame.
pub(super) struct Converter {
    luma: Rows,
    /// `None` for a monochrome frame.
    chroma: Option<[Rows; 2]>,
    subsampling: (bool, bool),
    weights: Weights,
    /// Of samples.
    range: Range,
    rows: [Vec<f32>; 3],
    scratch: [Vec<f32>; 2],
}

impl Converter {
    pub fn new(frame: &Frame, coding: Coding) -> Result<Converter, PictureError> {
        let weights = if frame.is_monochrome() {
            None
        } else {
            weights(coding)?
        };
        let subsampling = frame.subsampling();
        if weights.is_none() && subsampling != (false, false) {
            return Err(unsupported());
        }
        Ok(Converter {
            luma: frame.plane(Y),
            chroma: (!frame.is_monochrome()).then(|| [frame.plane(U), frame.plane(V)]),
            subsampling,
            weights,
            range: Range::new(frame.bits, coding.full_range),
            rows: Default::default(),
            scratch: Default::default(),
        })
    }

    /// Of luma alone, as in an alpha plane.
    pub fn luma(frame: &Frame) -> Converter {
        Converter {
            luma: frame.plane(Y),
            chroma: None,
            subsampling: frame.subsampling(),
            weights: None,
            range: Range::new(frame.bits, frame.coding().full_range),
            rows: Default::default(),
            scratch: Default::default(),
        }
    }

    /// Writes row `y`: the first three bytes of each of `out`'s pixels of `N` bytes, or the first of a monochrome frame.
    pub fn read<const N: usize>(&mut self, y: usize, out: &mut [[u8; N]]) {
        let range = self.range;
        let [luma, blue, red] = &mut self.rows;
        let Some([u, v]) = &self.chroma else {
            self.luma.read(y, |sample| range.luma(sample), luma);
            let pixels = out.iter_mut().zip(luma);
            pixels.for_each(|(pixel, level)| pixel[0] = byte(*level));
            return;
        };
        self.luma.read(y, |sample| range.luma(sample), luma);
        for (plane, row) in [(u, &mut *blue), (v, &mut *red)] {
            let convert = |sample| match self.weights {
                Some(_) => range.chroma(sample),
                None => range.luma(sample),
            };
            upsample(plane, y, self.subsampling, convert, &mut self.scratch, row);
        }
        let samples = luma.iter().zip(blue.iter()).zip(red.iter());
        for (pixel, ((&y, &cb), &cr)) in out.iter_mut().zip(samples) {
            let rgb = match self.weights {
                Some((kr, kb)) => {
                    let r = y + 2.0 * (1.0 - kr) * cr;
                    let b = y + 2.0 * (1.0 - kb) * cb;
                    [r, (y - kr * r - kb * b) / (1.0 - kr - kb), b]
                }
                None => [cr, y, cb],
            };
            pixel[..3].copy_from_slice(&rgb.map(byte));
        }
    }
}

/// A level from 0 to 1 as a byte. The cast saturates.
fn byte(level: f32) -> u8 {
    (level * 255.0).round() as u8
}

/// Row `y` of luma's size. Chroma lies in the middle of the luma that it is for, so that its neighbours weigh 3 to 1.
fn upsample(
    plane: &Rows,
    y: usize,
    (half_width, half_height): (bool, bool),
    convert: impl Fn(u16) -> f32,
    [near, far]: &mut [Vec<f32>; 2],
    out: &mut Vec<f32>,
) {
    if half_height {
        let (row, other) = neighbours(y, plane.height);
        plane.read(row, &convert, near);
        plane.read(other, &convert, far);
        let pairs = near.iter_mut().zip(far.iter());
        pairs.for_each(|(near, &far)| *near = 0.75 * *near + 0.25 * far);
    } else {
        plane.read(y, &convert, near);
    }
    if half_width {
        out.clear();
        out.extend((0..2 * plane.width).map(|x| {
            let (column, other) = neighbours(x, plane.width);
            0.75 * near[column] + 0.25 * near[other]
        }));
    } else {
        std::mem::swap(near, out);
    }
}

/// The nearer and the farther of `count` chroma samples around a luma sample.
fn neighbours(at: usize, count: usize) -> (usize, usize) {
    let near = at / 2;
    let far = if at.is_multiple_of(2) {
        near.saturating_sub(1)
    } else {
        (near + 1).min(count - 1)
    };
    (near, far)
}

/// The levels of black and white, and the range of chroma.
#[derive(Clone, Copy)]
struct Range {
    black: f32,
    luma: f32,
    middle: f32,
    chroma: f32,
}

impl Range {
    fn new(bits: usize, full: bool) -> Range {
        let unit = (1 << (bits - 8)) as f32;
        let middle = 128.0 * unit;
        let whole = 256.0 * unit - 1.0;
        if full {
            Range {
                black: 0.0,
                luma: whole,
                middle,
                chroma: whole,
            }
        } else {
            Range {
                black: 16.0 * unit,
                luma: 219.0 * unit,
                middle,
                chroma: 224.0 * unit,
            }
        }
    }

    fn luma(self, sample: u16) -> f32 {
        (f32::from(sample) - self.black) / self.luma
    }

    fn chroma(self, sample: u16) -> f32 {
        (f32::from(sample) - self.middle) / self.chroma
    }
}

/// By the number of the matrix, and of the primaries if it is derived from them (H.273, tables 2 and 4).
fn weights(coding: Coding) -> Result<Weights, PictureError> {
    const BT_2020: Weights = Some((0.2627, 0.0593));
    const BT_709: Weights = Some((KR as f32, KB as f32));
    match (coding.matrix, coding.primaries) {
        (0, _) => Ok(None),
        (1, _) | (12, 1) => Ok(BT_709),
        (4, _) => Ok(Some((0.30, 0.11))),
        // BT.601, and what is not specified: as libavif does.
        (2 | 5 | 6, _) => Ok(Some((0.299, 0.114))),
        (7, _) => Ok(Some((0.212, 0.087))),
        (9, _) | (12, 9) => Ok(BT_2020),
        // Display P3.
        (12, 12) => Ok(Some((0.228_975, 0.079_287))),
        _ => Err(unsupported()),
    }
}
