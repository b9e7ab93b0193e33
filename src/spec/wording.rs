//! What may be shown of a text that somebody sent.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Characters kept of a text. More never fits a panel, and would take long to try.
pub const MAX_CHARS: usize = 400;

/// Characters looked at: hostile texts may hold next to nothing that can be kept.
const MAX_READ: usize = 20_000;

/// Marks that one letter may carry: Vietnamese and Hebrew need two, Thai and Tibetan three.
const MAX_MARKS: usize = 3;

/// The text on one line, with nothing in it that is invisible, turns the reading direction, or has
/// no meaning: spaces are single, controls and line ends are spaces, at most [`MAX_CHARS`] long.
pub fn clean(text: &str) -> String {
    let mut kept = String::new();
    let (mut chars, mut marks, mut space) = (0, 0, false);
    for c in text.chars().take(MAX_READ) {
        match class(c) {
            Class::Space => space = chars > 0,
            Class::Dropped => {}
            Class::Mark if marks >= MAX_MARKS || chars == 0 || space => {}
            class => {
                if chars + usize::from(space) >= MAX_CHARS {
                    break;
                }
                if space {
                    kept.push(' ');
                    chars += 1;
                    space = false;
                }
                marks = if class == Class::Mark { marks + 1 } else { 0 };
                kept.push(c);
                chars += 1;
            }
        }
    }
    // Joiners join nothing at the end, and alone they are no text.
    let visible = kept.trim_end_matches(['\u{200c}', '\u{200d}']).len();
    kept.truncate(visible);
    kept
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Kept,
    Mark,
    Space,
    Dropped,
}

fn class(c: char) -> Class {
    use GeneralCategory::*;
    match c {
        // Joiners: emoji sequences, Persian and Indic spelling need them.
        '\u{200c}' | '\u{200d}' => return Class::Mark,
        // Forbids a line break, which addresses and prices may rely on.
        '\u{a0}' | '\u{202f}' => return Class::Kept,
        // Hangul fillers, the Braille blank and the object mark show as nothing or as a box.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' | '\u{fffc}' => {
            return Class::Dropped;
        }
        _ => {}
    }
    match get_general_category(c) {
        Control | SpaceSeparator | LineSeparator | ParagraphSeparator => Class::Space,
        // Bidirectional controls, byte order marks, soft hyphens and tags among them.
        Format | Surrogate | PrivateUse | Unassigned => Class::Dropped,
        NonspacingMark | EnclosingMark => Class::Mark,
        _ => Class::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_single_and_controls_are_white_space() {
        assert_eq!(clean("  12 \t Main\r\n\u{7}St \u{2028}"), "12 Main St");
        assert_eq!(clean(" \u{a0}"), "\u{a0}");
    }

    #[test]
    fn nothing_invisible_is_left() {
        assert_eq!(
            clean("\u{feff}a\u{202e}b\u{2066}c\u{200b}d\u{ad}e\u{e000}f\u{378}"),
            "abcdef"
        );
        assert_eq!(clean("\u{200d}\u{200b}\u{301}\u{2800}"), "");
        assert_eq!(clean("👩\u{200d}🚒"), "👩\u{200d}🚒");
    }

    #[test]
    fn marks_do_not_pile_up() {
        let piled: String = "e"
            .chars()
            .chain(['\u{301}'; 50])
            .chain("f".chars())
            .collect();
        assert_eq!(clean(&piled), "e\u{301}\u{301}\u{301}f");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(clean(&"ab ".repeat(10_000)).chars().count(), MAX_CHARS);
        assert_eq!(clean(&"\u{200b}".repeat(1_000_000)), "");
        assert_eq!(
            clean(&clean(&"word ".repeat(500))),
            clean(&"word ".repeat(500))
        );
    }
}
