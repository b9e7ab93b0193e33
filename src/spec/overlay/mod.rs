//! Titles over the photos: what they say and how they look, as plain data.
//!
//! Lengths are in `u`, a hundredth of the frame's shorter side, so that one description suits every
//! aspect ratio; margins are in percent of the frame's width and height. Seconds count from the
//! start of the video.

mod backdrop;
mod item;
mod paint;
mod placement;

pub use backdrop::Backdrop;
pub use item::{Content, Item, LogoBox, Pill, Rule, Style, Text};
pub use paint::{Colour, Paint};
pub use placement::{Align, Anchor, Edge, Margin};

use serde::{Deserialize, Serialize};

/// A panel and when it is visible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// Seconds; the panel is visible from `start` until just before `end`.
    pub start: f64,
    pub end: f64,
    /// Seconds from `start` in which the opacity rises from 0 to 1.
    pub fade_in: f64,
    /// Seconds before `end` in which the opacity falls from 1 to 0.
    pub fade_out: f64,
    pub panel: Panel,
}

impl Overlay {
    /// From 0 to 1, at a moment in seconds.
    pub fn opacity(&self, seconds: f64) -> f64 {
        // Written so that NaN is outside.
        if !(self.start <= seconds && seconds < self.end) {
            return 0.0;
        }
        let ramp = |since: f64, length: f64| {
            if length > 0.0 {
                (since / length).min(1.0)
            } else {
                1.0
            }
        };
        let rising = ramp(seconds - self.start, self.fade_in);
        let falling = ramp(self.end - seconds, self.fade_out);
        rising.min(falling)
    }
}

/// A column of items on its backdrops, somewhere in the frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    pub anchor: Anchor,
    pub margin: Margin,
    /// The greatest width of the column, in u.
    pub width: f64,
    pub align: Align,
    /// Between items, in u.
    pub gap: f64,
    /// Painted in this order, below the items.
    pub backdrops: Vec<Backdrop>,
    /// From top to bottom.
    pub items: Vec<Item>,
}

/// A tint of as much or more hides the photo below it.
const HIDING_OPACITY: f64 = 0.4;

impl Panel {
    /// Whether the photo is no longer seen below it.
    pub fn hides_photo(&self) -> bool {
        self.backdrops.iter().any(|backdrop| match backdrop {
            Backdrop::Tint(paint) => paint.opacity >= HIDING_OPACITY,
            Backdrop::Blur { .. } => true,
            _ => false,
        })
    }

    /// The standard deviation of the blur that it gives the photos, in u.
    pub fn blur(&self) -> Option<f64> {
        self.backdrops.iter().find_map(|backdrop| match backdrop {
            Backdrop::Blur { radius } => Some(*radius),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fades_are_linear() {
        let overlay = Overlay {
            start: 1.0,
            end: 5.0,
            fade_in: 0.5,
            fade_out: 1.0,
            panel: Panel {
                anchor: Anchor::Centre,
                margin: Margin { x: 0.0, y: 0.0 },
                width: 10.0,
                align: Align::Left,
                gap: 1.0,
                backdrops: vec![],
                items: vec![],
            },
        };
        let at = |seconds| overlay.opacity(seconds);
        assert_eq!([at(0.99), at(1.0), at(1.25), at(1.5)], [0.0, 0.0, 0.5, 1.0]);
        assert_eq!([at(4.0), at(4.25), at(4.5), at(5.0)], [1.0, 0.75, 0.5, 0.0]);
        assert_eq!(at(f64::NAN), 0.0);
    }
}
