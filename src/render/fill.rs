//! The fill: a photo's own colours, blurred, for what a photo shown whole leaves of the frame.

use super::motion;
use super::resample::{Crop, Resampler};
use super::scene::Source;
use crate::picture::Plane;
use crate::picture::{Component, planes};
use crate::spec::{Motion, Size};

/// Samples along the frame's shorter side that the photo is reduced to before it is blurred.
const COARSE: f64 = 48.0;
/// Standard deviation of the blur, in those samples.
const SIGMA: f64 = 2.0;
/// What is left of the photo's light and of its colours, so that the fill stays behind the photo.
const LIGHT: f64 = 0.62;
const COLOUR: f64 = 0.8;

/// Where light and colour are nought, in BT.709 limited range.
const BLACK: f64 = 16.0;
const GREY: f64 = 128.0;

/// One frame's Y, Cb and Cr, filled with the photo.
pub fn fill(sources: &[Source; 3], photo: Size, frame: Size) -> Vec<u8> {
    let mut filled = vec![0; frame.frame_bytes()];
    let covering = motion::crop(Motion::CentreZoom { speed: 0.0 }, photo, frame, 0.0, 0.0);
    let [width, height] = coarse(frame);
    for (source, out) in sources.iter().zip(planes(&mut filled, frame)) {
        let (level, crop) = source.level_for(covering, width);
        let mut plane = Plane::new(width, height);
        Resampler::new().resample(level, crop, &mut plane.data, width, height);
        blur(&mut plane);
        let (rest, floor) = match source.component() {
            Component::Y => (LIGHT, BLACK),
            Component::Cb | Component::Cr => (COLOUR, GREY),
        };
        for sample in &mut plane.data {
            *sample = ((f64::from(*sample) - floor) * rest + floor).round() as u8;
        }
        let (width, height) = source.component().size(frame);
        Resampler::new().resample(&plane, Crop::whole(&plane), out, width, height);
    }
    filled
}

/// The size, in samples, at which the photo is blurred.
fn coarse(frame: Size) -> [usize; 2] {
    let scale = COARSE / f64::from(frame.width.min(frame.height));
    [frame.width, frame.height].map(|side| (f64::from(side) * scale).round() as usize)
}

/// A Gaussian blur in place, edges repeated.
fn blur(plane: &mut Plane) {
    let radius = (3.0 * SIGMA).ceil() as i64;
    let weights: Vec<f64> = (-radius..=radius)
        .map(|i| (-0.5 * (i as f64 / SIGMA).powi(2)).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    let (width, height) = (plane.width as i64, plane.height as i64);
    let sum = |samples: &[f64], at: &dyn Fn(i64) -> i64| -> f64 {
        let offsets = (-radius..=radius).zip(&weights);
        offsets
            .map(|(i, weight)| weight * samples[at(i) as usize])
            .sum::<f64>()
            / total
    };
    let samples: Vec<f64> = plane.data.iter().copied().map(f64::from).collect();
    let mut rows = Vec::with_capacity(samples.len());
    for y in 0..height {
        for x in 0..width {
            rows.push(sum(&samples, &|i| y * width + (x + i).clamp(0, width - 1)));
        }
    }
    for y in 0..height {
        for x in 0..width {
            let blurred = sum(&rows, &|i| (y + i).clamp(0, height - 1) * width + x);
            plane.data[(y * width + x) as usize] = blurred.round() as u8;
        }
    }
}
