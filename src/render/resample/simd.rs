//! Both passes with AVX2; the only place with `unsafe`, which is for loads and stores by pointer.
//!
//! Horizontal: a load, then for each pair of taps a shuffle and a multiply-add, give eight outputs of a row. Masks and
//! weights serve four rows while they are in registers; two rows' results merge into ring order with a shift and a
//! blend.
//! Vertical: one multiply-add takes eight columns of a row pair.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::portable::Portable;
use super::ring::{COLUMN_SHIFT, LANES, Pair, Passes, ROW_BIAS, ROW_SHIFT};
use super::taps::Taps;
use super::windows::{GROUP, WINDOW, Windows};

/// Both passes; exists only where AVX2 does.
pub(super) struct Avx2 {
    windows: Windows,
}

impl Avx2 {
    /// None where the machine has no AVX2.
    pub fn detect() -> Option<Self> {
        let windows = Windows::default();
        is_x86_feature_detected!("avx2").then_some(Self { windows })
    }

    /// Ready to filter with `columns`.
    pub fn passes<'a>(&'a mut self, columns: &'a Taps) -> Avx2Passes<'a> {
        self.windows.plan(columns);
        Avx2Passes {
            windows: &self.windows,
            columns,
        }
    }
}

/// The passes with the taps in force.
pub(super) struct Avx2Passes<'a> {
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
        // What the loads and stores below rely on.
        let groups = windows.steps().len() / windows.pairs();
        assert!(rows.iter().all(|row| row.len() >= windows.reach()));
        assert!(out.iter().all(|row| row.len() >= groups * GROUP));
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
        assert!(
            ring.iter()
                .all(|row| row.len() >= out.len().next_multiple_of(LANES))
        );
        assert_eq!(ring.len(), weights.len());
        // SAFETY: an `Avx2` is only made where AVX2 was detected, and the bounds were checked just now.
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
/// All `rows` have the windows' reach, all `out` rows hold their groups; one window a group, of `PAIRS` pairs.
#[target_feature(enable = "avx2")]
unsafe fn columns_by_one_window<const PAIRS: usize>(
    windows: &Windows,
    rows: [&[u8]; 4],
    out: [&mut [Pair]; 2],
) {
    let (steps, _) = windows.steps().as_chunks::<PAIRS>();
    let out = out.map(|row| row.as_mut_ptr());
    for (group, (bases, steps)) in windows.bases().iter().zip(steps).enumerate() {
        // SAFETY: a step is as large and aligned as two registers; no base goes past the reach; the stores end with
        // the last group.
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
/// As for [`columns_by_one_window`], with any number of pairs and windows.
#[target_feature(enable = "avx2")]
unsafe fn columns_by_windows(windows: &Windows, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
    let bases = windows.bases().chunks_exact(windows.windows());
    let groups = bases.zip(windows.steps().chunks_exact(windows.pairs()));
    let out = out.map(|row| row.as_mut_ptr());
    for (group, (bases, steps)) in groups.enumerate() {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (bases, steps) in bases.iter().zip(steps.chunks(windows.per_window())) {
            // SAFETY: no base goes past the reach.
            let samples = unsafe { rows.map(|row| load_windows(row, *bases)) };
            for step in steps {
                // SAFETY: a step is as large and aligned as two registers.
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
