//! Titles over the moving photographs: what they say and how they look, as plain data.
//!
//! Lengths are in `u`, a hundredth of the frame's shorter side, so that one description suits every
//! aspect ratio; margins are in percent of the frame's width and height. Seconds count from the
//! start of the video.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A panel and when it is seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// Seconds: seen from `start` on, until before `end`.
    pub start: f64,
    pub end: f64,
    /// Seconds, inside the span, over which the opacity rises from 0 to 1.
    pub fade_in: f64,
    /// Seconds, inside the span, over which the opacity falls from 1 to 0.
    pub fade_out: f64,
    pub panel: Panel,
}

impl Overlay {
    /// From 0 to 1, at a moment in seconds.
    pub fn opacity(&self, seconds: f64) -> f64 {
        // Not `!(…)`: a moment that is no number lies in no span.
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
    /// The column's width in u, at most.
    pub width: f64,
    pub align: Align,
    /// Between items, in u.
    pub gap: f64,
    /// Painted in this order, below the items.
    pub backdrops: Vec<Backdrop>,
    pub items: Vec<Item>,
}

/// Which place of the frame a panel holds on to.
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
    /// Where the panel lies in what is left of the frame: 0 left, 0.5 middle, 1 right; likewise
    /// from top to bottom.
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

    /// How text stands that hangs there.
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

/// How the items of a column stand to each other.
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

/// Something behind the items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backdrop {
    /// The whole frame.
    #[serde(alias = "veil")]
    Tint(Paint),
    /// From an edge of the frame to past the items, fading away smoothly.
    Scrim {
        edge: Edge,
        paint: Paint,
        /// Where the fade ends: 1 at the items' far side, 2 twice as far from the edge.
        reach: f64,
    },
    /// A band across the frame, as high as the items and their padding.
    Bar {
        paint: Paint,
        /// Above and below the items, in u.
        padding: f64,
        /// Whether the band goes on to the frame's edge that the panel is anchored to.
        bleed: bool,
    },
    /// A box around the items.
    Card {
        paint: Paint,
        /// Left and right of the items, and above and below, in u.
        padding: [f64; 2],
        /// Of the corners, in u.
        radius: f64,
        /// Opacity of the soft shadow that it throws.
        shadow: f64,
    },
    /// A solid line along one side of the bar or card before it, or else of the items.
    Stripe {
        side: Edge,
        paint: Paint,
        /// In u.
        thickness: f64,
    },
    /// A line inside the frame, all around.
    Frame {
        paint: Paint,
        /// From the frame's edge, in u.
        inset: f64,
        /// In u.
        thickness: f64,
    },
}

/// An item, and the gap before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// In u, in place of the panel's gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<f64>,
    pub content: Content,
}

/// What an item shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(Text),
    Rule(Rule),
    Logo(LogoBox),
    /// Side by side where they fit, else one below the other without their rules.
    Row {
        /// Between the items, in u.
        gap: f64,
        items: Vec<Item>,
    },
}

/// Words in one style, perhaps in a box of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub words: String,
    pub style: Style,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pill: Option<Pill>,
}

/// How words are set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Style {
    /// Family name.
    pub font: String,
    /// From 100, thin, to 900, black; the nearest that the family has is taken.
    pub weight: u16,
    pub italic: bool,
    /// In u.
    pub size: f64,
    /// The size that words may shrink to before they are cut, in u.
    pub min_size: f64,
    pub paint: Paint,
    /// Added after each letter, in hundredths of the size.
    pub tracking: f64,
    pub uppercase: bool,
    pub max_lines: u32,
    /// From one baseline to the next, as a multiple of the size.
    pub leading: f64,
    /// Opacity of the soft shadow around the letters.
    pub shadow: f64,
}

/// The small box around a text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pill {
    pub paint: Paint,
    /// Left and right of the words, and above and below, in u.
    pub padding: [f64; 2],
    /// Of the corners, in u; more than half the height is half the height.
    pub radius: f64,
}

/// A line between items: across a column, upright in a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub paint: Paint,
    /// In u; 0 in a row is the row's height.
    pub length: f64,
    /// In u.
    pub thickness: f64,
}

/// The room for the logo, which keeps its proportions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogoBox {
    /// In u, at most.
    pub width: f64,
    /// In u, at most.
    pub height: f64,
    /// Whether a logo that would not stand out gets a backdrop of a contrasting colour.
    #[serde(alias = "plate")]
    pub backdrop: bool,
}

/// A colour and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paint {
    pub colour: Colour,
    /// From 0 to 1.
    pub opacity: f64,
}

impl Paint {
    pub fn black(opacity: f64) -> Paint {
        Paint {
            colour: Colour([0; 3]),
            opacity,
        }
    }
}

/// An sRGB colour, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Colour, String> {
        let refused = || format!("\"{text}\" is no colour; write #rrggbb or #rgb");
        let digits = text.strip_prefix('#').ok_or_else(refused)?;
        let digits: Option<Vec<u8>> = digits
            .chars()
            .map(|c| c.to_digit(16).map(|digit| digit as u8))
            .collect();
        match digits.ok_or_else(refused)?[..] {
            [r, g, b] => Ok(Colour([r * 17, g * 17, b * 17])),
            [r, s, g, h, b, c] => Ok(Colour([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => Err(refused()),
        }
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Colour, String> {
        text.parse()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> String {
        colour.to_string()
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

    #[test]
    fn the_names_of_earlier_versions_are_still_read() {
        let read = |json: &str| serde_json::from_str::<Backdrop>(json).unwrap();
        let paint = r##"{"colour":"#000000","opacity":0.5}"##;
        let tint = read(&format!(r#"{{"tint":{paint}}}"#));
        assert_eq!(read(&format!(r#"{{"veil":{paint}}}"#)), tint);
        let logo = r#"{"width":20.0,"height":9.0,"plate":false}"#;
        assert_eq!(
            serde_json::from_str::<LogoBox>(logo).unwrap(),
            LogoBox {
                width: 20.0,
                height: 9.0,
                backdrop: false,
            }
        );
    }

    #[test]
    fn colours_are_read_and_written() {
        assert_eq!("#1aB".parse(), Ok(Colour([0x11, 0xaa, 0xbb])));
        assert_eq!("#0a1b2c".parse(), Ok(Colour([0x0a, 0x1b, 0x2c])));
        assert_eq!(Colour([10, 27, 44]).to_string(), "#0a1b2c");
        for bad in ["", "#", "red", "#12", "#12345", "#ggg", "#é"] {
            assert!(bad.parse::<Colour>().is_err(), "{bad}");
        }
    }
}
