//! What is painted behind the items of a panel.

use serde::{Deserialize, Serialize};

use super::paint::Paint;
use super::placement::Edge;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backdrop {
    /// The whole frame.
    #[serde(alias = "veil")]
    Tint(Paint),
    /// The photos in the whole frame, blurred and at rest.
    Blur {
        /// Standard deviation, in u.
        radius: f64,
    },
    /// From an edge of the frame to past the items, fading smoothly.
    Scrim {
        edge: Edge,
        paint: Paint,
        /// Where the fade ends: 1 at the far side of the items, 2 twice as far from the edge.
        reach: f64,
    },
    /// A band across the frame, as high as the items and their padding.
    Bar {
        paint: Paint,
        /// Above and below the items, in u.
        padding: f64,
        /// Whether the band reaches to the frame's edge at the panel's anchor.
        bleed: bool,
    },
    /// A box around the items.
    Card {
        paint: Paint,
        /// Left and right of the items, and above and below them, in u.
        padding: [f64; 2],
        /// Of the corners, in u.
        radius: f64,
        /// Opacity of its soft shadow.
        shadow: f64,
    },
    /// A solid line along one side of the bar or card before it, or of the items if there is none.
    Stripe {
        side: Edge,
        paint: Paint,
        /// In u.
        thickness: f64,
    },
    /// A line inside the frame, along all its edges.
    Frame {
        paint: Paint,
        /// From the frame's edge, in u.
        inset: f64,
        /// In u.
        thickness: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tint_is_read_by_its_name_of_earlier_versions() {
        let read = |name: &str| {
            let json = format!(r##"{{"{name}":{{"colour":"#000000","opacity":0.5}}}}"##);
            serde_json::from_str::<Backdrop>(&json).unwrap()
        };
        assert_eq!(read("tint"), Backdrop::Tint(Paint::black(0.5)));
        assert_eq!(read("veil"), read("tint"));
    }
}
