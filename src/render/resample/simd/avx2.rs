//! Both passes with AVX2.
//!
//! Horizontal: one load, then a shuffle and a multiply-add for each pair of taps, produce eight outputs of a row. Masks
//! and weights stay in registers for four rows; a shift and a blend interleave the results of two rows.
//! Vertical: one multiply-add handles eight columns of a row pair.

use std::arch::x86_64::*;

use super::{by_whole_strip, check_columns, check_rows, strips};
use crate::render::resample::portable::Portable;
use crate::render::resample::ring::{COLUMN_SHIFT, LANES, Pair, Passes, ROW_BIAS, ROW_SHIFT};
use crate::render::resample::taps::Taps;
use crate::render::resample::windows::{GROUP, WINDOW, Windows};

/// The AVX2 backend; exists only on machines with AVX2.
pub struct Avx2 {
    windows: Windows,
}

impl Avx2 {
    /// `None` on machines without AVX2.
    pub fn detect() -> Option<Self> {
        let windows = Windows::default();
        is_x86_feature_detected!("avx2").then_some(Self { windows })
    }

    /// The passes for the taps `columns`.
    pub fn passes<'a>(&'a mut self, columns: &'a Taps) -> Avx2Passes<'a> {
        self.windows.plan(columns);
        Avx2Passes {
            windows: &self.windows,
            columns,
        }
    }
}

/// The passes for some taps.
pub struct Avx2Passes<'a> {
    windows: &'a Windows,
    columns: &'a Taps,
}

impl Passes for Avx2Passes<'_> {
    fn columns(&mut self, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
        let windows = self.windows;
        if !windows.fit() {
            let columns = self.columns;
            return Portable { columns }.columns(rows, out);
        }
        check_columns(windows, &rows, &out);
        let one_window = windows.windows() == 1;
        // SAFETY: an `Avx2` is only made where AVX2 was detected, and the bounds were checked just now.
        unsafe {
            match windows.pairs() {
                2 if one_window => columns_by_one_window::<2>(windows, rows, out),
                3 if one_window => columns_by_one_window::<3>(windows, rows, out),
                4 if one_window => columns_by_one_window::<4>(windows, rows, out),
                5 if one_window => columns_by_one_window::<5>(windows, rows, out),
                _ => columns_by_windows(windows, rows, out),
            }
        }
    }

    fn rows(&mut self, ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
        check_rows(ring, weights, out);
        // SAFETY: an `Avx2` is only made where AVX2 was detected, and the bounds were checked just now.
        unsafe { rows(ring, weights, out) }
    }
}

/// # Safety
/// Each row of `ring` must be as long as `out`, rounded up to `LANES`, and have a pair of weights.
#[target_feature(enable = "avx2")]
pub unsafe fn rows(ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
    // SAFETY: the caller guarantees it.
    unsafe {
        match ring.len() {
            2 => rows_fixed::<2>(ring, weights, out),
            3 => rows_fixed::<3>(ring, weights, out),
            4 => rows_fixed::<4>(ring, weights, out),
            5 => rows_fixed::<5>(ring, weights, out),
            _ => rows_any(ring, weights, out),
        }
    }
}

/// # Safety
/// `row` must have `WINDOW` bytes from each base on.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load_windows(row: &[u8], bases: [u32; 2]) -> __m256i {
    debug_assert!(
        bases
            .iter()
            .all(|base| *base as usize + WINDOW <= row.len())
    );
    // SAFETY: the caller guarantees it.
    unsafe {
        let low = _mm_loadu_si128(row.as_ptr().add(bases[0] as usize).cast());
        let high = _mm_loadu_si128(row.as_ptr().add(bases[1] as usize).cast());
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
    }
}

/// Converts the sums of two rows to interleaved ring samples.
#[inline]
#[target_feature(enable = "avx2")]
fn merge(even: __m256i, odd: __m256i) -> __m256i {
    const UP: i32 = 16 - COLUMN_SHIFT as i32;
    let even = _mm256_srli_epi32::<{ COLUMN_SHIFT as i32 }>(even);
    let odd = _mm256_slli_epi32::<UP>(odd);
    _mm256_blend_epi16::<0xaa>(even, odd)
}

/// # Safety
/// `rows` must be as long as the reach of `windows`, `out` rows as its groups; `windows` must have one window per group,
/// of `PAIRS` pairs.
#[target_feature(enable = "avx2")]
unsafe fn columns_by_one_window<const PAIRS: usize>(
    windows: &Windows,
    rows: [&[u8]; 4],
    out: [&mut [Pair]; 2],
) {
    let (steps, _) = windows.steps().as_chunks::<PAIRS>();
    let out = out.map(|row| row.as_mut_ptr());
    for (group, (bases, steps)) in windows.bases().iter().zip(steps).enumerate() {
        // SAFETY: a step has the size and alignment of two registers; no load exceeds the reach; the stores end with the
        // last group.
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
/// As for [`columns_by_one_window`], but with any number of pairs and windows.
#[target_feature(enable = "avx2")]
unsafe fn columns_by_windows(windows: &Windows, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
    let bases = windows.bases().chunks_exact(windows.windows());
    let groups = bases.zip(windows.steps().chunks_exact(windows.pairs()));
    let out = out.map(|row| row.as_mut_ptr());
    for (group, (bases, steps)) in groups.enumerate() {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (bases, steps) in bases.iter().zip(steps.chunks(windows.per_window())) {
            // SAFETY: no load exceeds the reach.
            let samples = unsafe { rows.map(|row| load_windows(row, *bases)) };
            for step in steps {
                // SAFETY: a step has the size and alignment of two registers.
                let (mask, weights) = unsafe {
                    (
                        _mm256_load_si256(step.mask.as_ptr().cast()),
                        _mm256_load_si256(step.weights.as_ptr().cast()),
                    )
                };
                for (sum, samples) in sums.iter_mut().zip(samples) {
                    let taps = _mm256_shuffle_epi8(samples, mask);
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
/// There must be `PAIRS` rows in `ring` and as many `weights`; each row must be as long as `out`, rounded up to `LANES`.
#[target_feature(enable = "avx2")]
unsafe fn rows_fixed<const PAIRS: usize>(ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
    let mut fixed: [&[Pair]; PAIRS] = [&[]; PAIRS];
    fixed.copy_from_slice(ring);
    let mut spread = [_mm256_setzero_si256(); PAIRS];
    for (spread, pair) in spread.iter_mut().zip(weights) {
        *spread = broadcast(*pair);
    }
    // SAFETY: the caller guarantees it.
    unsafe { rows_by(|i| spread[i], &fixed, out) }
}

/// # Safety
/// As for [`rows_fixed`], but with any number of rows.
#[target_feature(enable = "avx2")]
unsafe fn rows_any(ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
    // SAFETY: the caller guarantees it.
    unsafe { rows_by(|i| broadcast(weights[i]), ring, out) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn broadcast(pair: Pair) -> __m256i {
    _mm256_set1_epi32(i32::from(pair[0] as u16) | i32::from(pair[1]) << 16)
}

/// # Safety
/// Each row of `ring` must be as long as `out`, rounded up to `LANES`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn rows_by(weight: impl Fn(usize) -> __m256i + Copy, ring: &[&[Pair]], out: &mut [u8]) {
    if out.len() < LANES {
        // SAFETY: the caller guarantees that rows are as long as a strip.
        return by_whole_strip(out, |strip| unsafe { strip_by(weight, ring, 0, strip) });
    }
    for start in strips(out.len()) {
        // SAFETY: the strip is inside `out`, and the rows are as long.
        unsafe { strip_by(weight, ring, start, &mut out[start..start + LANES]) }
    }
}

/// # Safety
/// `out` must be `LANES` long, and each row of `ring` as much longer than `start`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn strip_by(
    weight: impl Fn(usize) -> __m256i,
    ring: &[&[Pair]],
    start: usize,
    out: &mut [u8],
) {
    let mut sums = [_mm256_set1_epi32(ROW_BIAS); 4];
    for (i, row) in ring.iter().enumerate() {
        let weight = weight(i);
        for (j, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller guarantees it.
            let samples = unsafe { _mm256_loadu_si256(row.as_ptr().add(start + j * GROUP).cast()) };
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(samples, weight));
        }
    }
    // SAFETY: the caller guarantees that it is 32 bytes long.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), narrow(sums)) }
}

/// Converts 32 sums to bytes, clamped and in order. The packs work on 128-bit halves; the permutation restores the order.
#[inline]
#[target_feature(enable = "avx2")]
fn narrow(sums: [__m256i; 4]) -> __m256i {
    const DOWN: i32 = ROW_SHIFT as i32;
    let [a, b, c, d] = sums.map(|sum| _mm256_srai_epi32::<DOWN>(sum));
    let bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}
