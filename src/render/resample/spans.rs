//! Places and weights for the horizontal pass with AVX-512 (VBMI), computed once per crop.
//!
//! The taps of sixteen neighbouring outputs are within 64 bytes of the source row, up to some 2.5 source samples per
//! output. One load, called a span, reads all of them; a permutation then widens one pair of taps of each output to 32
//! bits.

use super::taps::Taps;

/// Outputs per span.
pub(super) const OUTPUTS: usize = 16;
/// Pairs of taps of an output, at most: with more, other code is faster.
pub(super) const MOST_PAIRS: usize = 5;
/// Bytes per load.
pub(super) const SPAN: usize = 64;

/// The layout of the horizontal pass for some taps.
#[derive(Default)]
pub(super) struct Spans {
    /// Pairs of taps per output. 0: the taps of some outputs do not fit a span.
    pairs: usize,
    /// Offset of each load in a row.
    bases: Vec<u32>,
    /// By span and pair.
    steps: Vec<SpanStep>,
    /// End of the furthest load, in bytes of a row.
    reach: usize,
    /// Version of the taps of this layout.
    version: u64,
}

/// Operands for one pair of taps of sixteen outputs.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct SpanStep {
    /// Of the samples in the span: in the first and the third byte of an output's four.
    pub places: [u8; 64],
    pub weights: [i16; 32],
}

impl Spans {
    /// Computes the layout for `taps`, unless it is up to date.
    pub fn plan(&mut self, taps: &Taps) {
        if self.version == taps.version {
            return;
        }
        self.version = taps.version;
        self.pairs = if fit(taps) { taps.len.div_ceil(2) } else { 0 };
        self.reach = 0;
        self.bases.clear();
        self.steps.clear();
        if self.pairs == 0 {
            return;
        }
        let weights = taps.weights.chunks(OUTPUTS * taps.len);
        for (starts, weights) in taps.starts.chunks(OUTPUTS).zip(weights) {
            let base = starts[0].min((taps.limit - SPAN) as u32);
            self.bases.push(base);
            self.reach = self.reach.max(base as usize + SPAN);
            let first = self.steps.len();
            let empty = SpanStep {
                places: [0; 64],
                weights: [0; 32],
            };
            self.steps.resize(first + self.pairs, empty);
            let steps = &mut self.steps[first..];
            for (output, (start, weights)) in
                starts.iter().zip(weights.chunks(taps.len)).enumerate()
            {
                let place = (start - base) as u8;
                for (step, (pair, weights)) in steps.iter_mut().zip(weights.chunks(2).enumerate()) {
                    for (tap, weight) in weights.iter().enumerate() {
                        step.places[4 * output + 2 * tap] = place + (2 * pair + tap) as u8;
                        step.weights[2 * output + tap] = *weight;
                    }
                }
            }
        }
    }

    /// Pairs of taps per output. 0: other code has to be used.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// One for each span.
    pub fn bases(&self) -> &[u32] {
        &self.bases
    }

    /// By span and pair.
    pub fn steps(&self) -> &[SpanStep] {
        &self.steps
    }

    /// No load exceeds this many bytes of a row.
    pub fn reach(&self) -> usize {
        self.reach
    }
}

/// Whether all taps of each sixteen outputs fit a span.
fn fit(taps: &Taps) -> bool {
    // Starts never decrease, so the last of them has the furthest.
    let spread = |starts: &[u32]| (starts[starts.len() - 1] - starts[0]) as usize;
    taps.limit >= SPAN
        && taps.len <= 2 * MOST_PAIRS
        && taps
            .starts
            .chunks(OUTPUTS)
            .all(|starts| spread(starts) + taps.len <= SPAN)
}
