//! A template in memory: panels whose texts have placeholders.

use super::fields::Field;
use super::span::DraftSpan;
use crate::spec::Transition;
use crate::spec::overlay::{LogoBox, Panel, Pill, Rule, Style};

/// Titles for a kind of listing, with placeholders for the facts of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub name: String,
    /// A few words for users.
    pub title: String,
    /// A sentence for users.
    pub description: String,
    pub transition: Transition,
    pub(super) panels: Vec<DraftPanel>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct DraftPanel {
    pub span: DraftSpan,
    /// Its own items are empty; see `items`.
    pub panel: Panel,
    pub items: Vec<DraftItem>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct DraftItem {
    pub space: Option<f64>,
    pub content: DraftContent,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum DraftContent {
    Text {
        pieces: Vec<Piece>,
        style: Style,
        pill: Option<Pill>,
        /// Whether the panel is shown even if this text is the only thing in it. A text with a
        /// placeholder needs no such flag.
        keep: bool,
    },
    Rule(Rule),
    Logo(LogoBox),
    Row {
        gap: f64,
        items: Vec<DraftItem>,
    },
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Field(Field),
}

impl DraftPanel {
    /// The facts that the panel shows.
    pub fn uses(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        self.walk(&mut |content| match content {
            DraftContent::Text { pieces, .. } => {
                fields.extend(pieces.iter().filter_map(|piece| match piece {
                    Piece::Field(field) => Some(*field),
                    Piece::Literal(_) => None,
                }));
            }
            DraftContent::Logo(_) => fields.push(Field::Logo),
            DraftContent::Rule(_) | DraftContent::Row { .. } => {}
        });
        fields
    }

    /// The font families of the panel's texts.
    pub fn fonts(&self) -> Vec<&str> {
        let mut fonts = Vec::new();
        self.walk(&mut |content| {
            if let DraftContent::Text { style, .. } = content {
                fonts.push(style.font.as_str());
            }
        });
        fonts
    }

    /// Visits every item, those in rows too.
    fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a DraftContent)) {
        let mut pending: Vec<&DraftItem> = self.items.iter().collect();
        while let Some(item) = pending.pop() {
            visit(&item.content);
            if let DraftContent::Row { items, .. } = &item.content {
                pending.extend(items);
            }
        }
    }
}
