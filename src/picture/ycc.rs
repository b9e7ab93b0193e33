//! RGB → Y'CbCr of BT.709 in limited range (ITU-R BT.709-6, items 3.2, 3.3 and 4), averaged over blocks.
//!
//! The matrix is linear, so the RGB values of a block are summed first and converted once, without error or clamping in
//! between.

use pulp::{Arch, Simd, WithSimd};

use super::colour::{KB, KG, KR};

/// Fraction bits of the matrix: the error of a value stays below 0.01 of a level.
const BITS: u32 = 16;
const ONE: f64 = (1 << BITS) as f64;

/// Levels of luma, and of the whole range of chroma, per level of 8-bit RGB.
const LUMA: f64 = 219.0 / 255.0;
const CHROMA: f64 = 224.0 / 255.0;

/// One output component as a combination of R, G, B, in 1/2^BITS, and its offset in levels.
#[derive(Clone, Copy)]
pub(super) struct Component {
    weights: [i32; 3],
    offset: i32,
}

const fn round(v: f64) -> i32 {
    (if v < 0.0 { v - 0.5 } else { v + 0.5 }) as i32
}

/// Green gets the rest of `sum`, so that gray is exactly gray and white exactly 235.
const fn component(red: f64, blue: f64, sum: f64, offset: i32) -> Component {
    let (red, blue) = (round(red * ONE), round(blue * ONE));
    Component {
        weights: [red, round(sum * ONE) - red - blue, blue],
        offset,
    }
}

/// Y' = 16 + 219/255 · (0.2126 R + 0.7152 G + 0.0722 B)
pub(super) const Y: Component = component(LUMA * KR, LUMA * KB, LUMA, 16);
/// Cb = 128 + 224/255 · (B − Y) / 1.8556
pub(super) const CB: Component =
    component(-CHROMA * KR / (2.0 * (1.0 - KB)), CHROMA / 2.0, 0.0, 128);
/// Cr = 128 + 224/255 · (R − Y) / 1.5748
pub(super) const CR: Component =
    component(CHROMA / 2.0, -CHROMA * KB / (2.0 * (1.0 - KR)), 0.0, 128);

impl Component {
    /// One component of each RGB triple.
    pub fn of_pixels(self, rgb: &[u8], out: &mut [u8]) {
        let rgb = rgb.as_chunks::<3>().0;
        let component = self;
        Arch::new().dispatch(OfPixels {
            component,
            rgb,
            out,
        });
    }

    /// One component of each block's mean.
    pub fn of_sums(self, sums: &Sums, out: &mut [u8]) {
        let last = out.len() - 1;
        self.means(&sums.rgb[..last], sums.rows * sums.block, &mut out[..last]);
        self.means(
            &sums.rgb[last..],
            sums.rows * sums.last_block,
            &mut out[last..],
        );
    }

    /// The means of blocks of `pixels` pixels.
    fn means(self, sums: &[[u32; 3]], pixels: usize, out: &mut [u8]) {
        // Only blocks at odd edges need a division, which would take longer than everything else.
        if pixels <= SMALL_BLOCK && pixels.is_power_of_two() {
            let component = self;
            Arch::new().dispatch(OfSmallBlocks {
                component,
                sums,
                pixels,
                out,
            });
        } else {
            let divisor = (pixels as i64) << BITS;
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = (self.numerator(sum, pixels) / divisor) as u8;
            }
        }
    }

    /// The mean of a block times its `pixels`, in 1/2^BITS, plus one half for rounding. Positive.
    fn numerator(self, sum: &[u32; 3], pixels: usize) -> i64 {
        let [r, g, b] = [0, 1, 2].map(|i| i64::from(self.weights[i]) * i64::from(sum[i]));
        r + g + b + (i64::from(self.offset << BITS) + (1 << (BITS - 1))) * pixels as i64
    }

    /// The same in 32 bits, for a block that is small enough.
    #[inline(always)]
    fn small_numerator(self, [r, g, b]: [i32; 3], pixels: i32) -> i32 {
        let [wr, wg, wb] = self.weights;
        wr * r + wg * g + wb * b + ((self.offset << BITS) + (1 << (BITS - 1))) * pixels
    }
}

/// Pixels of a block whose sums, weighted, fit 32 bits: 255 · 64 · 2^16 is half of what does.
const SMALL_BLOCK: usize = 64;

/// One component of each RGB triple.
struct OfPixels<'a> {
    component: Component,
    rgb: &'a [[u8; 3]],
    out: &'a mut [u8],
}

impl WithSimd for OfPixels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, &[r, g, b]) in self.out.iter_mut().zip(self.rgb) {
            let rgb = [i32::from(r), i32::from(g), i32::from(b)];
            *out = (self.component.small_numerator(rgb, 1) >> BITS) as u8;
        }
    }
}

/// One component of the mean of each block of a power of two of `pixels`.
struct OfSmallBlocks<'a> {
    component: Component,
    sums: &'a [[u32; 3]],
    pixels: usize,
    out: &'a mut [u8],
}

impl WithSimd for OfSmallBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let shift = self.pixels.trailing_zeros() + BITS;
        for (out, &[r, g, b]) in self.out.iter_mut().zip(self.sums) {
            let sums = [r as i32, g as i32, b as i32];
            let mean = self.component.small_numerator(sums, self.pixels as i32);
            *out = (mean >> shift) as u8;
        }
    }
}

/// R, G and B per level of Y', of Cb and of Cr, in 1/2^BITS.
const RGB: [[i32; 3]; 3] = {
    let luma = round(ONE / LUMA);
    let red = 2.0 * (1.0 - KR) / CHROMA;
    let blue = 2.0 * (1.0 - KB) / CHROMA;
    [
        [luma, 0, round(ONE * red)],
        [
            luma,
            round(-ONE * KB * blue / KG),
            round(-ONE * KR * red / KG),
        ],
        [luma, round(ONE * blue), 0],
    ]
};

/// R, G, B of a pixel from its Y, Cb and Cr, clamped to their range.
#[inline(always)]
pub fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let [y, cb, cr] = [i32::from(y) - 16, i32::from(cb) - 128, i32::from(cr) - 128];
    let mut rgb = [0; 3];
    // A closure would not become vector code.
    for (level, [of_y, of_cb, of_cr]) in rgb.iter_mut().zip(RGB) {
        let exact = of_y * y + of_cb * cb + of_cr * cr + (1 << (BITS - 1));
        *level = (exact >> BITS).clamp(0, 255) as u8;
    }
    rgb
}

/// The sums of R, G, B over a row of blocks.
pub(super) struct Sums {
    /// Of each column of samples; 256 rows fit 16 bits.
    columns: Vec<u16>,
    rgb: Vec<[u32; 3]>,
    /// Pixel rows summed.
    rows: usize,
    /// Widths of a block and of the last one, in pixels.
    block: usize,
    last_block: usize,
}

impl Sums {
    /// For pixel rows `width` long and blocks of 2^`shift`.
    pub fn new(width: usize, shift: u8) -> Sums {
        let block = 1 << shift;
        let blocks = width.div_ceil(block);
        Sums {
            columns: vec![0; 3 * width],
            rgb: vec![[0; 3]; blocks],
            rows: 0,
            block,
            last_block: width - (blocks - 1) * block,
        }
    }

    /// Sums up to 2^shift rows of RGB triples.
    pub fn sum(&mut self, rows: &[u8], width: usize) {
        self.rows = rows.len() / (width * 3);
        Arch::new().dispatch(SumRows {
            rows,
            sums: self,
            width,
        });
    }
}

struct SumRows<'a> {
    rows: &'a [u8],
    sums: &'a mut Sums,
    width: usize,
}

impl WithSimd for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Sums {
            columns,
            rgb,
            block,
            ..
        } = self.sums;
        columns.fill(0);
        for row in self.rows.chunks_exact(3 * self.width) {
            for (sum, &sample) in columns.iter_mut().zip(row) {
                *sum += u16::from(sample);
            }
        }
        // Constants let the compiler unroll the common cases.
        match block {
            2 => add_columns(columns, rgb, 2),
            4 => add_columns(columns, rgb, 4),
            block => add_columns(columns, rgb, *block),
        }
    }
}

/// The sums of blocks, from those of their columns.
#[inline(always)]
fn add_columns(columns: &[u16], sums: &mut [[u32; 3]], block: usize) {
    let mut blocks = columns.chunks_exact(3 * block);
    let mut sums = sums.iter_mut();
    for (columns, sum) in blocks.by_ref().zip(sums.by_ref()) {
        *sum = added(columns);
    }
    if let Some(sum) = sums.next() {
        *sum = added(blocks.remainder());
    }
}

#[inline(always)]
fn added(columns: &[u16]) -> [u32; 3] {
    let mut sums = [0; 3];
    for column in columns.as_chunks::<3>().0 {
        for (sum, &samples) in sums.iter_mut().zip(column) {
            *sum += u32::from(samples);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::colour::luminance;

    /// The formulas as printed in BT.709.
    fn exact([r, g, b]: [f64; 3]) -> [f64; 3] {
        let y = luminance([r, g, b]);
        [
            16.0 + LUMA * y,
            128.0 + CHROMA * (b - y) / (2.0 * (1.0 - KB)),
            128.0 + CHROMA * (r - y) / (2.0 * (1.0 - KR)),
        ]
    }

    fn assert_near(got: u8, want: f64) {
        assert!((f64::from(got) - want).abs() <= 0.51, "{got} is not {want}");
    }

    #[test]
    fn every_pixel_is_the_nearest_level() {
        let steps = || (0..=255).step_by(5);
        for (r, g) in steps().flat_map(|r| steps().map(move |g| (r, g))) {
            let rgb: Vec<u8> = steps().flat_map(|b| [r, g, b]).collect();
            let mut out = [[0; 52]; 3];
            for (component, out) in [Y, CB, CR].into_iter().zip(&mut out) {
                component.of_pixels(&rgb, out);
            }
            for (i, pixel) in rgb.as_chunks::<3>().0.iter().enumerate() {
                let want = exact(pixel.map(f64::from));
                (0..3).for_each(|c| assert_near(out[c][i], want[c]));
            }
        }
    }

    #[test]
    fn conversion_is_reversible() {
        for pixel in [[0, 0, 0], [255, 255, 255], [200, 30, 90], [12, 240, 3]] {
            let mut out = [[0]; 3];
            for (component, out) in [Y, CB, CR].into_iter().zip(&mut out) {
                component.of_pixels(&pixel, out);
            }
            let back = rgb(out.map(|[level]| level));
            let off = (0..3).map(|c| pixel[c].abs_diff(back[c])).max();
            assert!(off <= Some(2), "{pixel:?} became {back:?}");
        }
    }

    #[test]
    fn a_block_is_the_mean_of_the_pixels_that_exist() {
        let (width, height) = (11, 3);
        let rgb: Vec<u8> = (0..width * height * 3)
            .map(|i| (i * 89 % 256) as u8)
            .collect();
        for shift in 1..=3 {
            let mut sums = Sums::new(width, shift);
            let rows = height.min(1 << shift);
            sums.sum(&rgb[..rows * width * 3], width);
            let mut out = vec![0; width.div_ceil(1 << shift)];
            CR.of_sums(&sums, &mut out);
            for (i, &got) in out.iter().enumerate() {
                let columns = (i << shift)..((i + 1) << shift).min(width);
                let pixels = columns
                    .clone()
                    .flat_map(|x| (0..rows).map(move |y| (y * width + x) * 3));
                let total: f64 = pixels
                    .map(|at| exact([0, 1, 2].map(|c| f64::from(rgb[at + c])))[2])
                    .sum();
                assert_near(got, total / (rows * columns.len()) as f64);
            }
        }
    }
}
