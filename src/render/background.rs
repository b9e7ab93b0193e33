//! The blurred background: the photo's own colours behind a photo that does not fill the frame.

use super::camera::CameraPath;
use super::resample::{Crop, Resampler};
use super::sides::Sides;
use super::source::Source;
use crate::picture::{Component, Plane, blur, planes_mut};
use crate::spec::Size;

/// Samples along the frame's shorter side that the photo is reduced to before it is blurred.
const COARSE: f64 = 59.0;
/// Radius of the blur, in those samples; a standard deviation of 4 % of the shorter side.
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
    let shown = camera.crop(Component::Y, camera.first_frame());
    let covering = Sides { photo, frame }.covering_behind(shown);
    let [width, height] = coarse(frame);
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
        let (width, height) = source.component().size(frame);
        Resampler::new().resample(&plane, Crop::whole(&plane), out, width, height);
    }
    background
}

/// Width and height, in samples, at which the photo is blurred.
fn coarse(frame: Size) -> [usize; 2] {
    let scale = COARSE / f64::from(frame.width.min(frame.height));
    [frame.width, frame.height].map(|side| (f64::from(side) * scale).round() as usize)
}
