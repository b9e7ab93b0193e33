//! The characters of a caller's text that may be shown.

use unicode_general_category::{GeneralCategory, get_general_category};

/// The longest text, in characters. More does not fit a panel, and takes long to lay out.
pub const MAX_CHARS: usize = 400;

/// Characters that are read: a hostile text may consist of characters that are removed.
const MAX_READ: usize = 20_000;

/// Marks that a letter may have: Vietnamese and Hebrew need two, Thai and Tibetan three.
const MAX_MARKS: usize = 3;

/// The text on one line of at most [`MAX_CHARS`] characters: runs of spaces, controls and line ends
/// become one space, and characters are removed that are invisible, change the reading direction or
/// have no meaning.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    let (mut chars, mut marks, mut space) = (0, 0, false);
    for c in text.chars().take(MAX_READ) {
        match class(c) {
            Class::Space => space = chars > 0,
            Class::Removed => {}
            Class::Mark if marks >= MAX_MARKS || chars == 0 || space => {}
            class => {
                if chars + usize::from(space) >= MAX_CHARS {
                    break;
                }
                if space {
                    cleaned.push(' ');
                    chars += 1;
                    space = false;
                }
                marks = if class == Class::Mark { marks + 1 } else { 0 };
                cleaned.push(c);
                chars += 1;
            }
        }
    }
    // Joiners at the end join nothing.
    let visible = cleaned.trim_end_matches(['\u{200c}', '\u{200d}']).len();
    cleaned.truncate(visible);
    cleaned
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Visible,
    Mark,
    Space,
    Removed,
}

fn class(c: char) -> Class {
    use GeneralCategory::*;
    match c {
        // Joiners, which emoji sequences and Persian and Indic spelling need.
        '\u{200c}' | '\u{200d}' => return Class::Mark,
        // Spaces without a line break, in addresses and prices.
        '\u{a0}' | '\u{202f}' => return Class::Visible,
        // Hangul fillers, the Braille blank and the object mark are blank or a box.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' | '\u{fffc}' => {
            return Class::Removed;
        }
        _ => {}
    }
    match get_general_category(c) {
        Control | SpaceSeparator | LineSeparator | ParagraphSeparator => Class::Space,
        // Among them bidirectional controls, byte order marks, soft hyphens and tags.
        Format | Surrogate | PrivateUse | Unassigned => Class::Removed,
        NonspacingMark | EnclosingMark => Class::Mark,
        _ => Class::Visible,
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
