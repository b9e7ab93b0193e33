//! Where panels are in the frame, and their items in them.

use serde::{Deserialize, Serialize};

/// The place in the frame that a panel keeps, whatever its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    TopLeft,
    Top,
    TopRight,
    Left,
    Centre,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

impl Anchor {
    pub fn is_at_bottom(self) -> bool {
        matches!(
            self,
            Anchor::BottomLeft | Anchor::Bottom | Anchor::BottomRight
        )
    }

    /// The shares of the free space that lie left of the panel and above it.
    pub fn fractions(self) -> (f64, f64) {
        match self {
            Anchor::TopLeft => (0.0, 0.0),
            Anchor::Top => (0.5, 0.0),
            Anchor::TopRight => (1.0, 0.0),
            Anchor::Left => (0.0, 0.5),
            Anchor::Centre => (0.5, 0.5),
            Anchor::Right => (1.0, 0.5),
            Anchor::BottomLeft => (0.0, 1.0),
            Anchor::Bottom => (0.5, 1.0),
            Anchor::BottomRight => (1.0, 1.0),
        }
    }

    /// The alignment of a panel there that has none of its own.
    pub fn align(self) -> Align {
        match self.fractions().0 {
            0.0 => Align::Left,
            1.0 => Align::Right,
            _ => Align::Centre,
        }
    }
}

/// Least distance from the frame's edges, in percent of its width and of its height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    pub x: f64,
    pub y: f64,
}

/// How the items of a column are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    Left,
    Centre,
    Right,
}

impl Align {
    /// The share of the free width that lies left of an item.
    pub fn fraction(self) -> f64 {
        match self {
            Align::Left => 0.0,
            Align::Centre => 0.5,
            Align::Right => 1.0,
        }
    }
}

/// An edge of the frame or of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    Top,
    Bottom,
    Left,
    Right,
}
