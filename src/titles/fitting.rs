//! Fits a text into its room: it is broken into lines first, then made smaller, and cut last.

use std::ops::Range;

use cosmic_text::LayoutGlyph;
use unicode_segmentation::UnicodeSegmentation;

use super::faced_text::FacedText;
use super::font_library::FontLibrary;
use super::lines::Measured;

/// Each size that is tried is this share of the one before.
const SHRINK: f32 = 0.95;
/// The least share of its size at which a text is set so that a line ends at a comma.
const LEAST_FOR_COMMA: f32 = 0.8;

/// As ranges of bytes.
type Lines = Vec<Range<usize>>;

/// The room for a text.
pub(super) struct Fitting {
    /// Width in pixels.
    pub room: f32,
    /// At most.
    pub lines: usize,
}

/// A text at its final size, in lines.
pub(super) struct Fitted {
    text: FacedText,
    /// The glyphs of each line, from left to right.
    pub lines: Vec<Vec<LayoutGlyph>>,
    /// In pixels.
    pub size: f32,
}

impl Fitted {
    /// Shapes each line on its own: the reading direction changes within lines only.
    fn new(
        library: &mut FontLibrary,
        text: FacedText,
        lines: &[Range<usize>],
        size: f32,
    ) -> Fitted {
        let lines = lines.iter().map(|range| {
            let inked = text.text[range.clone()].trim_end_matches(' ').len();
            text.shaped(library, range.start..range.start + inked, size)
        });
        Fitted {
            lines: lines.collect(),
            text,
            size,
        }
    }

    /// Whether a letter is in another face than the style's.
    pub fn uses_fallback(&self) -> bool {
        self.text.uses_fallback
    }

    /// Letters, as ranges of bytes, whose glyphs may have colours of their own.
    pub fn coloured(&self) -> &[Range<usize>] {
        &self.text.coloured
    }

    /// Widths of the lines in pixels, without the tracking after the last letter.
    pub fn widths(&self) -> impl Iterator<Item = f32> {
        self.lines.iter().map(|line| {
            let right = line
                .iter()
                .map(|glyph| glyph.x + glyph.w)
                .fold(f32::MIN, f32::max);
            (right - start(line) - self.text.tracking * self.size).max(0.0)
        })
    }
}

/// The left end of a line.
pub(super) fn start(line: &[LayoutGlyph]) -> f32 {
    line.iter()
        .map(|glyph| glyph.x)
        .reduce(f32::min)
        .unwrap_or(0.0)
}

impl Fitting {
    /// Sets the text in `size` pixels, or smaller down to `least` if it needs more lines than there
    /// are, or cut if that is not enough.
    pub fn fit(&self, library: &mut FontLibrary, text: FacedText, size: f32, least: f32) -> Fitted {
        let measured = text.measured(library);
        let mut tried = size;
        loop {
            if let Some(lines) = self.lines_at(tried, &measured, &text) {
                let at_comma = self.smaller_at_comma(tried, least, &lines, &measured, &text);
                let (size, lines) = at_comma.unwrap_or((tried, lines));
                return Fitted::new(library, text, &lines, size);
            }
            if tried <= least {
                break;
            }
            tried = (tried * SHRINK).max(least);
        }
        let lines = measured.broken(self.relative_room(&text, least));
        if lines.len() <= self.lines {
            return Fitted::new(library, text, &lines, least);
        }
        self.ellipsis(library, &text, least)
    }

    /// The lines at a size, if they are few enough.
    fn lines_at(&self, size: f32, measured: &Measured, text: &FacedText) -> Option<Lines> {
        let lines = measured.balanced(self.relative_room(text, size))?;
        (lines.len() <= self.lines).then_some(lines)
    }

    /// A smaller size, at which the text has as many lines, and one of them ends at a comma. `None`: one of `lines` does
    /// already, or no size will do.
    fn smaller_at_comma(
        &self,
        size: f32,
        least: f32,
        lines: &Lines,
        measured: &Measured,
        text: &FacedText,
    ) -> Option<(f32, Lines)> {
        if measured.breaks_at_comma(lines) {
            return None;
        }
        let least = least.max(LEAST_FOR_COMMA * size);
        let smaller = std::iter::successors(Some(size * SHRINK), |size| Some(size * SHRINK));
        let mut tried = smaller
            .take_while(|size| *size >= least)
            .filter_map(|size| Some((size, self.lines_at(size, measured, text)?)));
        tried.find(|(_, smaller)| smaller.len() == lines.len() && measured.breaks_at_comma(smaller))
    }

    /// The room as a multiple of the size. The tracking after the last letter of a line needs none.
    fn relative_room(&self, text: &FacedText, size: f32) -> f32 {
        self.room / size + text.tracking.max(0.0)
    }

    /// As much of the text as fits, and an ellipsis. The longest such cut is searched for in halves.
    fn ellipsis(&self, library: &mut FontLibrary, text: &FacedText, size: f32) -> Fitted {
        let ends: Vec<usize> = text
            .text
            .grapheme_indices(true)
            .map(|(at, _)| at)
            .skip(1)
            .collect();
        let (mut fits, mut exceeds) = (0, ends.len());
        let mut best = None;
        while fits < exceeds {
            let middle = fits + (exceeds - fits) / 2;
            let cut = text.cut(ends[middle]);
            let lines = cut.measured(library).broken(self.relative_room(text, size));
            if lines.len() <= self.lines {
                best = Some((cut, lines));
                fits = middle + 1;
            } else {
                exceeds = middle;
            }
        }
        let (cut, mut lines) = best.unwrap_or_else(|| {
            // Not even a letter and an ellipsis fit: the first lines, without an ellipsis.
            let lines = text
                .measured(library)
                .broken(self.relative_room(text, size));
            (text.clone(), lines)
        });
        lines.truncate(self.lines);
        Fitted::new(library, cut, &lines, size)
    }
}
