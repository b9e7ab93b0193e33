//! Levels of frequency bands over time.

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::PI;
use std::sync::Arc;

/// In Hz. Higher rates are averaged down to about this: it leaves what tells one onset from the next.
const RATE: f64 = 22_050.0;

/// In Hz. Below this, hardly anything of an onset is left.
const MIN_RATE: u32 = 2000;

/// In seconds, from one spectrum to the next.
pub const STEP: f64 = 0.005;

/// In seconds, of sound in a spectrum. Shorter ones cannot tell a bass from a kick drum, longer ones blur onsets.
const WINDOW: f64 = 0.023;

/// Frequency bands, about as wide as those of the ear.
pub const BANDS: usize = 36;

/// In Hz, the centres of the first band and of the last.
const LOWEST: f64 = 40.0;
const HIGHEST: f64 = 9500.0;

/// In Hz: bands are evenly spaced far below this, and by a constant ratio far above (the mel scale).
const CORNER: f64 = 700.0;

/// The levels of all bands at one time: amplitudes relative to full scale.
pub type Levels = [f32; BANDS];

/// The levels of a sound.
pub struct Spectrogram {
    pub levels: Vec<Levels>,
    /// In seconds, from one to the next: about [`STEP`].
    pub step: f64,
    /// In seconds: the middle of the first window.
    pub start: f64,
}

impl Spectrogram {
    /// `None` if `rate` is too low.
    pub fn new(frames: impl Iterator<Item = [i16; 2]>, rate: u32) -> Option<Spectrogram> {
        if rate < MIN_RATE {
            return None;
        }
        let factor = (f64::from(rate) / RATE).round().max(1.0);
        let rate = f64::from(rate) / factor;
        let mut analyser = Analyser::new(rate);
        let samples = Mono {
            frames,
            factor: factor as usize,
        };
        let levels = samples.filter_map(|sample| analyser.push(sample)).collect();
        Some(Spectrogram {
            levels,
            step: analyser.step as f64 / rate,
            start: analyser.window.len() as f64 / 2.0 / rate,
        })
    }
}

/// Samples, each the mean of both channels of `factor` frames. Frequencies that this mirrors do no harm: their onsets are
/// as good as any.
struct Mono<I> {
    frames: I,
    factor: usize,
}

impl<I: Iterator<Item = [i16; 2]>> Iterator for Mono<I> {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let mut sum = 0;
        for _ in 0..self.factor {
            let [left, right] = self.frames.next()?;
            sum += i32::from(left) + i32::from(right);
        }
        Some(sum as f32 / (65_536 * self.factor) as f32)
    }
}

/// Computes the levels of overlapping windows.
struct Analyser {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// In samples.
    step: usize,
    bands: Vec<Band>,
    samples: Vec<f32>,
    windowed: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Analyser {
    fn new(rate: f64) -> Analyser {
        // Multiples of 32 have small factors, and so a fast transform.
        let length = 32 * (rate * WINDOW / 32.0).round().max(1.0) as usize;
        let fft = RealFftPlanner::new().plan_fft_forward(length);
        let hann = |i| (PI * (f64::from(i) + 0.5) / length as f64).sin().powi(2);
        // A sine wave of full scale has the level 1.
        let scale = 4.0 / length as f64;
        Analyser {
            window: (0..length as u32)
                .map(|i| (scale * hann(i)) as f32)
                .collect(),
            step: (rate * STEP).round() as usize,
            bands: bands(rate / length as f64, length / 2),
            samples: Vec::with_capacity(length),
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// The levels of the window that `sample` completes, if it does.
    fn push(&mut self, sample: f32) -> Option<Levels> {
        self.samples.push(sample);
        if self.samples.len() < self.window.len() {
            return None;
        }
        let samples = self.samples.iter().zip(&self.window);
        for (windowed, (sample, weight)) in self.windowed.iter_mut().zip(samples) {
            *windowed = sample * weight;
        }
        self.samples.drain(..self.step);
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)
            .ok()?;
        let mut levels = [0.0; BANDS];
        for (level, band) in levels.iter_mut().zip(&self.bands) {
            *level = band.level(&self.spectrum);
        }
        Some(levels)
    }
}

/// Bins of a spectrum and their weights: a triangle.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

impl Band {
    fn level(&self, spectrum: &[Complex<f32>]) -> f32 {
        let bins = spectrum[self.first..].iter().zip(&self.weights);
        bins.map(|(bin, weight)| bin.norm_sqr() * weight)
            .sum::<f32>()
            .sqrt()
    }
}

/// The bands for a spectrum whose bins are `width` Hz apart, the last of them `last`.
fn bands(width: f64, last: usize) -> Vec<Band> {
    let highest = HIGHEST.min(0.9 * width * last as f64);
    let (from, to) = ((LOWEST / CORNER).ln_1p(), (highest / CORNER).ln_1p());
    let spacing = (to - from) / (BANDS - 1) as f64;
    let band = |i: usize| {
        let mel = from + spacing * i as f64;
        let centre = CORNER * mel.exp_m1() / width;
        // A low band still covers a bin.
        let reach = ((centre + CORNER / width) * spacing).max(1.2);
        let first = (centre - reach).ceil().max(1.0) as usize;
        let end = ((centre + reach) as usize).min(last);
        let weight = |bin: usize| (1.0 - (bin as f64 - centre).abs() / reach) as f32;
        Band {
            first,
            weights: (first..=end).map(weight).collect(),
        }
    };
    (0..BANDS).map(band).collect()
}
