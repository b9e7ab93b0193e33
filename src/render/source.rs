//! One plane of a photo, at the sizes that the frames of its scene need.

use super::path::Path;
use super::pyramid::Pyramid;
use super::resample::Crop;
use crate::picture::{Component, Plane};

/// One plane of a photo, at the sizes that the frames of its scene need.
pub struct Source {
    component: Component,
    pyramid: Pyramid,
    /// Photo pixels to a sample of the plane.
    step: f64,
}

impl Source {
    /// From a plane that is averaged over blocks of 2^`shift` × 2^`shift` pixels of the photo.
    pub fn new(component: Component, plane: Plane, shift: u8, path: &Path) -> Self {
        let step = f64::from(1u32 << shift);
        let (finest, coarsest) = path.steps(component);
        let mut pyramid = Pyramid::build(plane, finest / step, coarsest / step);
        let crops = path.crops(component).map(|crop| crop.scaled(1.0 / step));
        pyramid.trim(crops, component.size(path.frame).0);
        Self {
            component,
            pyramid,
            step,
        }
    }

    pub fn component(&self) -> Component {
        self.component
    }

    /// The samples to draw `crop` (in pixels of the photo) from, when it is to be `width` samples
    /// wide; and where it lies in them.
    pub fn level_for(&self, crop: Crop, width: usize) -> (&Plane, Crop) {
        self.pyramid.level_for(crop.scaled(1.0 / self.step), width)
    }
}
