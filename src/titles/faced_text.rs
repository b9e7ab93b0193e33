//! A text in which each letter has a face.

use std::ops::Range;
use std::sync::Arc;

use unicode_bidi::{Direction, get_base_direction};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

use super::face::Face;
use super::font_library::FontLibrary;
use crate::spec::overlay::Style;

/// An ellipsis replaces a whole word of up to so many bytes, rather than a part of it.
const MAX_WORD_CUT: usize = 18;

#[derive(Clone, Default)]
pub(super) struct FacedText {
    pub text: String,
    /// Faces by ranges of bytes, in the order of the text.
    pub spans: Vec<(Range<usize>, Arc<Face>)>,
    /// Whether a letter is in another face than the style's.
    pub uses_fallback: bool,
    /// Whether the text reads from right to left.
    pub right_to_left: bool,
    /// Letters, as ranges of bytes, whose glyphs may have colours of their own.
    pub coloured: Vec<Range<usize>>,
    /// As a share of the size.
    pub tracking: f32,
}

impl FacedText {
    /// Gives each letter a face that has it: `face` if possible, else one of the system. Letters
    /// that no face has are left out; `None` if no visible letter remains.
    pub fn new(
        library: &mut FontLibrary,
        text: &str,
        face: &Arc<Face>,
        style: &Style,
    ) -> Option<FacedText> {
        let mut faced = FacedText::default();
        // The face of the last letters that `face` lacks.
        let mut last: Option<Arc<Face>> = None;
        for cluster in text.graphemes(true) {
            let neutral = cluster.chars().all(|c| c.script() == Script::Common);
            let covers = |face: &Arc<Face>| face.coverage.has_cluster(cluster);
            // Digits and punctuation take the face of the letters before them.
            let chosen = if let Some(last) = last
                .as_ref()
                .filter(|last| neutral && !last.coloured && covers(last))
            {
                Some(Arc::clone(last))
            } else if covers(face) {
                // Punctuation that the last face lacks does not end its run of letters.
                last = last.filter(|_| neutral);
                Some(Arc::clone(face))
            } else if let Some(last) = last.as_ref().filter(|last| covers(last)) {
                Some(Arc::clone(last))
            } else {
                last = library.fallback(cluster, text, style.weight).or(last);
                last.clone().filter(covers)
            };
            if let Some(chosen) = chosen {
                faced.push(cluster, chosen, face);
            }
        }
        if faced.text.trim().is_empty() {
            return None;
        }
        faced.tracking = style.tracking as f32 / 100.0;
        faced.right_to_left = get_base_direction(faced.text.as_str()) == Direction::Rtl;
        Some(faced)
    }

    fn push(&mut self, cluster: &str, face: Arc<Face>, style_face: &Arc<Face>) {
        let start = self.text.len();
        self.text.push_str(cluster);
        let end = self.text.len();
        self.uses_fallback |= !Arc::ptr_eq(&face, style_face);
        if face.coloured {
            self.coloured.push(start..end);
        }
        match self.spans.last_mut() {
            Some((range, last)) if Arc::ptr_eq(last, &face) => range.end = end,
            _ => self.spans.push((start..end, face)),
        }
    }

    /// The first `bytes`, and an ellipsis in the face of the last letter.
    pub fn cut(&self, bytes: usize) -> FacedText {
        let end = self.cut_end(bytes);
        let mut text = String::from(&self.text[..end]);
        text.push('…');
        let spans = self.spans.iter().filter(|(range, _)| range.start < end);
        let clipped = |range: &Range<usize>| range.start..range.end.min(end);
        let mut spans: Vec<_> = spans
            .map(|(range, face)| (clipped(range), Arc::clone(face)))
            .collect();
        if let Some((range, _)) = spans.last_mut() {
            range.end = text.len();
        }
        let coloured = self.coloured.iter().filter(|range| range.end <= end);
        FacedText {
            text,
            spans,
            coloured: coloured.cloned().collect(),
            uses_fallback: self.uses_fallback,
            right_to_left: self.right_to_left,
            tracking: self.tracking,
        }
    }

    /// Where to cut a text that may be `bytes` long: at the end of a word, unless that costs much of
    /// the text, and before punctuation.
    fn cut_end(&self, bytes: usize) -> usize {
        let most = &self.text[..bytes];
        let last_space = most
            .rfind(' ')
            .filter(|space| bytes - space <= MAX_WORD_CUT.min(bytes / 2));
        let word_ends = self.text[bytes..].starts_with(' ');
        let end = last_space.filter(|_| !word_ends).unwrap_or(bytes);
        let trimmed = most[..end].trim_end_matches([' ', ',', ';', ':', '-', '–', '·', '.', '(']);
        if trimmed.is_empty() {
            bytes
        } else {
            trimmed.len()
        }
    }
}
