//! Blurred photos: the background of a photo that does not fill the frame, and frames that titles have blurred.

use super::camera::CameraPath;
use super::resample::{Crop, Resampler};
use super::sides::Sides;
use super::source::Source;
use crate::picture::{Component, Plane, blur, planes, planes_mut};
use crate::spec::Size;

/// Standard deviation of the background's blur, in hundredths of the frame's shorter side.
const DEVIATION: f64 = 4.15;
/// Radius of the blur, in samples of the plane that the photo is reduced to before.
const RADIUS: usize = 2;
/// Factors on luma and chroma, so that the background is darker and paler than the photo.
const LUMA: f64 = 0.62;
const CHROMA: f64 = 0.8;

/// Levels of black and of grey chroma in BT.709 limited range.
const BLACK: f64 = 16.0;
const GREY: f64 = 128.0;

/// Y, Cb and Cr of a frame that the blurred photo fills, one after the other. The same is behind all frames of a scene.
pub fn blurred(sources: &[Source; 3], camera: &CameraPath) -> Vec<u8> {
    let CameraPath { photo, frame, .. } = *camera;
    let mut background = vec![0; frame.frame_bytes()];
    let shown = camera.crop(Component::Y, camera.span().start);
    let covering = Sides { photo, frame }.covering_behind(shown);
    let [width, height] = coarse(frame, DEVIATION);
    for (source, out) in sources.iter().zip(planes_mut(&mut background, frame)) {
        let (level, crop) = source.level_for(covering, width);
        let mut plane = Plane::new(width, height);
        Resampler::new().resample(level, crop, &mut plane.data, width, height);
        blur(&mut plane, RADIUS);
        let (factor, zero) = match source.component() {
            Component::Y => (LUMA, BLACK),
            Component::Cb | Component::Cr => (CHROMA, GREY),
        };
        for sample in &mut plane.data {
            *sample = ((f64::from(*sample) - zero) * factor + zero).round() as u8;
        }
        enlarge(&plane, source.component(), frame, out);
    }
    background
}

/// A frame of `size`, blurred with a standard deviation in hundredths of its shorter side.
pub fn blurred_frame(frame: &[u8], size: Size, deviation: f64) -> Vec<u8> {
    let mut blurred = vec![0; size.frame_bytes()];
    let [width, height] = coarse(size, deviation);
    let components = [Component::Y, Component::Cb, Component::Cr];
    let planes = planes(frame, size)
        .into_iter()
        .zip(planes_mut(&mut blurred, size));
    for (component, (samples, out)) in components.into_iter().zip(planes) {
        let whole = Plane::copied(samples, component.size(size).0);
        let mut plane = Plane::new(width, height);
        Resampler::new().resample(&whole, Crop::whole(&whole), &mut plane.data, width, height);
        blur(&mut plane, RADIUS);
        enlarge(&plane, component, size, out);
    }
    blurred
}

/// Width and height, in samples, at which a radius of [`RADIUS`] is the standard deviation.
fn coarse(frame: Size, deviation: f64) -> [usize; 2] {
    let blurred = ((RADIUS * (RADIUS + 1)) as f64).sqrt();
    let scale = 100.0 * blurred / deviation / f64::from(frame.width.min(frame.height));
    [frame.width, frame.height].map(|side| (f64::from(side) * scale).round().max(1.0) as usize)
}

/// Fills the plane of a frame with a coarse one.
fn enlarge(coarse: &Plane, component: Component, frame: Size, out: &mut [u8]) {
    let (width, height) = component.size(frame);
    Resampler::new().resample(coarse, Crop::whole(coarse), out, width, height);
}
