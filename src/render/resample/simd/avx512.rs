//! Both passes with AVX-512, its instructions for neural networks (VNNI) and its permutations of bytes (VBMI): as with
//! AVX2, in registers of twice the length, with one load for the taps of sixteen outputs, and with one instruction for a
//! multiply-add and the sum. Sums never saturate: the saturating form of that instruction is the one that compilers do
//! not split into two.

use std::arch::x86_64::*;
use std::hint::black_box;

use super::avx2::{self, Avx2, Avx2Passes};
use super::{by_whole_strip, check_rows, strips};
use crate::render::resample::ring::{COLUMN_SHIFT, LANES, Pair, Passes, ROW_BIAS, ROW_SHIFT};
use crate::render::resample::spans::{OUTPUTS, SPAN, Spans};
use crate::render::resample::taps::Taps;

/// Columns of a register of sums.
const WIDTH: usize = 16;

/// The bytes of a register that hold a sample, of 16 bits each.
const SAMPLES: u64 = 0x5555_5555_5555_5555;

/// The AVX-512 backend; exists only on machines with it.
pub struct Avx512 {
    spans: Spans,
    /// For what does not fit spans.
    avx2: Avx2,
}

impl Avx512 {
    /// `None` on machines without AVX-512, its VNNI or its VBMI.
    pub fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vnni");
        let avx2 = Avx2::detect().filter(|_| is_there)?;
        let spans = Spans::default();
        Some(Self { spans, avx2 })
    }

    /// The passes for the taps `columns`.
    pub fn passes<'a>(&'a mut self, columns: &'a Taps) -> Avx512Passes<'a> {
        let Self { spans, avx2 } = self;
        spans.plan(columns);
        match spans.pairs() {
            2..=5 => Avx512Passes::Spans(spans),
            _ => Avx512Passes::Avx2(avx2.passes(columns)),
        }
    }
}

/// The passes for some taps.
pub enum Avx512Passes<'a> {
    Spans(&'a Spans),
    /// Columns with AVX2.
    Avx2(Avx2Passes<'a>),
}

impl Passes for Avx512Passes<'_> {
    fn columns(&mut self, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
        let spans = match self {
            Self::Spans(spans) => *spans,
            Self::Avx2(passes) => return passes.columns(rows, out),
        };
        check_spans(spans, &rows, &out);
        // SAFETY: an `Avx512` is only made where the instructions were detected, and the bounds were checked just now.
        unsafe {
            match spans.pairs() {
                2 => columns_by_spans::<2>(spans, rows, out),
                3 => columns_by_spans::<3>(spans, rows, out),
                4 => columns_by_spans::<4>(spans, rows, out),
                _ => columns_by_spans::<5>(spans, rows, out),
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
                _ => avx2::rows(ring, weights, out),
            }
        }
    }
}

/// What loads and stores of the horizontal pass rely on: no load exceeds the reach of `spans`, the stores of all of them
/// are inside `out`, and each has `pairs` steps.
///
/// # Panics
/// If that does not hold.
fn check_spans(spans: &Spans, rows: &[&[u8]; 4], out: &[&mut [Pair]; 2]) {
    let count = spans.bases().len();
    assert_eq!(spans.steps().len(), count * spans.pairs());
    assert!(rows.iter().all(|row| row.len() >= spans.reach()));
    assert!(out.iter().all(|row| row.len() >= count * OUTPUTS));
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
/// `rows` must be as long as the reach of `spans`, `out` rows as the outputs of all of them; `spans` must have `PAIRS`
/// pairs.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
unsafe fn columns_by_spans<const PAIRS: usize>(
    spans: &Spans,
    rows: [&[u8]; 4],
    out: [&mut [Pair]; 2],
) {
    // As a constant, it would become one more instruction for each permutation.
    let samples = black_box(SAMPLES);
    let (steps, _) = spans.steps().as_chunks::<PAIRS>();
    let out = out.map(|row| row.as_mut_ptr());
    for (span, (base, steps)) in spans.bases().iter().zip(steps).enumerate() {
        let base = *base as usize;
        debug_assert!(rows.iter().all(|row| base + SPAN <= row.len()));
        // SAFETY: a step has the size and alignment of two registers; no load exceeds the reach; the stores end with the
        // last span.
        unsafe {
            let places = steps
                .each_ref()
                .map(|step| _mm512_load_si512(step.places.as_ptr().cast()));
            let weights = steps
                .each_ref()
                .map(|step| _mm512_load_si512(step.weights.as_ptr().cast()));
            let filter = |row: &[u8]| {
                let window = row.as_ptr().wrapping_add(base);
                // The next four rows follow these.
                _mm_prefetch::<_MM_HINT_T0>(window.wrapping_add(4 * row.len()).cast());
                let window = _mm512_loadu_si512(window.cast());
                let mut sum = _mm512_setzero_si512();
                for pair in 0..PAIRS {
                    let taps = _mm512_maskz_permutexvar_epi8(samples, places[pair], window);
                    sum = _mm512_dpwssds_epi32(sum, taps, weights[pair]);
                }
                sum
            };
            let one = merge(filter(rows[0]), filter(rows[1]));
            let two = merge(filter(rows[2]), filter(rows[3]));
            _mm512_storeu_si512(out[0].add(span * OUTPUTS).cast(), one);
            _mm512_storeu_si512(out[1].add(span * OUTPUTS).cast(), two);
        }
    }
}

/// # Safety
/// There must be `PAIRS` rows in `ring` and as many `weights`; each row must be as long as `out`, rounded up to `LANES`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn rows_fixed<const PAIRS: usize>(ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
    if out.len() < LANES {
        // SAFETY: the caller guarantees that rows are as long as a strip.
        return by_whole_strip(out, |strip| unsafe {
            rows_fixed::<PAIRS>(ring, weights, strip);
        });
    }
    let mut fixed: [&[Pair]; PAIRS] = [&[]; PAIRS];
    fixed.copy_from_slice(ring);
    let mut spread = [_mm512_setzero_si512(); PAIRS];
    for (spread, pair) in spread.iter_mut().zip(weights) {
        *spread = _mm512_set1_epi32(i32::from(pair[0] as u16) | i32::from(pair[1]) << 16);
    }
    for start in strips(out.len()) {
        let mut sums = [_mm512_set1_epi32(ROW_BIAS); LANES / WIDTH];
        for (row, weight) in fixed.iter().zip(spread) {
            for (j, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the strip is inside `out`, and the row is as long.
                let samples =
                    unsafe { _mm512_loadu_si512(row.as_ptr().add(start + j * WIDTH).cast()) };
                *sum = _mm512_dpwssds_epi32(*sum, samples, weight);
            }
        }
        let out = out[start..start + LANES].chunks_exact_mut(WIDTH);
        for (sum, bytes) in sums.into_iter().zip(out) {
            // SAFETY: 16 bytes long.
            unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), narrow(sum)) }
        }
    }
}

/// Converts 16 sums to bytes, clamped.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn narrow(sums: __m512i) -> __m128i {
    let levels = _mm512_srai_epi32::<ROW_SHIFT>(sums);
    _mm512_cvtusepi32_epi8(_mm512_max_epi32(levels, _mm512_setzero_si512()))
}
