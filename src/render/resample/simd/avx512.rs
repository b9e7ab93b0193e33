//! Both passes with AVX-512 and its instructions for neural networks (VNNI): as with AVX2, in registers of twice the
//! length, and with one instruction for a multiply-add and the sum.

use std::arch::x86_64::*;

use super::avx2::{Avx2, Avx2Passes};
use super::{check_columns, check_rows};
use crate::render::resample::ring::{COLUMN_SHIFT, LANES, Pair, Passes, ROW_BIAS, ROW_SHIFT};
use crate::render::resample::taps::Taps;
use crate::render::resample::windows::{GROUP, Step, WINDOW, Windows};

/// Columns of a register of sums.
const WIDTH: usize = 2 * GROUP;

/// The AVX-512 backend; exists only on machines with it.
pub struct Avx512(Avx2);

impl Avx512 {
    /// `None` on machines without AVX-512 or its VNNI.
    pub fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vnni");
        Avx2::detect().filter(|_| is_there).map(Self)
    }

    /// The passes for the taps `columns`.
    pub fn passes<'a>(&'a mut self, columns: &'a Taps) -> Avx512Passes<'a> {
        Avx512Passes(self.0.passes(columns))
    }
}

/// The passes for some taps.
pub struct Avx512Passes<'a>(Avx2Passes<'a>);

impl Passes for Avx512Passes<'_> {
    fn columns(&mut self, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
        let windows = self.0.windows;
        if !windows.fit() || windows.windows() != 1 {
            return self.0.columns(rows, out);
        }
        check_columns(windows, &rows, &out);
        // SAFETY: an `Avx512` is only made where the instructions were detected, and the bounds were checked just now.
        unsafe {
            match windows.pairs() {
                2 => columns_by_one_window::<2>(windows, rows, out),
                3 => columns_by_one_window::<3>(windows, rows, out),
                4 => columns_by_one_window::<4>(windows, rows, out),
                5 => columns_by_one_window::<5>(windows, rows, out),
                _ => self.0.columns(rows, out),
            }
        }
    }

    fn rows(&mut self, ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
        check_rows(ring, weights, out);
        // SAFETY: an `Avx512` is only made where the instructions were detected, and the bounds were checked just now.
        unsafe {
            match ring.len() {
                2 => rows_fixed::<2>(ring, weights, out),
                3 => rows_fixed::<3>(ring, weights, out),
                4 => rows_fixed::<4>(ring, weights, out),
                5 => rows_fixed::<5>(ring, weights, out),
                _ => self.0.rows(ring, weights, out),
            }
        }
    }
}

/// # Safety
/// `row` must have `WINDOW` bytes from each base on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn load_windows(row: &[u8], bases: &[[u32; 2]; 2]) -> __m512i {
    debug_assert!(
        bases
            .as_flattened()
            .iter()
            .all(|base| *base as usize + WINDOW <= row.len())
    );
    // SAFETY: the caller guarantees it.
    let load = |base: u32| unsafe { _mm_loadu_si128(row.as_ptr().add(base as usize).cast()) };
    let [[a, b], [c, d]] = *bases;
    let windows = _mm512_castsi128_si512(load(a));
    let windows = _mm512_inserti32x4::<1>(windows, load(b));
    let windows = _mm512_inserti32x4::<2>(windows, load(c));
    _mm512_inserti32x4::<3>(windows, load(d))
}

/// # Safety
/// Both pointers must be those of 32 bytes, at a multiple of as many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn load_halves(low: *const u8, high: *const u8) -> __m512i {
    // SAFETY: the caller guarantees it.
    unsafe {
        let low = _mm512_castsi256_si512(_mm256_load_si256(low.cast()));
        _mm512_inserti64x4::<1>(low, _mm256_load_si256(high.cast()))
    }
}

/// Converts the sums of two rows to interleaved ring samples.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn merge(even: __m512i, odd: __m512i) -> __m512i {
    const UP: u32 = 16 - COLUMN_SHIFT;
    let even = _mm512_srli_epi32::<COLUMN_SHIFT>(even);
    let odd = _mm512_slli_epi32::<UP>(odd);
    _mm512_mask_blend_epi16(0xaaaa_aaaa, even, odd)
}

/// # Safety
/// `rows` must be as long as the reach of `windows`, `out` rows as its groups, which are even in number; `windows` must
/// have one window per group, of `PAIRS` pairs.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn columns_by_one_window<const PAIRS: usize>(
    windows: &Windows,
    rows: [&[u8]; 4],
    out: [&mut [Pair]; 2],
) {
    let (steps, _) = windows.steps().as_chunks::<PAIRS>();
    let (steps, _) = steps.as_chunks::<2>();
    let (bases, _) = windows.bases().as_chunks::<2>();
    let out = out.map(|row| row.as_mut_ptr());
    for (two, (bases, steps)) in bases.iter().zip(steps).enumerate() {
        // SAFETY: a step has the size and alignment of two half registers; no load exceeds the reach; the stores end with
        // the last group.
        unsafe {
            let [low, high]: &[[Step; PAIRS]; 2] = steps;
            let mut masks = [_mm512_setzero_si512(); PAIRS];
            let mut weights = [_mm512_setzero_si512(); PAIRS];
            for pair in 0..PAIRS {
                let (low, high) = (&low[pair], &high[pair]);
                masks[pair] = load_halves(low.mask.as_ptr(), high.mask.as_ptr());
                weights[pair] =
                    load_halves(low.weights.as_ptr().cast(), high.weights.as_ptr().cast());
            }
            let filter = |row: &[u8]| {
                let window = load_windows(row, bases);
                let mut sum = _mm512_setzero_si512();
                for pair in 0..PAIRS {
                    let taps = _mm512_shuffle_epi8(window, masks[pair]);
                    sum = _mm512_dpwssd_epi32(sum, taps, weights[pair]);
                }
                sum
            };
            let one = merge(filter(rows[0]), filter(rows[1]));
            let other = merge(filter(rows[2]), filter(rows[3]));
            _mm512_storeu_si512(out[0].add(two * WIDTH).cast(), one);
            _mm512_storeu_si512(out[1].add(two * WIDTH).cast(), other);
        }
    }
}

/// # Safety
/// There must be `PAIRS` rows in `ring` and as many `weights`; each row must be as long as `out`, rounded up to `LANES`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn rows_fixed<const PAIRS: usize>(ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
    let mut fixed: [&[Pair]; PAIRS] = [&[]; PAIRS];
    fixed.copy_from_slice(ring);
    let mut spread = [_mm512_setzero_si512(); PAIRS];
    for (spread, pair) in spread.iter_mut().zip(weights) {
        *spread = _mm512_set1_epi32(i32::from(pair[0] as u16) | i32::from(pair[1]) << 16);
    }
    for (strip, out) in out.chunks_mut(LANES).enumerate() {
        let mut sums = [_mm512_set1_epi32(ROW_BIAS); LANES / WIDTH];
        for (row, weight) in fixed.iter().zip(spread) {
            for (j, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the strip begins inside `out`, and the row is as long as `out` in whole strips.
                let samples = unsafe {
                    _mm512_loadu_si512(row.as_ptr().add(strip * LANES + j * WIDTH).cast())
                };
                *sum = _mm512_dpwssd_epi32(*sum, samples, weight);
            }
        }
        if out.len() == LANES {
            store(sums, out);
        } else {
            let mut whole = [0u8; LANES];
            store(sums, &mut whole);
            out.copy_from_slice(&whole[..out.len()]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn store(sums: [__m512i; LANES / WIDTH], out: &mut [u8]) {
    for (sum, bytes) in sums.into_iter().zip(out.chunks_exact_mut(WIDTH)) {
        // SAFETY: 16 bytes long.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), narrow(sum)) }
    }
}

/// Converts 16 sums to bytes, clamped.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn narrow(sums: __m512i) -> __m128i {
    let levels = _mm512_srai_epi32::<ROW_SHIFT>(sums);
    _mm512_cvtusepi32_epi8(_mm512_max_epi32(levels, _mm512_setzero_si512()))
}
