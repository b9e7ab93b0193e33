//! A painted panel in the planes of the frame, and how it is blended.
//!
//! Fully transparent samples are left out. A sample is its alpha in 8 bits and its level times that
//! alpha in 16, so that `base · (255 − alpha) + colour` is exact before it is rounded once.

use pulp::Arch;

use crate::picture::planes_mut;
use crate::spec::Size;

/// A panel in Y, and in Cb and Cr at half the size.
#[derive(Default)]
pub(super) struct Layer {
    pub luma: Runs<1>,
    pub chroma: Runs<2>,
}

/// The samples of `N` planes of one size that share their alpha.
pub(super) struct Runs<const N: usize> {
    runs: Vec<Run>,
    alpha: Vec<u8>,
    /// Level × alpha.
    colours: [Vec<u16>; N],
}

/// Consecutive samples of a plane.
struct Run {
    /// Index of the first in the plane.
    start: usize,
    length: usize,
}

/// Fewer transparent samples than this are cheaper to blend than to skip.
const SHORTEST_GAP: usize = 16;

impl<const N: usize> Default for Runs<N> {
    fn default() -> Self {
        Runs {
            runs: Vec::new(),
            alpha: Vec::new(),
            colours: [const { Vec::new() }; N],
        }
    }
}

impl<const N: usize> Runs<N> {
    /// Adds the visible samples of a row that begins at index `start` of the plane.
    pub fn push_row(&mut self, start: usize, alpha: &[u8], colours: [&[u16]; N]) {
        let mut from = 0;
        while let Some(first) = alpha[from..].iter().position(|&a| a > 0) {
            let first = from + first;
            let mut end = first;
            // The end of the last visible sample before a gap that is long enough for a new run.
            for (i, &a) in alpha.iter().enumerate().skip(first) {
                if a > 0 {
                    end = i + 1;
                } else if i - end >= SHORTEST_GAP {
                    break;
                }
            }
            self.runs.push(Run {
                start: start + first,
                length: end - first,
            });
            self.alpha.extend_from_slice(&alpha[first..end]);
            for (plane, colours) in self.colours.iter_mut().zip(colours) {
                plane.extend_from_slice(&colours[first..end]);
            }
            from = end;
        }
    }

    /// Frees unused capacity.
    pub fn shrink(&mut self) {
        self.runs.shrink_to_fit();
        self.alpha.shrink_to_fit();
        self.colours.iter_mut().for_each(Vec::shrink_to_fit);
    }

    #[inline(always)]
    fn blend(&self, plane: usize, opacity: u16, base: &mut [u8]) {
        let mut at = 0;
        for run in &self.runs {
            let end = at + run.length;
            // The rasterizer makes no runs outside the plane; if it did, they would be skipped.
            if let Some(base) = base.get_mut(run.start..run.start + run.length) {
                let (alpha, colours) = (&self.alpha[at..end], &self.colours[plane][at..end]);
                if opacity == u16::MAX {
                    blend_opaque(base, alpha, colours);
                } else {
                    blend_fading(base, alpha, colours, opacity);
                }
            }
            at = end;
        }
    }
}

impl Layer {
    /// Blends the panel onto a frame of `size`, its alpha multiplied by `opacity` / 65535. A frame of
    /// another size is left unchanged.
    pub fn blend(&self, opacity: u16, size: Size, frame: &mut [u8]) {
        if frame.len() != size.frame_bytes() {
            return;
        }
        let [y, cb, cr] = planes_mut(frame, size);
        let arch = Arch::new();
        arch.dispatch(|| self.luma.blend(0, opacity, y));
        arch.dispatch(|| self.chroma.blend(0, opacity, cb));
        arch.dispatch(|| self.chroma.blend(1, opacity, cr));
    }
}

/// `round(v / 255)`, for v up to 255².
#[inline(always)]
fn over_255(v: u16) -> u8 {
    let v = v + 128;
    ((v + (v >> 8)) >> 8) as u8
}

/// `v · share / 65536`, rounded down.
#[inline(always)]
fn part(v: u16, share: u16) -> u16 {
    ((u32::from(v) * u32::from(share)) >> 16) as u16
}

#[inline(always)]
fn blend_opaque(base: &mut [u8], alpha: &[u8], colours: &[u16]) {
    for ((base, &alpha), &colour) in base.iter_mut().zip(alpha).zip(colours) {
        *base = over_255(u16::from(*base) * u16::from(255 - alpha) + colour);
    }
}

/// A mix of the base and of the base under the panel, in units of 1/255 of a level. The two parts
/// together lose about one unit by rounding down, which the constant restores.
#[inline(always)]
fn blend_fading(base: &mut [u8], alpha: &[u8], colours: &[u16], opacity: u16) {
    for ((base, &alpha), &colour) in base.iter_mut().zip(alpha).zip(colours) {
        let below = u16::from(*base) * 255;
        let covered = u16::from(*base) * u16::from(255 - alpha) + colour;
        let mixed = part(below, u16::MAX - opacity) + part(covered, opacity) + 1;
        *base = over_255(mixed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every alpha with several colours and bases, against floating point.
    #[test]
    fn blending_is_exact_but_for_rounding() {
        for opacity in [1, 77, 21_845, 32_768, 40_000, 65_534, u16::MAX] {
            for alpha in 0..=255u8 {
                for colour in [0u8, 16, 100, 128, 235, 255] {
                    let premultiplied = u16::from(colour) * u16::from(alpha);
                    let mut out: Vec<u8> = (0..=255).collect();
                    let n = out.len();
                    if opacity == u16::MAX {
                        blend_opaque(&mut out, &vec![alpha; n], &vec![premultiplied; n]);
                    } else {
                        blend_fading(&mut out, &vec![alpha; n], &vec![premultiplied; n], opacity);
                    }
                    for (base, &got) in out.iter().enumerate() {
                        let a = f64::from(alpha) / 255.0 * f64::from(opacity) / 65535.0;
                        let want = base as f64 * (1.0 - a) + f64::from(colour) * a;
                        let off = (f64::from(got) - want).abs();
                        assert!(
                            off <= 0.512,
                            "{base} {alpha} {colour} {opacity}: {got} for {want}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn runs_skip_long_gaps_only() {
        let mut runs = Runs::<1>::default();
        let mut alpha = vec![0; 100];
        for i in [3, 4, 10, 60] {
            alpha[i] = 255;
        }
        runs.push_row(1000, &alpha, [&[7; 100]]);
        let held: Vec<_> = runs
            .runs
            .iter()
            .map(|run| (run.start, run.length))
            .collect();
        assert_eq!(held, [(1003, 8), (1060, 1)]);
        assert_eq!(runs.alpha.len(), 9);
    }
}
