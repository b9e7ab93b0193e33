//! Words, style and room → lines of glyphs. Text first breaks into lines, then shrinks, and is cut
//! short last.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cosmic_text::fontdb::Weight;
use cosmic_text::{
    Attrs, AttrsList, CacheKeyFlags, Family, Hinting, LayoutGlyph, ShapeLine, Shaping, Wrap,
};
use unicode_bidi::{BidiInfo, Direction, Level, get_base_direction};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

use super::face::Face;
use super::font_library::FontLibrary;
use super::lines::Measured;
use super::outline::Outlines;
use crate::spec::overlay::{Align, Style};
use crate::spec::wording::clean;

/// Each try at a size is so much smaller than the last.
const SHRINK: f32 = 0.95;

/// Bytes of a word that are left out whole rather than cut.
const MAX_WORD_CUT: usize = 18;

/// Rounding in the widths of lines, in pixels.
const SLACK: f32 = 0.05;

/// The ink that letters with ascending accents, or descenders, have beyond their box, as a share of
/// the size. What reaches further makes the box larger.
const OVERHANG: f32 = 0.27;

/// A text, set. Its box reaches from the capitals' height of its first line to its last baseline,
/// so that optical distances are the distances of boxes.
pub(super) struct SetText {
    pub width: f32,
    pub height: f32,
    /// In pixels.
    pub size: f32,
    /// From the box's top left corner.
    pub outlines: Outlines,
}

/// What a text may take up, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub width: f32,
    /// Pixels to a u.
    pub unit: f32,
}

impl FontLibrary {
    /// Sets a text; `None` when nothing of it can be shown.
    pub fn set(&mut self, words: &str, style: &Style, align: Align, room: Room) -> Option<SetText> {
        // The shaper is handed whatever a stranger sent and a font has.
        let set = catch_unwind(AssertUnwindSafe(|| self.try_set(words, style, align, room)));
        set.unwrap_or_else(|_| {
            log::error!("a title could not be set");
            None
        })
    }

    fn try_set(&mut self, words: &str, style: &Style, align: Align, room: Room) -> Option<SetText> {
        let [size, least] = [style.size, style.min_size].map(|size| size as f32 * room.unit);
        // Below a pixel there is nothing to be seen.
        if !(size >= 1.0 && room.width >= 1.0) {
            return None;
        }
        let face = self.face(&style.font, style.weight, style.italic)?;
        let cased = if style.uppercase {
            uppercase(words)
        } else {
            words.to_owned()
        };
        let text = self.assign(&clean(&cased), &face, style)?;
        let fitting = Fitting {
            room: room.width - SLACK,
            lines: style.max_lines.max(1) as usize,
        };
        let set = fitting.fit(self, text, size, least.min(size).max(1.0));

        let leading = if set.text.foreign {
            style.leading.max(1.35)
        } else {
            style.leading
        };
        let pitch = (leading as f32 * set.size).round();
        let cap = face.cap_height * set.size;
        let width = set.widths().fold(0.0, f32::max);
        let mut baseline = cap.round();
        let mut outlines = Outlines::default();
        for (line, line_width) in set.lines.iter().zip(set.widths()) {
            let x = (width - line_width) * align.fraction() as f32;
            outlines.extend(self, line, start(line), x, baseline, &set.text.coloured);
            baseline += pitch;
        }
        let mut height = baseline - pitch;
        let above = -outlines.top() - OVERHANG * set.size;
        let below = outlines.bottom() - height - OVERHANG * set.size;
        if above > 0.0 {
            outlines.shift(above.ceil());
            height += above.ceil();
        }
        height += below.max(0.0).ceil();
        Some(SetText {
            width,
            height,
            size: set.size,
            outlines,
        })
    }

    /// Gives each letter a face that has it, and drops the letters that none has.
    fn assign(&mut self, text: &str, face: &Arc<Face>, style: &Style) -> Option<FacedText> {
        let mut faced = FacedText::default();
        let mut last: Option<Arc<Face>> = None;
        for cluster in text.graphemes(true) {
            let neutral = cluster.chars().all(|c| c.script() == Script::Common);
            let covers = |face: &Arc<Face>| face.coverage.has_cluster(cluster);
            // Digits and points take the face of the letters before them.
            let chosen = if let Some(last) = last
                .as_ref()
                .filter(|last| neutral && !last.coloured && covers(last))
            {
                Some(Arc::clone(last))
            } else if covers(face) {
                // Points that no other face has leave those letters their face.
                last = last.filter(|_| neutral);
                Some(Arc::clone(face))
            } else if let Some(last) = last.as_ref().filter(|last| covers(last)) {
                Some(Arc::clone(last))
            } else {
                last = self.fallback(cluster, text, style.weight).or(last);
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
        faced.reads_left = get_base_direction(faced.text.as_str()) == Direction::Rtl;
        Some(faced)
    }
}

/// Capitals as they are written on signs: without Greek accents.
fn uppercase(text: &str) -> String {
    let plain = |c: char| match c {
        'Ά' => 'Α',
        'Έ' => 'Ε',
        'Ή' => 'Η',
        'Ί' => 'Ι',
        'Ό' => 'Ο',
        'Ύ' => 'Υ',
        'Ώ' => 'Ω',
        other => other,
    };
    text.chars()
        .flat_map(char::to_uppercase)
        .map(plain)
        .collect()
}

/// A text whose letters all have a face.
#[derive(Clone, Default)]
struct FacedText {
    text: String,
    spans: Vec<(Range<usize>, Arc<Face>)>,
    /// Whether a letter is in another face than the chosen one.
    foreign: bool,
    /// Whether the text reads from right to left.
    reads_left: bool,
    /// Letters whose glyphs may be coloured.
    coloured: Vec<Range<usize>>,
    /// As a share of the size.
    tracking: f32,
}

impl FacedText {
    fn push(&mut self, cluster: &str, face: Arc<Face>, chosen: &Arc<Face>) {
        let start = self.text.len();
        self.text.push_str(cluster);
        let end = self.text.len();
        self.foreign |= !Arc::ptr_eq(&face, chosen);
        if face.coloured {
            self.coloured.push(start..end);
        }
        match self.spans.last_mut() {
            Some((range, last)) if Arc::ptr_eq(last, &face) => range.end = end,
            _ => self.spans.push((start..end, face)),
        }
    }

    /// The first `bytes`, and an ellipsis.
    fn cut(&self, bytes: usize) -> FacedText {
        let whole = &self.text[..bytes];
        // At the end of a word, unless that costs much of the text.
        let last_word = whole
            .rfind(' ')
            .filter(|space| bytes - space <= MAX_WORD_CUT.min(bytes / 2));
        let ends_there = self.text[bytes..].starts_with(' ');
        let kept = last_word.filter(|_| !ends_there).unwrap_or(bytes);
        let trimmed = whole[..kept].trim_end_matches([' ', ',', ';', ':', '-', '–', '·', '.', '(']);
        let kept = if trimmed.is_empty() {
            bytes
        } else {
            trimmed.len()
        };
        let mut cut = FacedText {
            text: self.text[..kept].into(),
            foreign: self.foreign,
            tracking: self.tracking,
            reads_left: self.reads_left,
            ..FacedText::default()
        };
        for (range, face) in &self.spans {
            if range.start < kept {
                cut.spans
                    .push((range.start..range.end.min(kept), Arc::clone(face)));
            }
        }
        cut.coloured.extend(
            self.coloured
                .iter()
                .filter(|range| range.end <= kept)
                .cloned(),
        );
        cut.text.push('…');
        let end = cut.text.len();
        if let Some((range, _)) = cut.spans.last_mut() {
            range.end = end;
        }
        cut
    }

    /// What line breaking needs to know.
    fn measured(&self, library: &mut FontLibrary) -> Measured {
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

    /// Sets lines that were found, each on its own: the reading direction changes within lines only.
    fn fitted(&self, library: &mut FontLibrary, ranges: &[Range<usize>], size: f32) -> Fitted {
        let lines = ranges.iter().map(|range| {
            let inked = self.text[range.clone()].trim_end_matches(' ').len();
            self.shaped(library, range.start..range.start + inked, size)
        });
        Fitted {
            lines: lines.collect(),
            text: self.clone(),
            size,
        }
    }

    /// The glyphs of a line, from left to right. The engine mixes up the order of faces within words
    /// that are read from the right, so it gets pieces of one direction and one face.
    fn shaped(
        &self,
        library: &mut FontLibrary,
        range: Range<usize>,
        size: f32,
    ) -> Vec<LayoutGlyph> {
        let text = &self.text[range.clone()];
        let base = if self.reads_left {
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
                let reads_left = levels[run.start].is_rtl();
                let run = run.start + range.start..run.end + range.start;
                let within = |span: &Range<usize>| span.start.max(run.start)..span.end.min(run.end);
                let pieces = self.spans.iter().map(|(span, face)| (within(span), face));
                let mut pieces: Vec<_> = pieces.filter(|(piece, _)| !piece.is_empty()).collect();
                if reads_left {
                    pieces.reverse();
                }
                for (piece, face) in pieces {
                    x += self.shape_piece(library, piece, face, reads_left, size, x, &mut glyphs);
                }
            }
        }
        glyphs
    }

    /// Adds the glyphs of a piece that is to stand at `x`; its width.
    #[allow(clippy::too_many_arguments)]
    fn shape_piece(
        &self,
        library: &mut FontLibrary,
        piece: Range<usize>,
        face: &Face,
        reads_left: bool,
        size: f32,
        x: f32,
        glyphs: &mut Vec<LayoutGlyph>,
    ) -> f32 {
        let text = &self.text[piece.clone()];
        // Digits and points alone would count as read from the left.
        let lead = if reads_left { RIGHT_TO_LEFT } else { "" };
        let joined = text.chars().any(is_joined);
        let attrs = Attrs::new()
            .family(Family::Name(&face.family))
            .weight(Weight(face.weight))
            .style(face.style)
            .cache_key_flags(CacheKeyFlags::DISABLE_HINTING)
            .letter_spacing(if joined { 0.0 } else { self.tracking });
        let list = AttrsList::new(&attrs);
        let text = format!("{lead}{text}");
        let shaped = ShapeLine::new(&mut library.engine, &text, &list, Shaping::Advanced, 1);
        let lines = shaped.layout(size, None, Wrap::None, None, None, Hinting::Disabled);
        let own = lines.into_iter().flat_map(|line| line.glyphs);
        let mut own: Vec<_> = own.filter(|glyph| glyph.start >= lead.len()).collect();
        let left = own
            .iter()
            .map(|glyph| glyph.x)
            .reduce(f32::min)
            .unwrap_or(0.0);
        let mut width = 0.0;
        for glyph in &mut own {
            glyph.start = glyph.start - lead.len() + piece.start;
            glyph.x += x - left;
            width += glyph.w;
        }
        glyphs.append(&mut own);
        width
    }
}

/// The right-to-left mark.
const RIGHT_TO_LEFT: &str = "\u{200f}";

/// Scripts whose letters hang together.
fn is_joined(c: char) -> bool {
    matches!(u32::from(c), 0x600..=0x109f | 0x1780..=0x18af | 0xfb50..=0xfdff | 0xfe70..=0xfeff)
}

/// How much room there is for a text.
struct Fitting {
    room: f32,
    lines: usize,
}

/// A text that has found its size and its lines.
struct Fitted {
    text: FacedText,
    /// The glyphs of each, from left to right.
    lines: Vec<Vec<LayoutGlyph>>,
    size: f32,
}

impl Fitted {
    /// Of the lines, without the tracking after their last letter.
    fn widths(&self) -> impl Iterator<Item = f32> {
        self.lines.iter().map(|line| {
            let right = line
                .iter()
                .map(|glyph| glyph.x + glyph.w)
                .fold(f32::MIN, f32::max);
            (right - start(line) - self.text.tracking * self.size).max(0.0)
        })
    }
}

/// Where a line's first glyph stands.
fn start(line: &[LayoutGlyph]) -> f32 {
    line.iter()
        .map(|glyph| glyph.x)
        .reduce(f32::min)
        .unwrap_or(0.0)
}

impl Fitting {
    fn fit(&self, library: &mut FontLibrary, text: FacedText, size: f32, least: f32) -> Fitted {
        let measured = text.measured(library);
        let mut tried = size;
        loop {
            let lines = measured.balanced(self.shares(&text, tried));
            if let Some(lines) = lines.filter(|lines| lines.len() <= self.lines) {
                return text.fitted(library, &lines, tried);
            }
            if tried <= least {
                break;
            }
            tried = (tried * SHRINK).max(least);
        }
        let lines = measured.broken(self.shares(&text, least));
        if lines.len() <= self.lines {
            return text.fitted(library, &lines, least);
        }
        self.ellipsis(library, &text, least)
    }

    /// The room as a share of the size. The tracking after a line's last letter needs none.
    fn shares(&self, text: &FacedText, size: f32) -> f32 {
        self.room / size + text.tracking.max(0.0)
    }

    /// As much of the text as fits with an ellipsis.
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
            let lines = cut.measured(library).broken(self.shares(text, size));
            if lines.len() <= self.lines {
                best = Some((cut, lines));
                fits = middle + 1;
            } else {
                exceeds = middle;
            }
        }
        let (cut, mut lines) = best.unwrap_or_else(|| {
            // Not even a letter and an ellipsis fit: what there is of the first lines.
            let lines = text.measured(library).broken(self.shares(text, size));
            (text.clone(), lines)
        });
        lines.truncate(self.lines);
        cut.fitted(library, &lines, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_unicode() {
        assert_eq!(uppercase("straße é жук Αθήνα"), "STRASSE É ЖУК ΑΘΗΝΑ");
    }
}
