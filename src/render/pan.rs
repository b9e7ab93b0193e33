//! Where a crop may move along one axis of a photo that fills the frame. Pure.

use super::framing::Framing;
use super::resample::Crop;
use super::sides::{ACROSS, DOWN};

/// How far a photo that hardly exceeds the frame may be enlarged to make room for a pan.
const MAX_PAN_ZOOM: f64 = 1.15;
/// Directions along an axis.
pub const FORE: f64 = 1.0;
pub const BACK: f64 = -1.0;

/// Places along one axis.
pub struct Pan<'a> {
    framing: &'a Framing,
    axis: usize,
    zoom: f64,
    /// Of the whole pan, in pixels of the photo.
    pub length: f64,
    /// Where the crop begins that suits the focus.
    pub focus: f64,
}

impl<'a> Pan<'a> {
    /// `wanted` is its length in sides of the frame.
    pub fn new(framing: &'a Framing, axis: usize, wanted: f64) -> Self {
        // A photo that hardly exceeds the frame is enlarged.
        let zoom = ((1.0 + wanted) / (1.0 + framing.slack()[axis])).clamp(1.0, MAX_PAN_ZOOM);
        let zoom = zoom.min(framing.most_zoom()).max(framing.least_zoom());
        Self {
            framing,
            axis,
            zoom,
            length: wanted * framing.cover()[axis] / zoom,
            focus: framing.best_origin(axis, zoom),
        }
    }

    /// To where the crop may begin.
    pub fn clamp(&self, origin: f64) -> f64 {
        let (first, last) = self.framing.origins(self.axis, self.zoom);
        origin.clamp(first, last)
    }

    pub fn crop(&self, origin: f64) -> Crop {
        let mut origins = [ACROSS, DOWN].map(|axis| self.framing.best_origin(axis, self.zoom));
        origins[self.axis] = origin;
        self.framing.crop(self.zoom, origins)
    }
}

/// How far a pan goes, in sides of the frame.
pub fn length(framing: &Framing, axis: usize, from: &Crop, to: &Crop) -> f64 {
    let (from, to) = match axis {
        ACROSS => (from.x, to.x),
        _ => (from.y, to.y),
    };
    (to - from).abs() / framing.cover()[axis]
}
