//! Both passes in safe Rust that the compiler can vectorise.

use super::ring::{COLUMN_SHIFT, LANES, Pair, Passes, ROW_BIAS, ROW_SHIFT};
use super::taps::Taps;

pub(super) struct Portable<'a> {
    pub columns: &'a Taps,
}

impl Passes for Portable<'_> {
    fn columns(&mut self, rows: [&[u8]; 4], out: [&mut [Pair]; 2]) {
        let [a, b, c, d] = rows;
        let [one, two] = out;
        filter_two(self.columns, a, b, one);
        filter_two(self.columns, c, d, two);
    }

    fn rows(&mut self, ring: &[&[Pair]], weights: &[Pair], out: &mut [u8]) {
        // The sums of a strip fit the L1 cache.
        const STRIP: usize = 2 * LANES;
        for (strip, out) in out.chunks_mut(STRIP).enumerate() {
            let mut sums = [ROW_BIAS; STRIP];
            for (row, weight) in ring.iter().zip(weights) {
                let [even, odd] = weight.map(i32::from);
                for (sum, sample) in sums.iter_mut().zip(&row[strip * STRIP..]) {
                    *sum += i32::from(sample[0]) * even + i32::from(sample[1]) * odd;
                }
            }
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = (sum >> ROW_SHIFT).clamp(0, 255) as u8;
            }
        }
    }
}

/// Filters two source rows into one interleaved row, with an unrolled loop for each of the usual numbers of taps.
pub(super) fn filter_two(taps: &Taps, even: &[u8], odd: &[u8], out: &mut [Pair]) {
    match taps.len {
        4 => filter_fixed::<4>(taps, even, odd, out),
        5 => filter_fixed::<5>(taps, even, odd, out),
        6 => filter_fixed::<6>(taps, even, odd, out),
        7 => filter_fixed::<7>(taps, even, odd, out),
        8 => filter_fixed::<8>(taps, even, odd, out),
        _ => filter_any(taps, even, odd, out),
    }
}

fn filter_fixed<const N: usize>(taps: &Taps, even: &[u8], odd: &[u8], out: &mut [Pair]) {
    let (weights, _) = taps.weights.as_chunks::<N>();
    for ((out, start), weights) in out.iter_mut().zip(&taps.starts).zip(weights) {
        let start = *start as usize;
        *out = [
            dot(&even[start..][..N], weights),
            dot(&odd[start..][..N], weights),
        ];
    }
}

fn filter_any(taps: &Taps, even: &[u8], odd: &[u8], out: &mut [Pair]) {
    let len = taps.len;
    for ((out, start), weights) in out
        .iter_mut()
        .zip(&taps.starts)
        .zip(taps.weights.chunks_exact(len))
    {
        let start = *start as usize;
        *out = [
            dot(&even[start..][..len], weights),
            dot(&odd[start..][..len], weights),
        ];
    }
}

#[inline(always)]
fn dot(samples: &[u8], weights: &[i16]) -> i16 {
    let terms = samples.iter().zip(weights);
    let sum: i32 = terms.map(|(s, w)| i32::from(*s) * i32::from(*w)).sum();
    (sum >> COLUMN_SHIFT) as i16
}
