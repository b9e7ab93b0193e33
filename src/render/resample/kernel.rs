//! The continuous filters.

use crate::picture::lanczos;

/// A symmetric interpolation kernel. Its unit is one source sample, or one output sample when shrinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// For frames. Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -1/2:
    /// the only one of these cubics that reproduces quadratics. In the family of Mitchell & Netravali, "Reconstruction
    /// filters in computer graphics" (1988), it is (B, C) = (0, 1/2).
    CatmullRom,
    /// For levels, which are filtered once more: Lanczos with a radius of 5 samples. It hardly changes the frequencies
    /// that the next filter passes; its ringing is above them.
    Lanczos5,
}

impl Kernel {
    /// The kernel is zero from here on.
    pub(in crate::render) fn radius(self) -> f64 {
        match self {
            Self::CatmullRom => 2.0,
            Self::Lanczos5 => 5.0,
        }
    }

    /// The kernel at `first`, `first + step` and so on; zero outside its radius.
    pub(super) fn sample(self, first: f64, step: f64, out: &mut [f64]) {
        // One loop for each, so that the compiler can vectorise it.
        match self {
            Self::CatmullRom => fill(first, step, out, catmull_rom),
            Self::Lanczos5 => fill(first, step, out, |t| lanczos(t, 5.0)),
        }
    }
}

#[inline(always)]
fn fill(first: f64, step: f64, out: &mut [f64], kernel: impl Fn(f64) -> f64) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = kernel((first + i as f64 * step).abs());
    }
}

/// Computes both pieces and selects one: a branch would be unpredictable.
#[inline(always)]
fn catmull_rom(t: f64) -> f64 {
    let t = t.min(2.0);
    let near = (1.5 * t - 2.5) * t * t + 1.0;
    let far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
    if t < 1.0 { near } else { far }
}
