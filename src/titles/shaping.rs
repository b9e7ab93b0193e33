//! A text in its faces → glyphs in their visual order.

use std::ops::Range;

use cosmic_text::fontdb::Weight;
use cosmic_text::{
    Attrs, AttrsList, CacheKeyFlags, Family, FeatureTag, FontFeatures, Hinting, LayoutGlyph,
    ShapeLine, Shaping, Wrap,
};
use unicode_bidi::{BidiInfo, Level};
use unicode_segmentation::UnicodeSegmentation;

use super::face::Face;
use super::faced_text::FacedText;
use super::font_library::FontLibrary;
use super::lines::Measured;

/// Makes a piece read from right to left that has only digits and punctuation.
const RIGHT_TO_LEFT_MARK: &str = "\u{200f}";

impl FacedText {
    /// The widths of the letters, for line breaking.
    pub fn measured(&self, library: &mut FontLibrary) -> Measured {
        let mut widths: Vec<(usize, f32)> = self
            .text
            .grapheme_indices(true)
            .map(|(at, letter)| (at + letter.len(), 0.0))
            .collect();
        for glyph in self.shaped(library, 0..self.text.len(), 1.0) {
            let letter = widths.partition_point(|&(end, _)| end <= glyph.start);
            if let Some((_, width)) = widths.get_mut(letter) {
                *width += glyph.w;
            }
        }
        Measured::new(&self.text, &widths)
    }

    /// The glyphs of a line, from left to right. The engine confuses the order of faces within words
    /// that read from right to left, so it gets pieces of one direction and one face.
    pub fn shaped(
        &self,
        library: &mut FontLibrary,
        range: Range<usize>,
        size: f32,
    ) -> Vec<LayoutGlyph> {
        let text = &self.text[range.clone()];
        let base = if self.right_to_left {
            Level::rtl()
        } else {
            Level::ltr()
        };
        let bidi = BidiInfo::new(text, Some(base));
        let mut glyphs = Vec::new();
        let mut x = 0.0;
        for paragraph in &bidi.paragraphs {
            let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
            for run in runs {
                let right_to_left = levels[run.start].is_rtl();
                let run = run.start + range.start..run.end + range.start;
                let within = |span: &Range<usize>| span.start.max(run.start)..span.end.min(run.end);
                let pieces = self.spans.iter().map(|(span, face)| (within(span), face));
                let mut pieces: Vec<_> = pieces.filter(|(piece, _)| !piece.is_empty()).collect();
                if right_to_left {
                    pieces.reverse();
                }
                for (piece, face) in pieces {
                    x +=
                        self.shape_piece(library, piece, face, right_to_left, size, x, &mut glyphs);
                }
            }
        }
        glyphs
    }

    /// Adds the glyphs of a piece at `x`, and returns its width.
    #[allow(clippy::too_many_arguments)]
    fn shape_piece(
        &self,
        library: &mut FontLibrary,
        piece: Range<usize>,
        face: &Face,
        right_to_left: bool,
        size: f32,
        x: f32,
        glyphs: &mut Vec<LayoutGlyph>,
    ) -> f32 {
        let text = &self.text[piece.clone()];
        let mark = if right_to_left {
            RIGHT_TO_LEFT_MARK
        } else {
            ""
        };
        let joined = text.chars().any(is_joined);
        let tracking = if joined { 0.0 } else { self.tracking };
        let mut features = FontFeatures::new();
        if tracking != 0.0 {
            // Its letters would stand closer than the others.
            features.disable(FeatureTag::STANDARD_LIGATURES);
        }
        let attrs = Attrs::new()
            .family(Family::Name(&face.family))
            .weight(Weight(face.weight))
            .style(face.style)
            .cache_key_flags(CacheKeyFlags::DISABLE_HINTING)
            .font_features(features)
            .letter_spacing(tracking);
        let list = AttrsList::new(&attrs);
        let text = format!("{mark}{text}");
        let shaped = ShapeLine::new(&mut library.engine, &text, &list, Shaping::Advanced, 1);
        let lines = shaped.layout(size, None, Wrap::None, None, None, Hinting::Disabled);
        let own = lines.into_iter().flat_map(|line| line.glyphs);
        let mut own: Vec<_> = own.filter(|glyph| glyph.start >= mark.len()).collect();
        let left = own
            .iter()
            .map(|glyph| glyph.x)
            .reduce(f32::min)
            .unwrap_or(0.0);
        let mut width = 0.0;
        for glyph in &mut own {
            glyph.start = glyph.start - mark.len() + piece.start;
            glyph.x += x - left;
            width += glyph.w;
        }
        glyphs.append(&mut own);
        width
    }
}

/// Whether a letter belongs to a script whose letters are joined, which tracking would separate:
/// Arabic and its relatives, the scripts of India and South East Asia, Mongolian.
fn is_joined(c: char) -> bool {
    matches!(u32::from(c), 0x600..=0x109f | 0x1780..=0x18af | 0xfb50..=0xfdff | 0xfe70..=0xfeff)
}
