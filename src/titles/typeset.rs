//! A text, its style and the room for it → a box with glyph outlines.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::faced_text::FacedText;
use super::fitting::{Fitted, Fitting, start};
use super::font_library::FontLibrary;
use super::outline::Outlines;
use crate::spec::overlay::{Align, Style};
use crate::spec::wording::clean;

/// For rounding errors in the widths of lines, in pixels.
const SLACK: f32 = 0.05;

/// The ink that accents on capitals, and descenders, may have outside the box, as a share of the
/// size. What reaches further enlarges the box.
const OVERHANG: f32 = 0.27;

/// The least distance of baselines where letters are in a fallback face, as a multiple of the size:
/// other scripts need more height than Latin.
const FALLBACK_LEADING: f64 = 1.35;

/// A text as glyph outlines. Its box reaches from the top of the first line's capitals to the last
/// baseline, so that the distances between boxes are the distances that are seen.
pub(super) struct SetText {
    /// In pixels.
    pub width: f32,
    /// In pixels.
    pub height: f32,
    /// Of the type, in pixels.
    pub size: f32,
    /// Relative to the box's top left corner.
    pub outlines: Outlines,
}

/// The room for a text.
#[derive(Clone, Copy)]
pub(super) struct Room {
    /// In pixels.
    pub width: f32,
    /// Pixels per u.
    pub unit: f32,
}

impl FontLibrary {
    /// Sets a text; `None` if nothing of it can be shown.
    pub fn set(&mut self, words: &str, style: &Style, align: Align, room: Room) -> Option<SetText> {
        // Text and fonts come from users, and a shaper that panics must not end the job.
        let set = catch_unwind(AssertUnwindSafe(|| self.try_set(words, style, align, room)));
        set.unwrap_or_else(|_| {
            log::error!("a title could not be set");
            None
        })
    }

    fn try_set(&mut self, words: &str, style: &Style, align: Align, room: Room) -> Option<SetText> {
        let [size, least] = [style.size, style.min_size].map(|size| size as f32 * room.unit);
        // Type smaller than a pixel is invisible.
        if !(size >= 1.0 && room.width >= 1.0) {
            return None;
        }
        let face = self.face(&style.font, style.weight, style.italic)?;
        let text = FacedText::new(self, &displayed(words, style), &face, style)?;
        let fitting = Fitting {
            room: room.width - SLACK,
            lines: style.max_lines.max(1) as usize,
        };
        let fitted = fitting.fit(self, text, size, least.min(size).max(1.0));
        Some(self.placed(&fitted, style, align, face.cap_height * fitted.size))
    }

    /// Puts lines below each other, `cap_height` pixels for the capitals of the first.
    fn placed(&mut self, text: &Fitted, style: &Style, align: Align, cap_height: f32) -> SetText {
        let leading = if text.uses_fallback() {
            style.leading.max(FALLBACK_LEADING)
        } else {
            style.leading
        };
        let pitch = (leading as f32 * text.size).round();
        let width = text.widths().fold(0.0, f32::max);
        let mut baseline = cap_height.round();
        let mut outlines = Outlines::default();
        for (line, line_width) in text.lines.iter().zip(text.widths()) {
            let x = (width - line_width) * align.fraction() as f32;
            outlines.extend(self, line, start(line), x, baseline, text.coloured());
            baseline += pitch;
        }
        let mut height = baseline - pitch;
        let above = -outlines.top() - OVERHANG * text.size;
        let below = outlines.bottom() - height - OVERHANG * text.size;
        if above > 0.0 {
            outlines.shift(above.ceil());
            height += above.ceil();
        }
        height += below.max(0.0).ceil();
        SetText {
            width,
            height,
            size: text.size,
            outlines,
        }
    }
}

/// The characters to show.
pub(super) fn displayed(words: &str, style: &Style) -> String {
    if style.uppercase {
        clean(&uppercase(words))
    } else {
        clean(words)
    }
}

/// Upper case, in which Greek has no accents.
fn uppercase(text: &str) -> String {
    let without_accent = |c: char| match c {
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
        .map(without_accent)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_unicode() {
        assert_eq!(uppercase("straße é жук Αθήνα"), "STRASSE É ЖУК ΑΘΗΝΑ");
    }
}
