//! One plane of a photo, at the sizes that the frames of its scene need.

use std::sync::Arc;

use super::camera::CameraPath;
use super::pyramid::Pyramid;
use super::resample::Crop;
use crate::picture::{Component, Plane};

/// One plane of a photo, at the sizes that the frames of its scene need.
pub struct Source {
    component: Component,
    pyramid: Pyramid,
    /// Photo pixels per sample of the plane, along either axis.
    step: f64,
}

impl Source {
    /// From a plane that is averaged over blocks of 2^`shift` × 2^`shift` pixels of the photo.
    pub fn new(component: Component, plane: Arc<Plane>, shift: u8, camera: &CameraPath) -> Self {
        let step = f64::from(1u32 << shift);
        let (finest, coarsest) = camera.steps(component);
        let mut pyramid = Pyramid::build(plane, finest / step, coarsest / step);
        let crops = camera.crops(component).map(|crop| crop.scaled(1.0 / step));
        pyramid.trim(crops, component.size(camera.frame).0);
        Self {
            component,
            pyramid,
            step,
        }
    }

    pub fn component(&self) -> Component {
        self.component
    }

    /// The level from which to draw `crop` (in pixels of the photo) at a width of `width` samples,
    /// and the crop in samples of that level.
    pub fn level_for(&self, crop: Crop, width: usize) -> (&Plane, Crop) {
        self.pyramid.level_for(crop.scaled(1.0 / self.step), width)
    }
}
