//! The weights of one axis, in fixed point.

use pulp::{Arch, Simd, WithSimd};

use super::Kernel;

/// Fractional bits of weights: 1.0 still fits an `i16`.
pub(super) const WEIGHT_BITS: u32 = 14;

/// For each output sample `i` of an axis: `len` source samples from `starts[i]` on, all inside the plane, and their
/// weights, which sum to exactly 1.
#[derive(Default)]
pub(super) struct Taps {
    pub len: usize,
    pub starts: Vec<u32>,
    pub weights: Vec<i16>,
    /// Source samples of the axis.
    pub limit: usize,
    /// Changes with the taps.
    pub version: u64,
    key: Option<Key>,
    /// Buffers: the weights of a batch of outputs, tap by tap, and of one output at an edge.
    exact: Vec<[f64; BATCH]>,
    folded: Vec<[f64; 1]>,
}

/// Outputs that are planned at once, in vector code.
pub(super) const BATCH: usize = 8;

/// The parameters that determine the weights.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    kernel: Kernel,
    origin: f64,
    extent: f64,
    outputs: usize,
    limit: usize,
}

impl Taps {
    /// Computes the weights for `outputs` samples that divide `[origin, origin + extent)` of a source of `limit` samples,
    /// unless they are those of the last call, as for Cr after Cb.
    pub fn plan(&mut self, kernel: Kernel, origin: f64, extent: f64, outputs: usize, limit: usize) {
        let key = Key {
            kernel,
            origin,
            extent,
            outputs,
            limit,
        };
        if self.key == Some(key) {
            return;
        }
        self.key = Some(key);
        self.version += 1;
        self.limit = limit;
        Arch::new().dispatch(Plan { taps: self, key });
    }

    /// The weights of one output.
    pub fn weights_of(&self, output: usize) -> &[i16] {
        &self.weights[output * self.len..][..self.len]
    }
}

struct Plan<'a> {
    taps: &'a mut Taps,
    key: Key,
}

impl WithSimd for Plan<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { taps, key } = self;
        let scale = (key.extent / key.outputs as f64).max(1.0);
        // An open interval of length L holds at most ceil(L) integers.
        let wanted = (2.0 * key.kernel.radius() * scale).ceil() as usize;
        taps.len = wanted.min(key.limit);
        taps.exact.resize(wanted, [0.0; BATCH]);
        taps.starts.clear();
        taps.weights.clear();
        for output in (0..key.outputs).step_by(BATCH) {
            let firsts = taps.sample(&key, scale, output);
            let starts = firsts.map(|first| first.clamp(0, (key.limit - taps.len) as i64));
            let outputs = BATCH.min(key.outputs - output);
            taps.starts
                .extend(starts[..outputs].iter().map(|start| *start as u32));
            if starts == firsts && taps.len == wanted {
                taps.add_batch(outputs);
            } else {
                for lane in 0..outputs {
                    taps.add_folded(lane, firsts[lane], starts[lane]);
                }
            }
        }
    }
}

impl Taps {
    /// Samples the kernel for the batch of outputs from `output` on. Gives the first source sample of each, which may be
    /// outside the plane.
    #[inline(always)]
    fn sample(&mut self, key: &Key, scale: f64, output: usize) -> [i64; BATCH] {
        let step = key.extent / key.outputs as f64;
        let reach = key.kernel.radius() * scale;
        let (mut firsts, mut from_centre) = ([0.0; BATCH], [0.0; BATCH]);
        for lane in 0..BATCH {
            let centre = key.origin + ((output + lane) as f64 + 0.5) * step - 0.5;
            firsts[lane] = (centre - reach).floor() + 1.0;
            from_centre[lane] = (firsts[lane] - centre) / scale;
        }
        key.kernel
            .sample(&from_centre, 1.0 / scale, &mut self.exact);
        firsts.map(|first| first as i64)
    }

    /// Adds the weights of the first outputs of a batch, whose source samples are all inside the plane.
    #[inline(always)]
    fn add_batch(&mut self, outputs: usize) {
        quantise(&mut self.exact);
        for lane in 0..outputs {
            let weights = self.exact.iter().map(|weights| whole(weights[lane]));
            self.weights.extend(weights);
        }
    }

    /// Adds the weights of one output of a batch, those of samples outside the plane to that of the edge sample, which
    /// they repeat.
    #[inline(always)]
    fn add_folded(&mut self, lane: usize, first: i64, start: i64) {
        self.folded.clear();
        self.folded.resize(self.len, [0.0]);
        for (sample, weights) in (first..).zip(&self.exact) {
            let inside = sample.clamp(0, self.limit as i64 - 1);
            self.folded[(inside - start) as usize][0] += weights[lane];
        }
        quantise(&mut self.folded);
        let weights = self.folded.iter().map(|[weight]| whole(*weight));
        self.weights.extend(weights);
    }
}

/// Added to a number below 2^51, and taken away again, it leaves a whole one. Without a call into the C library.
const ROUNDER: f64 = 1.5 * (1u64 << 52) as f64;

/// Rounds the running sum of each output's weights instead of each weight, so that their total is exactly 1 and the
/// errors of neighbours cancel. Leaves whole numbers, in 1/2^[`WEIGHT_BITS`].
#[inline(always)]
fn quantise<const N: usize>(taps: &mut [[f64; N]]) {
    let mut units = [0.0; N];
    for weights in taps.iter() {
        for lane in 0..N {
            units[lane] += weights[lane];
        }
    }
    let units = units.map(|total| f64::from(1 << WEIGHT_BITS) / total);
    let (mut sums, mut before) = ([0.0; N], [0.0; N]);
    for weights in taps {
        for lane in 0..N {
            sums[lane] += weights[lane] * units[lane];
            let rounded = (sums[lane] + ROUNDER) - ROUNDER;
            weights[lane] = rounded - before[lane];
            before[lane] = rounded;
        }
    }
}

/// A whole number of 16 bits: the last ones of such a sum.
#[inline(always)]
fn whole(weight: f64) -> i16 {
    (weight + ROUNDER).to_bits() as i16
}
