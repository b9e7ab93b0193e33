//! The path of a crop over a photo. Pure.

use std::f64::consts::PI;

use super::resample::Crop;
use super::sides::Sides;
use crate::spec::Easing;

/// A zoom stops here.
const MAX_ZOOM: f64 = 10.0;

/// The greatest speed of an eased move, in mean speeds.
pub const FASTEST: f64 = 1.0 - EASED + EASED * PI / 2.0;
/// How much of an eased move is half a cosine, from rest to rest. The remainder is linear, so that it also moves at
/// either end, where transitions are: frames do not repeat.
const EASED: f64 = 0.5;
/// The way of the crop over the photo, from a share of the time of 0 to one of 1.
pub enum Path {
    /// A zoom into the centre by this growth, linear until it ends.
    CentreZoom { sides: Sides, growth: f64 },
    Between {
        from: Crop,
        to: Crop,
        easing: Easing,
        /// Over a background: the crops extend beyond the photo.
        is_contained: bool,
    },
}

impl Path {
    pub fn is_contained(&self) -> bool {
        match self {
            Self::CentreZoom { .. } => false,
            Self::Between { is_contained, .. } => *is_contained,
        }
    }

    /// The crop of the photo, in its pixels, that fills the frame at `share` of the time. It has the aspect ratio of
    /// the frame, and extends beyond a photo that does not fill it.
    pub fn crop(&self, share: f64) -> Crop {
        match self {
            Self::CentreZoom { sides, growth } => {
                sides.covering((1.0 + growth * share).min(MAX_ZOOM))
            }
            Self::Between {
                from, to, easing, ..
            } => between(from, to, easing.at(share)),
        }
    }
}

impl Easing {
    pub fn at(self, share: f64) -> f64 {
        match self {
            Self::Linear => share,
            Self::Smooth => (1.0 - EASED) * share + EASED * from_rest_to_rest(share),
        }
    }
}

/// Half a cosine.
pub fn from_rest_to_rest(share: f64) -> f64 {
    (1.0 - (PI * share).cos()) / 2.0
}

/// The crop on the way from one to another: its size changes evenly as the viewer sees it, and what it zooms into
/// stays where it is.
fn between(from: &Crop, to: &Crop, share: f64) -> Crop {
    let part = share * from.width / ((1.0 - share) * to.width + share * from.width);
    let between = |from: f64, to: f64| from + (to - from) * part;
    Crop {
        x: between(from.x, to.x),
        y: between(from.y, to.y),
        width: between(from.width, to.width),
        height: between(from.height, to.height),
    }
}
