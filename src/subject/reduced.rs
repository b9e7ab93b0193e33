//! A small RGB version of a photo.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::picture::{Picture, Plane, rgb};

/// A small RGB picture, rows top to bottom.
pub struct Reduced {
    pub width: usize,
    pub height: usize,
    /// `width * height` pixels.
    pub pixels: Vec<[u8; 3]>,
}

impl Reduced {
    /// With about this many pixels, or those of the photo if they are fewer.
    pub fn new(picture: &Picture, pixels: usize) -> Self {
        let photo = [picture.size.width, picture.size.height].map(|side| side as usize);
        let [width, height] = fit(photo, pixels);
        let [y, cb, cr] = picture
            .planes
            .each_ref()
            .map(|plane| means(plane, width, height));
        let mut pixels = vec![[0; 3]; width * height];
        Arch::new().dispatch(ToRgb {
            planes: [&y, &cb, &cr],
            pixels: &mut pixels,
        });
        Self {
            width,
            height,
            pixels,
        }
    }

    /// How much each pixel differs in lightness from the four around it. Stronger edges count alike.
    pub fn edges(&self) -> Plane {
        const STRONGEST: i32 = 63;
        let (width, height) = (self.width, self.height);
        // In quarters of a level.
        let light: Vec<i32> = self
            .pixels
            .iter()
            .map(|&[r, g, b]| i32::from(r) + 2 * i32::from(g) + i32::from(b))
            .collect();
        let mut edges = Plane::new(width, height);
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let i = y * width + x;
                let around = light[i - 1] + light[i + 1] + light[i - width] + light[i + width];
                edges.data[i] = (4 * light[i] - around).abs().min(4 * STRONGEST) as u8;
            }
        }
        edges
    }

    /// The same, smaller.
    pub fn reduced_to(&self, pixels: usize) -> Self {
        let [width, height] = fit([self.width, self.height], pixels);
        let channel = |c: usize| {
            let plane = Plane {
                width: self.width,
                height: self.height,
                data: self.pixels.iter().map(|pixel| pixel[c]).collect(),
            };
            means(&plane, width, height)
        };
        let [r, g, b] = [0, 1, 2].map(channel);
        let levels = r.into_iter().zip(g).zip(b);
        Self {
            width,
            height,
            pixels: levels.map(|((r, g), b)| [r, g, b]).collect(),
        }
    }
}

/// The longest side: of a line of pixels, no more is to be read.
const LONGEST_SIDE: f64 = 1024.0;

/// Width and height in the same proportion, with about this many pixels.
fn fit([width, height]: [usize; 2], pixels: usize) -> [usize; 2] {
    let by_pixels = (pixels as f64 / (width * height) as f64).sqrt();
    let by_side = LONGEST_SIDE / width.max(height) as f64;
    let scale = by_pixels.min(by_side).min(1.0);
    [width, height].map(|side| ((side as f64 * scale).round() as usize).max(1))
}

/// Rows of a part that are read, or one or two more: of large photos, some are enough.
const ROWS: usize = 3;

/// The means of `width` × `height` parts of a plane.
pub fn means(plane: &Plane, width: usize, height: usize) -> Vec<u8> {
    let mut means = Vec::with_capacity(width * height);
    let parts: Vec<Range<usize>> = (0..width).map(|x| part(x, width, plane.width)).collect();
    let mut columns = vec![0; plane.width];
    // The sums of all columns before each.
    let mut sums = vec![0u32; plane.width + 1];
    for y in 0..height {
        let rows = part(y, height, plane.height);
        columns.fill(0u16);
        let step = (rows.len() / ROWS).max(1);
        let rows = rows.step_by(step);
        for row in rows.clone() {
            let row = &plane.data[row * plane.width..][..plane.width];
            let columns = &mut columns;
            Arch::new().dispatch(AddRow { row, columns });
        }
        let mut sum = 0;
        for (sums, &column) in sums[1..].iter_mut().zip(&columns) {
            sum += u32::from(column);
            *sums = sum;
        }
        for part in &parts {
            // A few rows of a part of a line: they fit.
            let sum = sums[part.end] - sums[part.start];
            let samples = (part.len() * rows.len()) as u32;
            means.push(((sum + samples / 2) / samples) as u8);
        }
    }
    means
}

/// Adds a row of samples to the sums of their columns.
struct AddRow<'a> {
    row: &'a [u8],
    columns: &'a mut [u16],
}

impl WithSimd for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (sum, &sample) in self.columns.iter_mut().zip(self.row) {
            *sum += u16::from(sample);
        }
    }
}

/// Y, Cb and Cr of each pixel to RGB.
struct ToRgb<'a> {
    planes: [&'a [u8]; 3],
    pixels: &'a mut [[u8; 3]],
}

impl WithSimd for ToRgb<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [y, cb, cr] = self.planes;
        for (((pixel, &y), &cb), &cr) in self.pixels.iter_mut().zip(y).zip(cb).zip(cr) {
            *pixel = rgb([y, cb, cr]);
        }
    }
}

/// Part `i` of `parts` of `length` samples; a sample at least.
fn part(i: usize, parts: usize, length: usize) -> Range<usize> {
    let start = i * length / parts;
    start..((i + 1) * length / parts).max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_plane_and_may_be_smaller_than_a_sample() {
        let plane = Plane {
            width: 3,
            height: 2,
            data: vec![10, 20, 30, 50, 60, 70],
        };
        assert_eq!(means(&plane, 1, 1), [40]);
        assert_eq!(means(&plane, 3, 1), [30, 40, 50]);
        assert_eq!(means(&plane, 6, 1), [30, 30, 40, 40, 50, 50]);
    }

    #[test]
    fn pixels_are_bounded_and_nothing_is_enlarged() {
        let pixels = 480 * 360;
        assert_eq!(fit([4000, 3000], pixels), [480, 360]);
        assert_eq!(fit([30, 20], pixels), [30, 20]);
        assert_eq!(fit([1, 32_768], pixels), [1, 1024]);
    }
}
