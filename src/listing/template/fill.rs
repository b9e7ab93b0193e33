//! Draft, facts and length → overlays.

use super::draft::{DraftContent, DraftItem, DraftPanel, Piece, Template};
use super::fields::Fields;
use super::span::{DraftSpan, Span, pace, whole};
use crate::spec::overlay::{Content, Item, Overlay, Panel, Text};

/// The titles of one listing.
#[derive(Debug, Default)]
pub struct FilledTemplate {
    pub overlays: Vec<Overlay>,
    /// When the opening title ends, in seconds; 0 without one.
    pub opening: f64,
    /// Until when such titles hide the photo, in seconds.
    pub opening_hides: f64,
    /// How long the closing card is there; 0 without one.
    pub closing: f64,
    /// How long such a card hides the photo.
    pub closing_hides: f64,
}

impl Template {
    /// The titles for a listing, in a video of `length_seconds`. Items without their facts are left
    /// out, and so are panels without items. In short videos the titles are faster, and those that
    /// would be too short to read are left out; if that is all of them, the first that does not hide the photo is
    /// shown throughout.
    pub fn fill(&self, fields: &Fields, length_seconds: f64) -> FilledTemplate {
        if !(length_seconds.is_finite() && length_seconds > 0.0) {
            return FilledTemplate::default();
        }
        let spans: Vec<_> = self.panels.iter().map(|panel| panel.span).collect();
        let pace = pace(&spans, length_seconds);
        let panels = self.panels.iter();
        let filled: Vec<(&DraftSpan, Panel)> = panels
            .filter_map(|draft| Some((&draft.span, draft.fill(fields)?)))
            .collect();
        let mut titles = FilledTemplate::default();
        for (draft, panel) in &filled {
            if let Some(span) = draft.at(length_seconds, pace) {
                titles.add(draft, span, panel.clone());
            }
        }
        if titles.overlays.is_empty() {
            let mut panels = filled.into_iter().map(|(_, panel)| panel);
            let shown = panels.find(|panel| !panel.hides_photo());
            let throughout = shown.map(|panel| overlay(whole(length_seconds), panel));
            titles.overlays.extend(throughout);
        }
        titles
    }
}

impl FilledTemplate {
    fn add(&mut self, draft: &DraftSpan, span: Span, panel: Panel) {
        if draft.opening().is_some() {
            self.opening = self.opening.max(span.end);
            if panel.hides_photo() {
                self.opening_hides = self.opening_hides.max(span.end);
            }
        }
        if draft.closing().is_some() {
            let seconds = span.end - span.start;
            self.closing = self.closing.max(seconds);
            if panel.hides_photo() {
                self.closing_hides = self.closing_hides.max(seconds);
            }
        }
        self.overlays.push(overlay(span, panel));
    }
}

fn overlay(span: Span, panel: Panel) -> Overlay {
    Overlay {
        start: span.start,
        end: span.end,
        fade_in: span.fade_in,
        fade_out: span.fade_out,
        panel,
    }
}

impl DraftPanel {
    /// `None` if none of its facts is known.
    fn fill(&self, fields: &Fields) -> Option<Panel> {
        let items = fill_items(&self.items, fields)?;
        Some(Panel {
            items,
            ..self.panel.clone()
        })
    }
}

/// An item to be shown, and whether it is reason enough to show its panel.
struct Filled {
    item: Item,
    holds_panel: bool,
}

/// The items that have something to show, without the rules next to those that have not. `None` if
/// no item is reason enough to show the panel.
fn fill_items(drafts: &[DraftItem], fields: &Fields) -> Option<Vec<Item>> {
    let mut filled: Vec<Option<Filled>> = drafts.iter().map(|draft| draft.fill(fields)).collect();
    let is_rule = |draft: &DraftItem| matches!(draft.content, DraftContent::Rule(_));
    for (i, _) in drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| is_rule(draft))
    {
        let before = (0..i).rev().find(|&k| !is_rule(&drafts[k]));
        let after = (i + 1..drafts.len()).find(|&k| !is_rule(&drafts[k]));
        if [before, after]
            .into_iter()
            .flatten()
            .any(|k| filled[k].is_none())
        {
            filled[i] = None;
        }
    }
    let holds_panel = filled.iter().flatten().any(|filled| filled.holds_panel);
    holds_panel.then(|| {
        filled
            .into_iter()
            .flatten()
            .map(|filled| filled.item)
            .collect()
    })
}

impl DraftItem {
    fn fill(&self, fields: &Fields) -> Option<Filled> {
        let (content, holds_panel) = match &self.content {
            DraftContent::Text {
                pieces,
                style,
                pill,
                keep,
            } => {
                let text = Text {
                    words: words(pieces, fields)?,
                    style: style.clone(),
                    pill: *pill,
                };
                let has_fact = pieces.iter().any(|piece| matches!(piece, Piece::Field(_)));
                (Content::Text(text), has_fact || *keep)
            }
            DraftContent::Rule(rule) => (Content::Rule(*rule), false),
            DraftContent::Logo(logo) => (Content::Logo(fields.logo.then_some(*logo)?), true),
            DraftContent::Row { gap, items } => {
                let items = fill_items(items, fields)?;
                (Content::Row { gap: *gap, items }, true)
            }
        };
        Some(Filled {
            item: Item {
                space: self.space,
                content,
            },
            holds_panel,
        })
    }
}

/// The text with its facts; `None` if it has placeholders and none of their facts is known. A literal
/// between two placeholders is a separator: one is left between any two facts that are known.
fn words(pieces: &[Piece], fields: &Fields) -> Option<String> {
    let mut words = String::new();
    // The literal since the last fact, and whether the last placeholder's fact is missing.
    let (mut between, mut after_gap) = ("", false);
    // Whether there was a placeholder, and one whose fact is known.
    let (mut met, mut found) = (false, false);
    for piece in pieces {
        match piece {
            Piece::Literal(_) if after_gap && !between.is_empty() => {}
            Piece::Literal(literal) => between = literal,
            Piece::Field(field) => {
                let text = fields.text(*field);
                // The literal before a missing first fact is dropped with it.
                if let Some(text) = text {
                    if found || !met {
                        words.push_str(between);
                    }
                    words.push_str(&text);
                    (between, after_gap, found) = ("", false, true);
                } else {
                    after_gap = true;
                }
                met = true;
            }
        }
    }
    // The literal after a missing last fact is dropped with it.
    if !after_gap {
        words.push_str(between);
    }
    (found || !met).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::template::fields::Field;

    fn said(facts: [&str; 3]) -> Option<String> {
        let some = |text: &str| Some(text.to_owned());
        let fields = Fields {
            address: some(facts[0]),
            price: some(facts[1]),
            details: some(facts[2]),
            ..Fields::default()
        };
        let literal = |text: &str| Piece::Literal(text.into());
        let pieces = [
            literal("("),
            Piece::Field(Field::Address),
            literal(" - "),
            Piece::Field(Field::Price),
            literal(" + "),
            Piece::Field(Field::Details),
            literal(")"),
        ];
        words(&pieces, &fields)
    }

    #[test]
    fn separators_stand_between_what_is_there() {
        assert_eq!(said(["a", "b", "c"]).as_deref(), Some("(a - b + c)"));
        assert_eq!(said(["a", " ", "c"]).as_deref(), Some("(a - c)"));
        assert_eq!(said(["a", "", ""]).as_deref(), Some("(a"));
        assert_eq!(said(["", "b", ""]).as_deref(), Some("b"));
        assert_eq!(said(["", "", "c"]).as_deref(), Some("c)"));
        assert_eq!(said(["", "\u{200b}", "\n"]), None);
    }

    #[test]
    fn a_text_without_placeholders_stays() {
        assert_eq!(
            words(&[Piece::Literal("Just sold".into())], &Fields::default()).as_deref(),
            Some("Just sold")
        );
    }
}
