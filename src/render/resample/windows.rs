//! Offsets, shuffle masks and weights for the horizontal pass with AVX2, computed once per crop.
//!
//! The taps of four neighbouring outputs are within a few bytes of the source row, so that one load, called a window,
//! reads all of them, or as many pairs as fit. A shuffle then widens one pair of taps of each output to 32 bits.

use super::taps::Taps;

/// Outputs per step: four in each half of a register.
pub(super) const GROUP: usize = 8;
/// Bytes per load, which fill half a register.
pub(super) const WINDOW: usize = 16;

/// The layout of the horizontal pass for some taps.
#[derive(Default)]
pub(super) struct Windows {
    /// Pairs of taps per output.
    pairs: usize,
    /// Pairs of taps per window: all of them up to 2.25 source samples per output with a cubic kernel. 0 beyond 4.7, or
    /// when a row is shorter than a load: the portable pass handles these.
    per_window: usize,
    /// Offsets of the loads of both half registers, by group and window.
    bases: Vec<[u32; 2]>,
    /// By group and pair.
    steps: Vec<Step>,
    /// End of the furthest load, in bytes of a row.
    reach: usize,
    /// Version of the taps of this layout.
    version: u64,
}

/// Operands for one pair of taps of eight outputs.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Step {
    pub mask: [u8; 32],
    pub weights: [i16; 16],
}

impl Windows {
    /// Computes the layout for `taps`, unless it is up to date.
    pub fn plan(&mut self, taps: &Taps) {
        if self.version == taps.version {
            return;
        }
        self.version = taps.version;
        self.reach = 0;
        self.pairs = taps.len.div_ceil(2);
        self.per_window = pairs_per_window(taps);
        self.bases.clear();
        self.steps.clear();
        if self.per_window == 0 {
            return;
        }
        let groups = taps.starts.len().div_ceil(GROUP);
        for group in 0..groups {
            for pair in 0..self.pairs {
                let mut step = Step {
                    mask: [0x80; 32],
                    weights: [0; 16],
                };
                let bases = [0, 1].map(|half| self.lay_out(taps, group, pair, half, &mut step));
                self.steps.push(step);
                if pair % self.per_window == 0 {
                    self.bases.push(bases);
                    let furthest = bases[0].max(bases[1]) as usize;
                    self.reach = self.reach.max(furthest + WINDOW);
                }
            }
        }
    }

    /// Computes one half of a step; returns the offset of its load. Outputs after the last one have no weight.
    fn lay_out(&self, taps: &Taps, group: usize, pair: usize, half: usize, step: &mut Step) -> u32 {
        let outputs = taps.starts.len();
        let first = group * GROUP + half * 4;
        let ahead = 2 * (pair - pair % self.per_window);
        let start = taps.starts[first.min(outputs - 1)] as usize;
        let base = (start + ahead).min(taps.limit - WINDOW);
        for output in first..(first + 4).min(outputs) {
            for tap in 2 * pair..(2 * pair + 2).min(taps.len) {
                // Each 16-bit lane gets one sample in its low byte and zero in the high one.
                let lane = half * 8 + (output - first) * 2 + tap % 2;
                step.mask[2 * lane] = (taps.starts[output] as usize + tap - base) as u8;
                step.weights[lane] = taps.weights_of(output)[tap];
            }
        }
        base as u32
    }

    /// Whether vector code can be used; if not, the portable pass is.
    pub fn fit(&self) -> bool {
        self.per_window > 0
    }

    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Windows per group.
    pub fn windows(&self) -> usize {
        self.pairs.div_ceil(self.per_window)
    }

    pub fn per_window(&self) -> usize {
        self.per_window
    }

    /// By group and window.
    pub fn bases(&self) -> &[[u32; 2]] {
        &self.bases
    }

    /// By group and pair.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// No load exceeds this many bytes of a row.
    pub fn reach(&self) -> usize {
        self.reach
    }
}

/// How many pairs of taps of any four neighbouring outputs fit one window.
fn pairs_per_window(taps: &Taps) -> usize {
    // Starts never decrease, so the last of four outputs has the furthest.
    let spread = taps
        .starts
        .chunks(4)
        .map(|four| four[four.len() - 1] - four[0])
        .max();
    let spread = spread.unwrap_or(0) as usize;
    if taps.limit < WINDOW {
        0
    } else if spread + taps.len <= WINDOW {
        taps.len.div_ceil(2)
    } else {
        WINDOW.saturating_sub(spread) / 2
    }
}
