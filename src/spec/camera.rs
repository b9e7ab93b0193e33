//! What the camera does over a photo.

use serde::{Deserialize, Serialize};

/// How the crop moves over the photo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// A linear zoom into the centre of a photo that fills the frame.
    CentreZoom {
        /// Growth in percent of the first frame's size, per second.
        speed: f64,
    },
    /// An eased move, whose length and speed follow from the photo, the frame and the time.
    Eased(Move),
    /// From one part of the photo to another.
    Between {
        from: View,
        to: View,
        easing: Easing,
    },
}

/// What an eased motion does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// One of the others, by the photo, the frame and the scene before.
    #[default]
    // What older versions wrote.
    #[serde(alias = "pan_forth", alias = "pan_back")]
    Auto,
    Still,
    /// Towards the focus.
    ZoomIn,
    /// Away from it.
    ZoomOut,
    /// The camera moves to the left: what it sees moves to the right.
    PanLeft,
    PanRight,
    PanUp,
    PanDown,
}

/// How a motion begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Easing {
    Linear,
    /// Slower at both ends.
    #[default]
    Smooth,
}

/// A part of a photo that has the shape of the frame, in fractions of the photo's width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Of its left edge.
    pub x: f64,
    /// Of its upper edge.
    pub y: f64,
    pub width: f64,
}

impl View {
    /// The smallest width: one that is smaller shows a handful of pixels.
    pub const LEAST_WIDTH: f64 = 0.01;

    /// Whether it has a size, and begins and ends within the photo.
    pub fn is_on_photo(&self) -> bool {
        let Self { x, y, width } = *self;
        // The sum of two decimal fractions may exceed 1 by its rounding.
        let fits = x + width <= 1.0 + 1e-9;
        (0.0..1.0).contains(&x) && (0.0..1.0).contains(&y) && width >= Self::LEAST_WIDTH && fits
    }
}

/// The part of a photo that matters most: crops keep it, and zooms lead to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Focus {
    /// Its faces, or else what stands out.
    #[default]
    Auto,
    Centre,
    At(Point),
}

/// How a photo whose shape is not that of the frame is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Filling the frame, unless that would cut faces off: then over a blurred copy of itself, as large as they permit.
    #[default]
    Auto,
    /// Filling the frame: cropped.
    Cover,
    /// Whole, over a blurred copy of itself.
    Contain,
}

/// A point of a photo, in fractions of its width and height from its left and its upper edge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub const CENTRE: Self = Self { x: 0.5, y: 0.5 };

    pub fn is_on_photo(&self) -> bool {
        (0.0..=1.0).contains(&self.x) && (0.0..=1.0).contains(&self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_have_a_size_and_are_on_the_photo() {
        let is_on_photo = |x, y, width| View { x, y, width }.is_on_photo();
        assert!(is_on_photo(0.0, 0.0, 1.0));
        assert!(is_on_photo(0.7, 0.9, 0.3));
        assert!(!is_on_photo(0.7, 0.0, 0.4));
        assert!(!is_on_photo(-0.1, 0.0, 0.4));
        assert!(!is_on_photo(0.0, 1.0, 0.4));
        assert!(!is_on_photo(0.0, 0.0, 0.0));
        assert!(!is_on_photo(0.0, 0.0, f64::NAN));
    }

    #[test]
    fn moves_of_older_versions_are_read() {
        for stored in [r#""pan_forth""#, r#""pan_back""#] {
            assert_eq!(serde_json::from_str::<Move>(stored).unwrap(), Move::Auto);
        }
    }
}
