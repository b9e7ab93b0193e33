//! What the network is made of. Sums run in a fixed order, and each step is rounded once, so that the vector code of every
//! processor gives the same bits. Processors without vectors of eight numbers have no instruction for that: there, sums
//! may differ in their last bits.

use std::array::from_fn;

use pulp::{Arch, Simd, WithSimd};

use super::onnx::Convolution;

/// Outputs of a pointwise convolution that are summed at once.
const LANES: usize = 16;

/// Numbers in the registers of AVX2, and of AVX-512: as many outputs of a depthwise convolution are summed at once.
const NARROW: usize = 8;
const WIDE: usize = 16;

/// Positions whose outputs are summed at once: with [`LANES`], as many sums as registers hold.
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

/// `a · b + c`; fused, it is rounded once.
#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// One instruction; `f32::max` is more, for the sake of NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Weighted sums of `I` inputs: `O` of them, a multiple of [`LANES`].
pub struct Pointwise<const I: usize, const O: usize> {
    pub weights: [[f32; O]; I],
    pub biases: [f32; O],
}

impl<const I: usize, const O: usize> Pointwise<I, O> {
    #[inline(always)]
    fn row<const FUSED: bool>(&self, inputs: &[[f32; I]], out: &mut [[f32; O]]) {
        let (several, rest) = inputs.as_chunks::<POSITIONS>();
        let (out_of_several, out_of_rest) = out.as_chunks_mut::<POSITIONS>();
        for (inputs, out) in several.iter().zip(out_of_several) {
            self.several::<POSITIONS, FUSED>(inputs, out);
        }
        for (input, out) in rest.iter().zip(out_of_rest) {
            self.several::<1, FUSED>(&[*input], std::array::from_mut(out));
        }
    }

    #[inline(always)]
    fn several<const P: usize, const FUSED: bool>(
        &self,
        inputs: &[[f32; I]; P],
        out: &mut [[f32; O]; P],
    ) {
        let biases = self.biases.as_chunks::<LANES>().0;
        for (part, biases) in biases.iter().enumerate() {
            let mut sums = [*biases; P];
            for (i, weights) in self.weights.iter().enumerate() {
                let weights = &weights.as_chunks::<LANES>().0[part];
                for (sums, input) in sums.iter_mut().zip(inputs) {
                    let input = input[i];
                    for lane in 0..LANES {
                        sums[lane] = multiply_add::<FUSED>(input, weights[lane], sums[lane]);
                    }
                }
            }
            for (out, sums) in out.iter_mut().zip(sums) {
                out.as_chunks_mut::<LANES>().0[part] = sums;
            }
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
    fn row<const LANES: usize, const FUSED: bool, const RELU: bool>(
        &self,
        rows: [&[[f32; C]]; 3],
        out: &mut [[f32; C]],
    ) {
        for part in 0..C / LANES {
            let lanes = |cell: &[f32; C]| cell.as_chunks::<LANES>().0[part];
            let weights: [_; 9] = from_fn(|k| lanes(&self.weights[k]));
            let biases = lanes(&self.biases);
            let cells = rows.map(|row| row.windows(3));
            let [upper, middle, lower] = cells;
            for (((upper, middle), lower), out) in upper.zip(middle).zip(lower).zip(&mut *out) {
                let mut sums = biases;
                for (row, cells) in [upper, middle, lower].into_iter().enumerate() {
                    for (column, cell) in cells.iter().enumerate() {
                        let (weights, cell) = (&weights[3 * row + column], lanes(cell));
                        for lane in 0..LANES {
                            sums[lane] =
                                multiply_add::<FUSED>(weights[lane], cell[lane], sums[lane]);
                        }
                    }
                }
                if RELU {
                    sums = sums.map(|sum| larger(sum, 0.0));
                }
                out.as_chunks_mut::<LANES>().0[part] = sums;
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

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match size_of::<S::f32s>() / size_of::<f32>() {
            WIDE.. => self.run::<WIDE, true>(),
            NARROW.. => self.run::<NARROW, true>(),
            _ => self.run::<NARROW, false>(),
        }
    }
}

impl<const I: usize, const O: usize, const RELU: bool> Run<'_, I, O, RELU> {
    /// Three rows are between the two convolutions, with zeros around the map.
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Self { unit, input, out } = self;
        let out = out.overwrite::<O>(input.width, input.height);
        let mut between = [0, 1, 2].map(|_| vec![[0.0; O]; input.width + 2]);
        let inside = 1..input.width + 1;
        let mut inputs = input.cells::<I>().chunks_exact(input.width);
        if let Some(first) = inputs.next() {
            unit.pointwise
                .row::<FUSED>(first, &mut between[2][inside.clone()]);
        }
        for out in out.chunks_exact_mut(input.width) {
            between.rotate_left(1);
            match inputs.next() {
                Some(next) => unit
                    .pointwise
                    .row::<FUSED>(next, &mut between[2][inside.clone()]),
                None => between[2].fill([0.0; O]),
            }
            let rows = between.each_ref().map(Vec::as_slice);
            unit.depthwise.row::<LANES, FUSED, RELU>(rows, out);
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
    fn with_simd<S: Simd>(self, _: S) {
        match size_of::<S::f32s>() / size_of::<f32>() {
            NARROW.. => self.run::<true>(),
            _ => self.run::<false>(),
        }
    }
}

impl RunFirst<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
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
                // The 27 values under each output together: then it is a pointwise convolution.
                let mut inputs = [[0.0; 27]; POSITIONS];
                for (position, inputs) in inputs.iter_mut().enumerate() {
                    let left = 2 * (i * POSITIONS + position);
                    for (row, inputs) in rows.iter().zip(inputs.as_chunks_mut::<9>().0) {
                        inputs.copy_from_slice(row[left..left + 3].as_flattened());
                    }
                }
                self.first.0.several::<POSITIONS, FUSED>(&inputs, out);
                for value in out.as_flattened_mut() {
                    *value = larger(*value, 0.0);
                }
            }
        }
    }
}
