//! Both passes with AVX2; the only place with `unsafe`, which is for loads and stores by pointer.
//!
//! Horizontal: the taps of four neighbouring outputs lie within 16 source bytes. One load brings them, a byte shuffle
//! spreads a pair of taps of each output over 32 bits, and a multiply-add sums the pair; masks and weights are laid
//! out once per crop, and serve four rows while they are in registers. Two rows' results merge into ring order with a
//! shift and a blend.
//! Vertical: one multiply-add takes eight columns of a row pair.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::portable;
use super::ring::{COLUMN_SHIFT, LANES, Pair, Passes, ROW_BIAS, ROW_SHIFT};
use super::taps::Taps;

/// Outputs that one step of the horizontal pass makes: four in each half of a register.
const GROUP: usize = 8;
/// Bytes that a half register's load brings.
const WINDOW: usize = 16;

/// Shuffle masks and weights for the taps in force. Exists only where AVX2 does.
#[derive(Default)]
pub(super) struct Avx2 {
    layout: Layout,
    /// Pairs of taps per output.
    pairs: usize,
    /// Where each half register loads from: by group, or by group and pair. All are below `row_len - WINDOW + 1`.
    bases: Vec<[u32; 2]>,
    /// By group and pair.
    steps: Vec<Step>,
    /// Samples of the rows that this was laid out for.
    row_len: usize,
}

/// Operands for one pair of taps of eight outputs.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Step {
    mask: [u8; 32],
    weights: [i16; 16],
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Layout {
    /// One load brings all taps of four outputs: up to 2.25 source samples per output with a cubic.
    Shared,
    /// A load per pair of taps: up to 4.
    PerPair,
    /// Too far apart, or a row shorter than a load: left to the portable pass.
    #[default]
    None,
}

impl Avx2 {
    /// None where the machine has no AVX2.
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then(Self::default)
    }

    /// Lays out `taps` for rows of `row_len` samples.
    pub fn plan(&mut self, taps: &Taps, row_len: usize) {
        self.row_len = row_len;
        self.pairs = taps.len.div_ceil(2);
        self.layout = layout(taps, row_len);
        self.bases.clear();
        self.steps.clear();
        if self.layout == Layout::None {
            return;
        }
        for group in 0..taps.starts.len().div_ceil(GROUP) {
            for pair in 0..self.pairs {
                let mut step = Step {
                    mask: [0x80; 32],
                    weights: [0; 16],
                };
                let bases = [0, 1].map(|half| self.lay_out(taps, group, pair, half, &mut step));
                self.steps.push(step);
                if pair == 0 || self.layout == Layout::PerPair {
                    self.bases.push(bases);
                }
            }
        }
    }

    /// One half of a step; returns where its load starts. Outputs past the last have no weight.
    fn lay_out(&self, taps: &Taps, group: usize, pair: usize, half: usize, step: &mut Step) -> u32 {
        let outputs = taps.starts.len();
        let first = group * GROUP + half * 4;
        let ahead = if self.layout == Layout::PerPair {
            2 * pair
        } else {
            0
        };
        let start = taps.starts[first.min(outputs - 1)] as usize;
        let base = (start + ahead).min(self.row_len - WINDOW);
        for output in first..(first + 4).min(outputs) {
            for tap in 2 * pair..(2 * pair + 2).min(taps.len) {
                // Each 16-bit lane gets one sample below a zero byte.
                let lane = half * 8 + (output - first) * 2 + tap % 2;
                step.mask[2 * lane] = (taps.starts[output] as usize + tap - base) as u8;
                step.weights[lane] = taps.weights_of(output)[tap];
            }
        }
        base as u32
    }

    pub fn passes<'a>(&'a self, columns: &'a Taps) -> Avx2Passes<'a> {
        Avx2Passes {
            plan: self,
            columns,
        }
    }
}

fn layout(taps: &Taps, row_len: usize) -> Layout {
    // Starts never decrease, so the last of four outputs reaches furthest.
    let spread = taps
        .starts
        .chunks(4)
        .map(|four| four[four.len() - 1] - four[0])
        .max();
    let spread = spread.unwrap_or(0) as usize;
    if row_len < WINDOW {
        Layout::None
    } else if spread + taps.len <= WINDOW && taps.len <= 10 {
        Layout::Shared
    } else if spread + 2 <= WINDOW {
        Layout::PerPair
    } else {
        Layout::None
    }
}

/// The passes under the plan in force.
pub(super) struct Avx2Passes<'a> {
    plan: &'a Avx2,
    columns: &'a Taps,
}

impl Passes for Avx2Passes<'_> {
    fn columns(&mut self, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
        let plan = self.plan;
        if plan.layout == Layout::None {
            return portable::Portable {
                columns: self.columns,
            }
            .columns(rows, out);
        }
        let groups = self.columns.starts.len().div_ceil(GROUP);
        // These, and the plan's `bases`, are what the loads and stores below rely on.
        assert!(rows.iter().all(|row| row.len() == plan.row_len));
        assert!(out.iter().all(|row| row.len() >= groups * GROUP));
        assert_eq!(plan.steps.len(), groups * plan.pairs);
        // SAFETY: an `Avx2` is only made where AVX2 was detected, and the bounds were checked just now.
        unsafe {
            match (plan.layout, plan.pairs) {
                (Layout::Shared, 2) => columns_shared::<2>(plan, rows, out),
                (Layout::Shared, 3) => columns_shared::<3>(plan, rows, out),
                (Layout::Shared, 4) => columns_shared::<4>(plan, rows, out),
                (Layout::Shared, 5) => columns_shared::<5>(plan, rows, out),
                _ => columns_per_pair(plan, rows, out),
            }
        }
    }

    fn rows(&mut self, ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
        assert!(
            ring.iter()
                .all(|row| row.len() >= out.len().next_multiple_of(LANES))
        );
        assert_eq!(ring.len(), weights.len());
        // SAFETY: an `Avx2` is only made where AVX2 was detected, and the bounds were checked just now.
        unsafe {
            match (ring.len(), ring) {
                (2, _) => rows_fixed::<2>(ring, weights, out),
                (3, _) => rows_fixed::<3>(ring, weights, out),
                (4, _) => rows_fixed::<4>(ring, weights, out),
                (5, _) => rows_fixed::<5>(ring, weights, out),
                _ => rows_any(ring, weights, out),
            }
        }
    }
}

/// # Safety
/// Both bases must leave `WINDOW` bytes of `row`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load_windows(row: &[u8], bases: [u32; 2]) -> __m256i {
    debug_assert!(
        bases
            .iter()
            .all(|base| *base as usize + WINDOW <= row.len())
    );
    // SAFETY: the caller's promise.
    unsafe {
        let low = _mm_loadu_si128(row.as_ptr().add(bases[0] as usize).cast());
        let high = _mm_loadu_si128(row.as_ptr().add(bases[1] as usize).cast());
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
    }
}

/// Two rows' sums to ring samples, side by side.
#[inline]
#[target_feature(enable = "avx2")]
fn merge(even: __m256i, odd: __m256i) -> __m256i {
    const UP: i32 = 16 - COLUMN_SHIFT as i32;
    let even = _mm256_srli_epi32::<{ COLUMN_SHIFT as i32 }>(even);
    let odd = _mm256_slli_epi32::<UP>(odd);
    _mm256_blend_epi16::<0xaa>(even, odd)
}

/// # Safety
/// `rows` are all of `plan.row_len` samples, `out` rows hold all groups, and `plan` is laid out `Shared` with `PAIRS`
/// pairs for that many groups.
#[target_feature(enable = "avx2")]
unsafe fn columns_shared<const PAIRS: usize>(plan: &Avx2, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
    let (steps, _) = plan.steps.as_chunks::<PAIRS>();
    let out = out.map(|row| row.as_mut_ptr());
    for (group, (bases, steps)) in plan.bases.iter().zip(steps).enumerate() {
        // SAFETY: steps are as large as two registers; the bases are capped by `lay_out`, the rows as long as it was
        // told; the stores end with the last group.
        unsafe {
            let masks = steps
                .each_ref()
                .map(|step| _mm256_load_si256(step.mask.as_ptr().cast()));
            let weights = steps
                .each_ref()
                .map(|step| _mm256_load_si256(step.weights.as_ptr().cast()));
            let filter = |row: &[u8]| {
                let window = load_windows(row, *bases);
                let mut sum = _mm256_madd_epi16(_mm256_shuffle_epi8(window, masks[0]), weights[0]);
                for pair in 1..PAIRS {
                    let taps = _mm256_shuffle_epi8(window, masks[pair]);
                    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(taps, weights[pair]));
                }
                sum
            };
            let one = merge(filter(rows[0]), filter(rows[1]));
            let two = merge(filter(rows[2]), filter(rows[3]));
            _mm256_storeu_si256(out[0].add(group * GROUP).cast(), one);
            _mm256_storeu_si256(out[1].add(group * GROUP).cast(), two);
        }
    }
}

/// # Safety
/// As for [`columns_shared`], but laid out `PerPair`.
#[target_feature(enable = "avx2")]
unsafe fn columns_per_pair(plan: &Avx2, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
    let groups = plan
        .bases
        .chunks_exact(plan.pairs)
        .zip(plan.steps.chunks_exact(plan.pairs));
    let out = out.map(|row| row.as_mut_ptr());
    for (group, (bases, steps)) in groups.enumerate() {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (bases, step) in bases.iter().zip(steps) {
            // SAFETY: as in `columns_shared`.
            unsafe {
                let mask = _mm256_load_si256(step.mask.as_ptr().cast());
                let weights = _mm256_load_si256(step.weights.as_ptr().cast());
                for (sum, row) in sums.iter_mut().zip(rows) {
                    let taps = _mm256_shuffle_epi8(load_windows(row, *bases), mask);
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(taps, weights));
                }
            }
        }
        // SAFETY: the stores end with the last group.
        unsafe {
            _mm256_storeu_si256(out[0].add(group * GROUP).cast(), merge(sums[0], sums[1]));
            _mm256_storeu_si256(out[1].add(group * GROUP).cast(), merge(sums[2], sums[3]));
        }
    }
}

/// # Safety
/// As many `weights` as `ring` rows, each with `out`'s samples rounded up to `LANES`; `PAIRS` of them.
#[target_feature(enable = "avx2")]
unsafe fn rows_fixed<const PAIRS: usize>(ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
    let mut fixed: [&[Pair]; PAIRS] = [&[]; PAIRS];
    fixed.copy_from_slice(ring);
    let mut spread = [_mm256_setzero_si256(); PAIRS];
    for (spread, pair) in spread.iter_mut().zip(weights) {
        *spread = broadcast(*pair);
    }
    // SAFETY: the caller's promise, passed on.
    unsafe { rows_by(|i| spread[i], &fixed, out) }
}

/// # Safety
/// As for [`rows_fixed`], with any number.
#[target_feature(enable = "avx2")]
unsafe fn rows_any(ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
    // SAFETY: the caller's promise, passed on.
    unsafe { rows_by(|i| broadcast(weights[i]), ring, out) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn broadcast(pair: Pair) -> __m256i {
    _mm256_set1_epi32(i32::from(pair[0] as u16) | i32::from(pair[1]) << 16)
}

/// # Safety
/// Each row of `ring` has `out`'s samples, rounded up to `LANES`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn rows_by(weight: impl Fn(usize) -> __m256i, ring: &[&[Pair]], out: &mut [u8]) {
    for (strip, out) in out.chunks_mut(LANES).enumerate() {
        let mut sums = [_mm256_set1_epi32(ROW_BIAS); 4];
        for (i, row) in ring.iter().enumerate() {
            let weight = weight(i);
            for (j, sum) in sums.iter_mut().enumerate() {
                // SAFETY: strip `strip` begins inside `out`, and the row holds `out` in whole strips.
                let samples = unsafe {
                    _mm256_loadu_si256(row.as_ptr().add(strip * LANES + j * GROUP).cast())
                };
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(samples, weight));
            }
        }
        let bytes = narrow(sums);
        if out.len() == LANES {
            // SAFETY: 32 bytes long.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes) }
        } else {
            let mut whole = [0u8; LANES];
            // SAFETY: 32 bytes long.
            unsafe { _mm256_storeu_si256(whole.as_mut_ptr().cast(), bytes) }
            out.copy_from_slice(&whole[..out.len()]);
        }
    }
}

/// 32 sums to bytes, clamped, in order: the packs work within halves, the last step puts their quarters right.
#[inline]
#[target_feature(enable = "avx2")]
fn narrow(sums: [__m256i; 4]) -> __m256i {
    const DOWN: i32 = ROW_SHIFT as i32;
    let [a, b, c, d] = sums.map(|sum| _mm256_srai_epi32::<DOWN>(sum));
    let bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}
