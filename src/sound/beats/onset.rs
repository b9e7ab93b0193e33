//! Onset strength: how much louder the sound gets, summed over frequency bands on a logarithmic scale.

use super::spectrum::{BANDS, Levels, Spectrogram};

/// Steps between the levels compared: half a window, so that an onset shows in full.
const LAG: usize = 2;

/// What counts as silence, relative to the mean level. Levels well above are compared by their ratio, so that soft onsets
/// count too; those below hardly count, so that noise between the onsets does not.
const FLOOR: f32 = 2.0;

/// -100 dBFS: the noise of 16 bits counts as silence in any case.
const QUIET: f32 = 1e-5;

/// The bands up to about 250 Hz, of kick drums and basses. They count twice: a hi-hat between the beats covers more bands.
const BASS: usize = 4;

/// In steps: a quarter of a second. A slower rise is no onset.
const RISE: usize = 50;

/// In steps: four seconds, over which onsets are compared to each other. Those of a soft part count as much as those of a
/// loud one.
const PART: usize = 800;

/// The highest strength, in units of the RMS strength: a single onset shall not outweigh all the others.
const MAX: f32 = 12.0;

/// In nepers: the least RMS rise of the levels. Drones, with or without vibrato, have 0.001 or less, music 0.005 to 0.1.
const MIN_CONTRAST: f32 = 0.003;

/// The onset strength of a sound.
pub struct Onsets {
    /// In units of the RMS strength.
    pub strength: Vec<f32>,
    /// In seconds, of one value.
    step: f64,
    /// In seconds, of the first value.
    start: f64,
}

impl Onsets {
    /// `None` if there are none, or `rate` is too low.
    pub fn new(frames: impl Iterator<Item = [i16; 2]>, rate: u32) -> Option<Onsets> {
        let Spectrogram {
            mut levels,
            step,
            start,
        } = Spectrogram::new(frames, rate)?;
        compress(&mut levels);
        let rises = rises(&levels);
        if mean_square(&rises).sqrt() < MIN_CONTRAST {
            return None;
        }
        // The rise is highest when the middle of the later window reaches an onset.
        let start = start + LAG as f64 * step;
        Some(Onsets {
            strength: normalised(&rises),
            step,
            start,
        })
    }

    /// In seconds, of a place between two values.
    pub fn time(&self, place: f64) -> f64 {
        self.start + place * self.step
    }
}

fn compress(levels: &mut [Levels]) {
    let sum: f64 = levels
        .as_flattened()
        .iter()
        .map(|level| f64::from(*level))
        .sum();
    let mean = sum / (levels.len() * BANDS).max(1) as f64;
    let floor = (FLOOR * mean as f32).max(QUIET);
    for level in levels.as_flattened_mut() {
        *level = (*level / floor).ln_1p();
    }
}

/// How much the levels rise, in nepers, averaged over the bands; above what is usual nearby.
fn rises(levels: &[Levels]) -> Vec<f32> {
    let pairs = levels.iter().zip(levels.iter().skip(LAG));
    let rises: Vec<f32> = pairs.map(|(before, after)| rise(before, after)).collect();
    let means = moving_mean(&rises, RISE);
    let above = rises.iter().zip(means);
    above.map(|(rise, mean)| (rise - mean).max(0.0)).collect()
}

/// Compared to the loudest of the three nearest bands: a gliding or wavering tone is no onset (Böck and Widmer, 2013).
fn rise(before: &Levels, after: &Levels) -> f32 {
    let rise = |(band, level): (usize, &f32)| {
        let near = &before[band.saturating_sub(1)..(band + 2).min(BANDS)];
        let rise = (level - near.iter().copied().fold(0.0, f32::max)).max(0.0);
        if band < BASS { 2.0 * rise } else { rise }
    };
    after.iter().enumerate().map(rise).sum::<f32>() / BANDS as f32
}

fn normalised(rises: &[f32]) -> Vec<f32> {
    let squares: Vec<f32> = rises.iter().map(|rise| rise * rise).collect();
    // Some of the mean square of the whole, so that a pause is not full of onsets.
    let whole = 0.1 * mean_square(rises);
    let parts = moving_mean(&squares, PART);
    let values = rises.iter().zip(parts);
    values
        .map(|(rise, part)| (rise / (part + whole).sqrt()).min(MAX))
        .collect()
}

fn mean_square(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>() / values.len().max(1) as f32
}

/// The mean of the values up to `reach` steps away from each.
fn moving_mean(values: &[f32], reach: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64];
    for value in values {
        sums.push(sums[sums.len() - 1] + f64::from(*value));
    }
    let mean = |i: usize| {
        let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(values.len()));
        ((sums[to] - sums[from]) / (to - from) as f64) as f32
    };
    (0..values.len()).map(mean).collect()
}

/// The values blurred by a Gaussian; `width` is its standard deviation in steps.
pub fn blurred(values: &[f32], width: f32) -> Vec<f32> {
    let reach = (3.0 * width) as usize;
    let weight = |i: usize| (-0.5 * ((i as f32 - reach as f32) / width).powi(2)).exp();
    let weights: Vec<f32> = (0..=2 * reach).map(weight).collect();
    let sum: f32 = weights.iter().sum();
    let mut padded = vec![0.0; reach];
    padded.extend_from_slice(values);
    padded.resize(values.len() + 2 * reach, 0.0);
    let blur = |near: &[f32]| {
        near.iter()
            .zip(&weights)
            .map(|(value, weight)| value * weight)
            .sum::<f32>()
            / sum
    };
    padded.windows(weights.len()).map(blur).collect()
}
