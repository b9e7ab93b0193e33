//! The ring buffer of horizontally filtered rows, and the loop over the output rows.

use super::taps::{Taps, WEIGHT_BITS};
use crate::picture::Plane;

/// Fractional bits of filtered samples: 255 plus the overshoot of the kernel still fits an `i16`.
pub(super) const SAMPLE_BITS: u32 = 6;
/// Bits that the horizontal pass drops. It truncates, which loses half a unit on average.
pub(super) const COLUMN_SHIFT: u32 = WEIGHT_BITS - SAMPLE_BITS;
/// Bits that the vertical pass drops.
pub(super) const ROW_SHIFT: u32 = WEIGHT_BITS + SAMPLE_BITS;
/// Added by the vertical pass: its own rounding, and the half unit that the horizontal pass loses.
pub(super) const ROW_BIAS: i32 = (1 << (ROW_SHIFT - 1)) + (1 << (WEIGHT_BITS - 1));

/// One column of two filtered source rows, the even one first.
pub(super) type Pair = [i16; 2];

/// In bytes, on most processors.
const CACHE_LINE: usize = 64;

/// Ring rows are padded to a multiple of this, so that vector code needs no special case at their end.
pub(super) const LANES: usize = 32;

/// The two passes, implemented by each backend.
pub(super) trait Passes {
    /// Filters four source rows, the first two into `out[0]`, the others into `out[1]`.
    fn columns(&mut self, rows: [&[u8]; 4], out: [&mut [Pair]; 2]);
    /// Sums ring rows into one output row. Each has a pair of weights, for its even and its odd row.
    fn rows(&mut self, ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]);
}

/// Pairs of filtered rows: pair `p` holds source rows `2p` and `2p + 1`.
#[derive(Default)]
pub(super) struct Ring {
    samples: Vec<Pair>,
    /// Where the first row begins: at a cache line, which no load of a row is to cross.
    start: usize,
    slots: usize,
    stride: usize,
    weights: Vec<Pair>,
}

impl Ring {
    /// Makes room for all pairs that an output row needs, and for the two that are filtered at once.
    fn reset(&mut self, rows: &Taps, out_width: usize) {
        self.slots = rows.len / 2 + 3;
        self.slots += self.slots % 2;
        self.stride = out_width.next_multiple_of(LANES);
        let size = self.slots * self.stride + CACHE_LINE / size_of::<Pair>();
        if self.samples.len() < size {
            self.samples.resize(size, [0; 2]);
            let offset = self.samples.as_ptr().align_offset(CACHE_LINE);
            self.start = offset.min(CACHE_LINE / size_of::<Pair>());
        }
    }

    /// Makes the output rows from top to bottom: filters the source rows that the next one needs, then sums them.
    pub fn run(
        &mut self,
        rows: &Taps,
        source: &Plane,
        passes: &mut impl Passes,
        out: &mut [u8],
        out_width: usize,
    ) {
        self.reset(rows, out_width);
        // Starts never decrease, so no pair before that of the first start is needed. Two pairs are filtered at a time
        // and must be contiguous in the ring, so this is even.
        let mut filled = rows.starts[0] as usize / 4 * 2;
        for (y, out_row) in out.chunks_exact_mut(out_width).enumerate() {
            let first = self.pack_weights(rows, y);
            let end = first + self.weights.len();
            while filled < end {
                self.fill(filled, source, passes);
                filled += 2;
            }
            self.sum(first, passes, out_row);
        }
    }

    /// Packs the weights of output row `y` in pairs, without the zeros at both ends; returns the number of the first pair.
    fn pack_weights(&mut self, rows: &Taps, y: usize) -> usize {
        let weights = rows.weights_of(y);
        let skip = weights.iter().take_while(|w| **w == 0).count();
        let end = weights.len() - weights.iter().rev().take_while(|w| **w == 0).count();
        let first = rows.starts[y] as usize + skip;
        self.weights.clear();
        self.weights
            .resize((first % 2 + end - skip).div_ceil(2), [0; 2]);
        for (i, weight) in weights[skip..end].iter().enumerate() {
            let at = first % 2 + i;
            self.weights[at / 2][at % 2] = *weight;
        }
        first / 2
    }

    /// Filters pairs `pair` (even) and `pair + 1`. Rows after the last one have no weight; the last one replaces them.
    fn fill(&mut self, pair: usize, source: &Plane, passes: &mut impl Passes) {
        let row = |i: usize| {
            let y = (2 * pair + i).min(source.height - 1);
            &source.data[y * source.width..][..source.width]
        };
        let at = self.start + pair % self.slots * self.stride;
        let (one, two) = self.samples[at..][..2 * self.stride].split_at_mut(self.stride);
        passes.columns([row(0), row(1), row(2), row(3)], [one, two]);
    }

    fn sum(&self, first: usize, passes: &mut impl Passes, out_row: &mut [u8]) {
        // The list is on the stack except for strong reductions.
        let mut few: [&[Pair]; 8] = [&[]; 8];
        let rows = &self.samples[self.start..];
        let slot = |i: usize| &rows[(first + i) % self.slots * self.stride..][..self.stride];
        let count = self.weights.len();
        if count <= few.len() {
            for (i, entry) in few[..count].iter_mut().enumerate() {
                *entry = slot(i);
            }
            passes.rows(&few[..count], &self.weights, out_row);
        } else {
            let many: Vec<_> = (0..count).map(slot).collect();
            passes.rows(&many, &self.weights, out_row);
        }
    }
}
