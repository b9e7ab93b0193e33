//! Captions of photos: a line or two in a corner that the titles leave free.

use crate::spec::overlay::{
    Anchor, Backdrop, Colour, Content, Item, Margin, Overlay, Paint, Panel, Style, Text,
};
use crate::spec::wording::clean;

/// One of the fonts that are built in.
const FONT: &str = "Manrope";

const WHITE: Paint = Paint {
    colour: Colour([255; 3]),
    opacity: 1.0,
};
const CARD: Paint = Paint {
    colour: Colour([16, 18, 22]),
    opacity: 0.62,
};

/// The caption of a photo, in a video with these titles. `None` if nothing of the text can be shown.
pub fn panel(text: &str, titles: &[Overlay]) -> Option<Panel> {
    let words = clean(text);
    if words.is_empty() {
        return None;
    }
    let (anchor, margin) = free_corner(titles);
    let text = Text {
        words,
        style: Style {
            font: FONT.to_owned(),
            weight: 700,
            italic: false,
            size: 3.6,
            min_size: 2.6,
            paint: WHITE,
            tracking: 0.0,
            uppercase: false,
            max_lines: 2,
            leading: 1.3,
            shadow: 0.0,
        },
        pill: None,
    };
    Some(Panel {
        anchor,
        margin: Margin {
            x: MARGIN,
            y: margin,
        },
        width: 56.0,
        align: anchor.align(),
        gap: 0.0,
        backdrops: vec![Backdrop::Card {
            paint: CARD,
            padding: [2.4, 1.6],
            radius: 1.2,
            shadow: 0.0,
        }],
        items: vec![Item {
            space: None,
            content: Content::Text(text),
        }],
    })
}

/// Of the edges, in percent of the frame.
const MARGIN: f64 = 6.0;
/// Of the upper edge, where something else is there: a logo, as a rule.
const BELOW_LOGO: f64 = 18.0;

/// A corner that no title is in at any time, and the margin above or below. At the top, a caption may be as wide as to
/// reach a title in the other corner.
fn free_corner(titles: &[Overlay]) -> (Anchor, f64) {
    let is_free = |anchors: &[Anchor]| {
        let mut titles = titles.iter();
        titles.all(|title| !anchors.contains(&title.panel.anchor))
    };
    if is_free(&[Anchor::BottomLeft, Anchor::Bottom, Anchor::BottomRight]) {
        return (Anchor::BottomLeft, MARGIN);
    }
    let margin = match is_free(&[Anchor::TopLeft, Anchor::Top, Anchor::TopRight]) {
        true => MARGIN,
        false => BELOW_LOGO,
    };
    match is_free(&[Anchor::TopRight]) && !is_free(&[Anchor::TopLeft]) {
        true => (Anchor::TopRight, margin),
        false => (Anchor::TopLeft, margin),
    }
}
