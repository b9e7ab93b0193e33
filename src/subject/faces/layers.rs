//! What the network is made of. Sums run in a fixed order, and each step is rounded once, so that the vector code of every
//! processor gives the same bits. Processors without vectors have no instruction for that: there, sums may differ in
//! their last bits.
//!
//! The vectors are written out: left to the compiler, some of these loops become scattered stores.

use std::array::from_fn;

use pulp::{Arch, Simd, WithSimd};

use super::onnx::Convolution;

/// Positions of a pointwise convolution that are summed at once, two vectors of outputs for each: as many sums as hide
/// how long one takes.
const POSITIONS: usize = 4;

/// Activations: some channels for each cell.
#[derive(Default)]
pub struct Map {
    pub width: usize,
    pub height: usize,
    /// Rows top to bottom, the channels of a cell together; and maybe more.
    samples: Vec<f32>,
}

impl Map {
    /// The cells, which have `C` channels.
    pub fn cells<const C: usize>(&self) -> &[[f32; C]] {
        &self.samples.as_chunks().0[..self.width * self.height]
    }

    fn cells_mut<const C: usize>(&mut self) -> &mut [[f32; C]] {
        &mut self.samples.as_chunks_mut().0[..self.width * self.height]
    }

    /// Becomes a copy of another, in its own memory.
    pub fn copy_from<const C: usize>(&mut self, other: &Self) {
        let cells = self.overwrite(other.width, other.height);
        cells.copy_from_slice(other.cells::<C>());
    }

    /// Cells to be overwritten, in the memory of the old ones.
    pub fn overwrite<const C: usize>(&mut self, width: usize, height: usize) -> &mut [[f32; C]] {
        (self.width, self.height) = (width, height);
        // What is there is kept for larger maps: they need not be filled with zeros again.
        let length = self.samples.len().max(width * height * C);
        self.samples.resize(length, 0.0);
        self.cells_mut()
    }

    /// Of half the sides, which are even: the largest of four cells.
    pub fn pool<const C: usize>(&self, out: &mut Self) {
        let width = self.width;
        let out = out.overwrite::<C>(width / 2, self.height / 2);
        let rows = self.cells::<C>().chunks_exact(2 * width);
        for (rows, out) in rows.zip(out.chunks_exact_mut(width / 2)) {
            let (upper, lower) = rows.split_at(width);
            let upper = upper.as_chunks::<2>().0.iter();
            for ((upper, lower), out) in upper.zip(lower.as_chunks::<2>().0).zip(out) {
                *out = from_fn(|c| larger(largest(upper, c), largest(lower, c)));
            }
        }
    }

    /// Adds a map of half the sides, each of its cells to four.
    pub fn add_doubled<const C: usize>(&mut self, half: &Self) {
        let width = self.width;
        let rows = self.cells_mut::<C>();
        let half_rows = half.cells::<C>().chunks_exact(half.width);
        for (rows, half) in rows.chunks_exact_mut(2 * width).zip(half_rows) {
            for row in rows.chunks_exact_mut(width) {
                for (pair, added) in row.as_chunks_mut::<2>().0.iter_mut().zip(half) {
                    for cell in pair {
                        for (sample, added) in cell.iter_mut().zip(added) {
                            *sample += added;
                        }
                    }
                }
            }
        }
    }
}

/// What is worked on: a layer takes one map and writes the other.
#[derive(Default)]
pub struct Maps {
    pub current: Map,
    other: Map,
}

impl Maps {
    pub fn apply(&mut self, layer: impl FnOnce(&Map, &mut Map)) {
        layer(&self.current, &mut self.other);
        std::mem::swap(&mut self.current, &mut self.other);
    }
}

fn largest<const C: usize>([a, b]: &[[f32; C]; 2], c: usize) -> f32 {
    larger(a[c], b[c])
}

/// One instruction; `f32::max` is more, for the sake of NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Of the vectors that `numbers` are, `V` from the index `first` on.
#[inline(always)]
fn vectors<S: Simd, const V: usize>(numbers: &[f32], first: usize) -> [S::f32s; V] {
    let vectors = S::as_simd_f32s(numbers).0;
    from_fn(|i| vectors[first + i])
}

/// Weighted sums of `I` inputs: `O` of them, a multiple of any vector's numbers.
pub struct Pointwise<const I: usize, const O: usize> {
    pub weights: [[f32; O]; I],
    pub biases: [f32; O],
}

impl<const I: usize, const O: usize> Pointwise<I, O> {
    #[inline(always)]
    fn row<S: Simd>(&self, simd: S, inputs: &[[f32; I]], out: &mut [[f32; O]]) {
        let (several, rest) = inputs.as_chunks::<POSITIONS>();
        let (out_of_several, out_of_rest) = out.as_chunks_mut::<POSITIONS>();
        for (inputs, out) in several.iter().zip(out_of_several) {
            self.sum::<S, 1, POSITIONS, false>(simd, [inputs.each_ref().map(|i| &i[..])], out);
        }
        for (input, out) in rest.iter().zip(out_of_rest) {
            self.sum::<S, 1, 1, false>(simd, [[input]], std::array::from_mut(out));
        }
    }

    /// The outputs of `P` positions, whose inputs are in `N` pieces, one after the other.
    #[inline(always)]
    fn sum<S: Simd, const N: usize, const P: usize, const RELU: bool>(
        &self,
        simd: S,
        inputs: [[&[f32]; P]; N],
        out: &mut [[f32; O]; P],
    ) {
        let count = S::as_simd_f32s(&self.biases).0.len();
        if count.is_multiple_of(2) {
            for first in (0..count).step_by(2) {
                self.sum_vectors::<S, 2, N, P, RELU>(simd, first, inputs, out);
            }
        } else {
            for first in 0..count {
                self.sum_vectors::<S, 1, N, P, RELU>(simd, first, inputs, out);
            }
        }
    }

    /// The same of `V` vectors of outputs.
    #[inline(always)]
    fn sum_vectors<S: Simd, const V: usize, const N: usize, const P: usize, const RELU: bool>(
        &self,
        simd: S,
        first: usize,
        inputs: [[&[f32]; P]; N],
        out: &mut [[f32; O]; P],
    ) {
        let mut sums = [vectors::<S, V>(&self.biases, first); P];
        for (inputs, weights) in inputs.iter().zip(self.weights.chunks_exact(I / N)) {
            for (i, weights) in weights.iter().enumerate() {
                let weights = vectors::<S, V>(weights, first);
                for (sums, input) in sums.iter_mut().zip(inputs) {
                    let input = simd.splat_f32s(input[i]);
                    *sums = from_fn(|v| simd.mul_add_e_f32s(input, weights[v], sums[v]));
                }
            }
        }
        for (out, sums) in out.iter_mut().zip(sums) {
            let sums = match RELU {
                true => sums.map(|sum| simd.max_f32s(sum, simd.splat_f32s(0.0))),
                false => sums,
            };
            S::as_mut_simd_f32s(out).0[first..first + V].copy_from_slice(&sums);
        }
    }
}

/// Weighted sums of each channel over 3 × 3 cells.
struct Depthwise<const C: usize> {
    /// Rows top to bottom.
    weights: [[f32; C]; 9],
    biases: [f32; C],
}

impl<const C: usize> Depthwise<C> {
    /// From three rows, which have a cell more at either end.
    #[inline(always)]
    fn row<S: Simd, const RELU: bool>(
        &self,
        simd: S,
        rows: [&[[f32; C]]; 3],
        out: &mut [[f32; C]],
    ) {
        for part in 0..S::as_simd_f32s(&self.biases).0.len() {
            let vector = |cell: &[f32; C]| S::as_simd_f32s(cell).0[part];
            let weights = self.weights.each_ref().map(vector);
            let biases = vector(&self.biases);
            let [upper, middle, lower] = rows.map(|row| row.windows(3));
            for (((upper, middle), lower), out) in upper.zip(middle).zip(lower).zip(&mut *out) {
                let cells = [upper, middle, lower].into_iter().flatten();
                let sum = cells.zip(&weights).fold(biases, |sum, (cell, weights)| {
                    simd.mul_add_e_f32s(*weights, vector(cell), sum)
                });
                S::as_mut_simd_f32s(out).0[part] = match RELU {
                    true => simd.max_f32s(sum, simd.splat_f32s(0.0)),
                    false => sum,
                };
            }
        }
    }
}

/// A pointwise convolution, and then a depthwise one.
pub struct Unit<const I: usize, const O: usize> {
    pointwise: Pointwise<I, O>,
    depthwise: Depthwise<O>,
}

impl<const I: usize, const O: usize> Unit<I, O> {
    /// Units whose outputs follow one another; outputs that are left over are 0. `None`: they have other sides.
    pub fn new(parts: &[&[Convolution]]) -> Option<Self> {
        let mut unit = Self {
            pointwise: Pointwise {
                weights: [[0.0; O]; I],
                biases: [0.0; O],
            },
            depthwise: Depthwise {
                weights: [[0.0; O]; 9],
                biases: [0.0; O],
            },
        };
        let mut first = 0;
        for part in parts {
            let [pointwise, depthwise] = part else {
                return None;
            };
            let outputs = pointwise.biases.len();
            if first + outputs > O
                || pointwise.sides != [outputs, I, 1, 1]
                || depthwise.sides != [outputs, 1, 3, 3]
            {
                return None;
            }
            for o in 0..outputs {
                let to = first + o;
                (0..I).for_each(|i| {
                    unit.pointwise.weights[i][to] = pointwise.weights[o * I + i];
                });
                (0..9).for_each(|k| {
                    unit.depthwise.weights[k][to] = depthwise.weights[o * 9 + k];
                });
                unit.pointwise.biases[to] = pointwise.biases[o];
                unit.depthwise.biases[to] = depthwise.biases[o];
            }
            first += outputs;
        }
        Some(unit)
    }

    /// With outputs below 0 set to 0.
    pub fn run(&self, input: &Map, out: &mut Map) {
        let unit = self;
        Arch::new().dispatch(Run::<I, O, true> { unit, input, out });
    }

    /// With outputs as they are.
    pub fn run_linear(&self, input: &Map, out: &mut Map) {
        let unit = self;
        Arch::new().dispatch(Run::<I, O, false> { unit, input, out });
    }
}

struct Run<'a, const I: usize, const O: usize, const RELU: bool> {
    unit: &'a Unit<I, O>,
    input: &'a Map,
    out: &'a mut Map,
}

impl<const I: usize, const O: usize, const RELU: bool> WithSimd for Run<'_, I, O, RELU> {
    type Output = ();

    /// Three rows are between the two convolutions, with zeros around the map.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { unit, input, out } = self;
        let out = out.overwrite::<O>(input.width, input.height);
        let mut between = [0, 1, 2].map(|_| vec![[0.0; O]; input.width + 2]);
        let inside = 1..input.width + 1;
        let mut inputs = input.cells::<I>().chunks_exact(input.width);
        if let Some(first) = inputs.next() {
            unit.pointwise
                .row(simd, first, &mut between[2][inside.clone()]);
        }
        for out in out.chunks_exact_mut(input.width) {
            between.rotate_left(1);
            match inputs.next() {
                Some(next) => unit
                    .pointwise
                    .row(simd, next, &mut between[2][inside.clone()]),
                None => between[2].fill([0.0; O]),
            }
            let rows = between.each_ref().map(Vec::as_slice);
            unit.depthwise.row::<S, RELU>(simd, rows, out);
        }
    }
}

/// The first layer: 3 × 3 pixels, at every second one, to 16 channels.
pub struct First(Pointwise<27, 16>);

impl First {
    /// `None`: the convolution has other sides.
    pub fn new(convolution: &Convolution) -> Option<Self> {
        if convolution.sides != [16, 3, 3, 3] {
            return None;
        }
        let mut pointwise = Pointwise {
            weights: [[0.0; 16]; 27],
            biases: from_fn(|o| convolution.biases[o]),
        };
        for o in 0..16 {
            for channel in 0..3 {
                for k in 0..9 {
                    // The model expects blue first.
                    let weight = convolution.weights[o * 27 + (2 - channel) * 9 + k];
                    pointwise.weights[k * 3 + channel][o] = weight;
                }
            }
        }
        Some(Self(pointwise))
    }

    /// Of half the sides, which are even.
    pub fn run(&self, input: &Map, out: &mut Map) {
        let first = self;
        Arch::new().dispatch(RunFirst { first, input, out });
    }
}

struct RunFirst<'a> {
    first: &'a First,
    input: &'a Map,
    out: &'a mut Map,
}

impl WithSimd for RunFirst<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Map { width, height, .. } = *self.input;
        let out = self.out.overwrite::<16>(width / 2, height / 2);
        // Zeros above and to the left.
        let mut rows = [0, 1, 2].map(|_| vec![[0.0; 3]; width + 1]);
        let pairs = self.input.cells::<3>().chunks_exact(2 * width);
        for (pair, out) in pairs.zip(out.chunks_exact_mut(width / 2)) {
            rows.rotate_left(2);
            let (upper, lower) = pair.split_at(width);
            rows[1][1..].copy_from_slice(upper);
            rows[2][1..].copy_from_slice(lower);
            for (i, out) in out.as_chunks_mut::<POSITIONS>().0.iter_mut().enumerate() {
                // Three pixels of three rows are under each output: of these, it is a pointwise convolution.
                let inputs = rows.each_ref().map(|row| {
                    from_fn(|position| {
                        let left = 2 * (i * POSITIONS + position);
                        row[left..left + 3].as_flattened()
                    })
                });
                self.first.0.sum::<S, 3, POSITIONS, true>(simd, inputs, out);
            }
        }
    }
}
