//! The weights of one axis, in fixed point.

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
    /// Buffers: the weights of one output before rounding, as sampled from the kernel and after [`Taps::fold`].
    exact: Vec<f64>,
    folded: Vec<f64>,
}

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
        let step = extent / outputs as f64;
        let scale = step.max(1.0);
        let reach = kernel.radius() * scale;
        // An open interval of length L holds at most ceil(L) integers.
        let wanted = (2.0 * reach).ceil() as usize;
        self.len = wanted.min(limit);
        self.exact.resize(wanted, 0.0);
        self.starts.clear();
        self.weights.clear();
        for output in 0..outputs {
            let centre = origin + (output as f64 + 0.5) * step - 0.5;
            let first = (centre - reach).floor() as i64 + 1;
            kernel.sample(
                (first as f64 - centre) / scale,
                1.0 / scale,
                &mut self.exact,
            );
            let start = first.clamp(0, (limit - self.len) as i64);
            self.starts.push(start as u32);
            if start == first && self.len == wanted {
                quantise(&self.exact, &mut self.weights);
            } else {
                self.fold(first, start);
                quantise(&self.folded, &mut self.weights);
            }
        }
    }

    /// Adds the weights of samples outside the plane to that of the edge sample, which they repeat.
    fn fold(&mut self, first: i64, start: i64) {
        self.folded.clear();
        self.folded.resize(self.len, 0.0);
        for (sample, weight) in (first..).zip(&self.exact) {
            let inside = sample.clamp(0, self.limit as i64 - 1);
            self.folded[(inside - start) as usize] += weight;
        }
    }

    /// The weights of one output.
    pub fn weights_of(&self, output: usize) -> &[i16] {
        &self.weights[output * self.len..][..self.len]
    }
}

/// Rounds the running sum instead of each weight, so that the total is exactly 1 and the errors of neighbours cancel.
fn quantise(exact: &[f64], weights: &mut Vec<i16>) {
    // Makes the sum positive, so that a truncating cast rounds correctly; `f64::round` would be a call into libm.
    const LIFT: i32 = 1 << 20;
    let unit = f64::from(1 << WEIGHT_BITS) / exact.iter().sum::<f64>();
    let (mut sum, mut before) = (f64::from(LIFT) + 0.5, LIFT);
    weights.extend(exact.iter().map(|weight| {
        sum += weight * unit;
        let rounded = sum as i32;
        let weight = rounded - before;
        before = rounded;
        weight as i16
    }));
}
