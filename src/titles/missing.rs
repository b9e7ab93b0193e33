//! Characters of titles that no font has.

use unicode_segmentation::UnicodeSegmentation;

use super::font_library::FontLibrary;
use super::fonts::Fonts;
use super::typeset::displayed;
use crate::spec::overlay::{Content, Item, Panel, Text};

/// The most that are named.
const MAX_NAMED: usize = 40;

impl Fonts {
    /// Says which characters of titles no font has; `None` if each has one.
    pub fn missing_characters_warning<'a>(
        &self,
        panels: impl IntoIterator<Item = &'a Panel>,
    ) -> Option<String> {
        let mut texts = Vec::new();
        for panel in panels {
            collect(&panel.items, &mut texts);
        }
        let mut missing = Vec::new();
        for text in texts {
            for cluster in self.library().missing(text) {
                if !missing.contains(&cluster) {
                    missing.push(cluster);
                }
            }
        }
        let named: String = missing.iter().take(MAX_NAMED).map(String::as_str).collect();
        match missing.len().checked_sub(MAX_NAMED) {
            _ if missing.is_empty() => None,
            None | Some(0) => Some(format!(
                "no font has {named:?}, which is left out of the titles"
            )),
            Some(more) => Some(format!(
                "no font has {named:?} and {more} more characters, which are left out of the titles"
            )),
        }
    }
}

fn collect<'a>(items: &'a [Item], texts: &mut Vec<&'a Text>) {
    for item in items {
        match &item.content {
            Content::Text(text) => texts.push(text),
            Content::Row { items, .. } => collect(items, texts),
            Content::Rule(_) | Content::Logo(_) => {}
        }
    }
}

impl FontLibrary {
    /// The letters of a text, with their marks, that neither its font nor another has.
    fn missing(&mut self, text: &Text) -> Vec<String> {
        let style = &text.style;
        let words = displayed(&text.words, style);
        let Some(face) = self.face(&style.font, style.weight, style.italic) else {
            return Vec::new();
        };
        let is_missing = |cluster: &&str| {
            let fallback = self.fallback(cluster, &words, style.weight);
            fallback.is_none_or(|face| !face.coverage.has_cluster(cluster))
        };
        let lacks = |cluster: &&str| !face.coverage.has_cluster(cluster);
        let missing = words.graphemes(true).filter(lacks).filter(is_missing);
        missing.map(str::to_owned).collect()
    }
}
