//! The continuous filters.

use std::f64::consts::PI;

use super::taps::BATCH;

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

    /// The kernel at each of `first`, then at each `first + step` and so on; zero outside its radius.
    #[inline(always)]
    pub(super) fn sample(self, first: &[f64; BATCH], step: f64, out: &mut [[f64; BATCH]]) {
        // One loop for each, so that the compiler can vectorise it.
        match self {
            Self::CatmullRom => fill(first, step, out),
            Self::Lanczos5 => fill_lanczos(first, step, out),
        }
    }
}

#[inline(always)]
fn fill(first: &[f64; BATCH], step: f64, out: &mut [[f64; BATCH]]) {
    for (i, out) in out.iter_mut().enumerate() {
        for (out, first) in out.iter_mut().zip(first) {
            *out = catmull_rom((first + i as f64 * step).abs());
        }
    }
}

/// [`lanczos`](crate::picture::lanczos) at even steps, without a sine for each.
#[inline(always)]
fn fill_lanczos(first: &[f64; BATCH], step: f64, out: &mut [[f64; BATCH]]) {
    const RADIUS: f64 = 5.0;
    let mut wave = Sines::new(first.map(|first| PI * first), PI * step);
    let mut window = Sines::new(first.map(|first| PI * first / RADIUS), PI * step / RADIUS);
    for (i, out) in out.iter_mut().enumerate() {
        let (wave, window) = (wave.advance(), window.advance());
        for lane in 0..BATCH {
            let t = first[lane] + i as f64 * step;
            out[lane] = match t.abs() {
                // The quotient of two numbers near 0 is not exact.
                ..1e-6 => 1.0,
                ..RADIUS => RADIUS * wave[lane] * window[lane] / (PI * PI * t * t),
                _ => 0.0,
            };
        }
    }
}

/// The sines of evenly spaced angles, by the addition theorems.
struct Sines {
    sines: [f64; BATCH],
    cosines: [f64; BATCH],
    /// Sine and cosine of the step.
    step: (f64, f64),
}

impl Sines {
    fn new(first: [f64; BATCH], step: f64) -> Self {
        Self {
            sines: first.map(f64::sin),
            cosines: first.map(f64::cos),
            step: step.sin_cos(),
        }
    }

    #[inline(always)]
    fn advance(&mut self) -> [f64; BATCH] {
        let (step_sine, step_cosine) = self.step;
        let now = self.sines;
        for (sine, cosine) in self.sines.iter_mut().zip(&mut self.cosines) {
            let before = *sine;
            *sine = before * step_cosine + *cosine * step_sine;
            *cosine = *cosine * step_cosine - before * step_sine;
        }
        now
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::lanczos;

    #[test]
    fn lanczos_by_steps_is_lanczos() {
        let first = [-5.0, -4.999_999_9, -4.9, -4.1, -0.5, 0.0, 0.3, 1.0];
        for step in [1.0, 0.7, 0.25, 0.013] {
            let mut steps = [[0.0; BATCH]; 800];
            fill_lanczos(&first, step, &mut steps);
            for (i, steps) in steps.into_iter().enumerate() {
                for (first, got) in first.iter().zip(steps) {
                    let exact = lanczos(first + i as f64 * step, 5.0);
                    assert!((got - exact).abs() < 1e-9, "{got} is not {exact}");
                }
            }
        }
    }
}
