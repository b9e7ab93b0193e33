//! The continuous filters.

use crate::picture::lanczos;

/// A symmetric interpolation kernel. Its unit is one source sample, or one output sample when shrinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// For what is seen. Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -1/2:
    /// the one cubic of his that reproduces quadratics. In the family of Mitchell & Netravali, "Reconstruction
    /// filters in computer graphics" (1988), it is (B, C) = (0, 1/2).
    CatmullRom,
    /// For what is filtered once more: sinc, windowed by the main lobe of a wider sinc, over five samples. It leaves
    /// the frequencies that the next filter keeps all but untouched; its ringing is beyond them.
    Lanczos5,
}

impl Kernel {
    /// Where the kernel ends.
    pub(in crate::render) fn radius(self) -> f64 {
        match self {
            Self::CatmullRom => 2.0,
            Self::Lanczos5 => 5.0,
        }
    }

    /// The kernel at `first`, `first + step` and so on; zero outside its radius.
    pub(super) fn sample(self, first: f64, step: f64, out: &mut [f64]) {
        // A loop for each, so that it can be vectorised.
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

/// Both pieces are computed and one is chosen: the branches would be as good as random.
#[inline(always)]
fn catmull_rom(t: f64) -> f64 {
    let t = t.min(2.0);
    let near = (1.5 * t - 2.5) * t * t + 1.0;
    let far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
    if t < 1.0 { near } else { far }
}
