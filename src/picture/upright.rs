//! Raster → upright planes, on two threads.

use super::parallel;
use super::raster::{Raster, Scratch};
use super::ycc::{CB, CR, Sums, Y};
use super::{Detail, Plane, Size};
use image::metadata::Orientation;
use std::thread;

/// Rows converted at once: enough to read a rotated picture in runs, few enough to stay in the cache.
const STRIP: usize = 16;

/// Two are much faster than the decoders; more would take cores from other jobs.
const MAX_THREADS: usize = 2;

/// How upright coordinates map to the source: transposed first, then mirrored.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub transposed: bool,
    pub mirror_x: bool,
    pub mirror_y: bool,
}

impl From<Orientation> for Turn {
    /// EXIF 2.32, 4.6.4, tag 0x0112. `image` names each value after the transformation that corrects it.
    fn from(orientation: Orientation) -> Turn {
        let (transposed, mirror_x, mirror_y) = match orientation {
            Orientation::NoTransforms => (false, false, false),
            Orientation::FlipHorizontal => (false, true, false),
            Orientation::Rotate180 => (false, true, true),
            Orientation::FlipVertical => (false, false, true),
            Orientation::Rotate90FlipH => (true, false, false),
            Orientation::Rotate90 => (true, false, true),
            Orientation::Rotate270FlipH => (true, true, true),
            Orientation::Rotate270 => (true, true, false),
        };
        Turn {
            transposed,
            mirror_x,
            mirror_y,
        }
    }
}

/// The size of the upright picture, in pixels.
pub(super) fn size(raster: &Raster) -> Size {
    let (width, height) = if Turn::from(raster.orientation).transposed {
        (raster.height, raster.width)
    } else {
        (raster.width, raster.height)
    };
    // Decoders report sizes in 32 bits.
    Size {
        width: width as u32,
        height: height as u32,
    }
}

/// Y, Cb and Cr of the upright picture.
pub(super) fn planes(raster: &Raster, detail: Detail) -> [Plane; 3] {
    let size = size(raster);
    let (width, height) = (size.width as usize, size.height as usize);
    let shifts = [detail.luma_shift, detail.chroma_shift, detail.chroma_shift];
    let mut planes = detail.planes(size);

    let threads = thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS));
    let strip = STRIP.max(1 << shifts[0]).max(1 << shifts[1]);
    let band_rows = height.div_ceil(strip).div_ceil(threads) * strip;

    let [y, cb, cr] = &mut planes;
    let [y, cb, cr] = [(y, shifts[0]), (cb, shifts[1]), (cr, shifts[2])]
        .map(|(plane, shift)| plane.data.chunks_mut(plane.width * (band_rows >> shift)));
    let bands = y.zip(cb).zip(cr).enumerate();
    parallel::for_each("picture", threads, bands, |(i, ((y, cb), cr))| {
        let first = i * band_rows;
        let band = Band {
            raster,
            width,
            detail,
            strip,
        };
        band.convert(first, band_rows.min(height - first), [y, cb, cr]);
    });
    planes
}

/// The conversion of upright rows, for one thread.
struct Band<'a> {
    raster: &'a Raster,
    /// Of the upright picture.
    width: usize,
    detail: Detail,
    /// Rows at once: a multiple of the height of the blocks.
    strip: usize,
}

impl Band<'_> {
    /// Converts `rows` rows from `first` on into the planes.
    fn convert(&self, first: usize, rows: usize, [mut y, mut cb, mut cr]: [&mut [u8]; 3]) {
        let mut strip = Vec::new();
        let mut scratch = Scratch::default();
        let Detail {
            luma_shift,
            chroma_shift,
        } = self.detail;
        let [mut luma_sums, mut chroma_sums] =
            [luma_shift, chroma_shift].map(|shift| Sums::new(self.width, shift));
        for start in (0..rows).step_by(self.strip) {
            let count = self.strip.min(rows - start);
            let rgb = self.rows(first + start, count, &mut strip, &mut scratch);
            for block in rgb.chunks((self.width * 3) << luma_shift) {
                let y = next_row(&mut y, luma_shift, self.width);
                if luma_shift == 0 {
                    Y.of_pixels(block, y);
                } else {
                    luma_sums.sum(block, self.width);
                    Y.of_sums(&luma_sums, y);
                }
            }
            for block in rgb.chunks((self.width * 3) << chroma_shift) {
                let cb = next_row(&mut cb, chroma_shift, self.width);
                let cr = next_row(&mut cr, chroma_shift, self.width);
                if chroma_shift == 0 {
                    CB.of_pixels(block, cb);
                    CR.of_pixels(block, cr);
                } else {
                    chroma_sums.sum(block, self.width);
                    CB.of_sums(&chroma_sums, cb);
                    CR.of_sums(&chroma_sums, cr);
                }
            }
        }
    }

    /// `count` upright rows from `first` on as RGB triples: borrowed from the raster if it has them, or else converted
    /// into `strip`.
    fn rows<'s>(
        &'s self,
        first: usize,
        count: usize,
        strip: &'s mut Vec<u8>,
        scratch: &mut Scratch,
    ) -> &'s [u8] {
        let turn = Turn::from(self.raster.orientation);
        if self.raster.is_plain_rgb() && !turn.transposed && !turn.mirror_x && !turn.mirror_y {
            return self.raster.samples(0, first, count * self.width);
        }
        strip.resize(count * self.width * 3, 0);
        if turn.transposed {
            self.columns(first, turn, strip, scratch);
        } else {
            for (y, row) in (first..).zip(strip.chunks_exact_mut(self.width * 3)) {
                let y = if turn.mirror_y {
                    self.raster.height - 1 - y
                } else {
                    y
                };
                self.raster.rgb(0, y, scratch, row);
                if turn.mirror_x {
                    row.as_chunks_mut::<3>().0.reverse();
                }
            }
        }
        strip
    }

    /// Upright rows that are columns of the raster, read in short runs of its rows.
    fn columns(&self, first: usize, turn: Turn, strip: &mut [u8], scratch: &mut Scratch) {
        let Raster { width, height, .. } = *self.raster;
        let strip = strip.as_chunks_mut::<3>().0;
        let count = strip.len() / self.width;
        let left = if turn.mirror_x {
            width - first - count
        } else {
            first
        };
        let mut run = vec![0; count * 3];
        for source_y in 0..height {
            self.raster.rgb(left, source_y, scratch, &mut run);
            let x = if turn.mirror_y {
                height - 1 - source_y
            } else {
                source_y
            };
            let column = strip[x..].iter_mut().step_by(self.width);
            let run = run.as_chunks::<3>().0.iter();
            if turn.mirror_x {
                column.zip(run.rev()).for_each(|(out, pixel)| *out = *pixel);
            } else {
                column.zip(run).for_each(|(out, pixel)| *out = *pixel);
            }
        }
    }
}

/// Splits the next row of samples off `plane`.
fn next_row<'p>(plane: &mut &'p mut [u8], shift: u8, width: usize) -> &'p mut [u8] {
    let (row, rest) = std::mem::take(plane).split_at_mut(width.div_ceil(1 << shift));
    *plane = rest;
    row
}
