//! Where a text breaks into lines. Pure functions.

use std::ops::Range;

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_linebreak::linebreaks;

/// How often the range of widths is halved in the search for lines of equal length.
const BALANCE_STEPS: u32 = 10;

/// How much longer the longest line may be, so that one ends at a comma.
const MOST_UNEQUAL: f32 = 1.4;

/// The words of a text and their widths, as shares of the size.
pub(super) struct Measured {
    words: Vec<Word>,
}

/// Letters between which no line breaks, and the spaces after them.
struct Word {
    range: Range<usize>,
    width: f32,
    /// Width without the spaces.
    inked: f32,
    /// Where the spaces begin.
    inked_end: usize,
    ends_with_comma: bool,
    /// Where each letter ends, and its width.
    letters: Vec<(usize, f32)>,
}

impl Measured {
    /// `letters` holds for each letter the byte at which it ends, and its width.
    pub fn new(text: &str, letters: &[(usize, f32)]) -> Measured {
        let mut letters = letters.iter().peekable();
        let mut start = 0;
        let ends = linebreaks(text)
            .map(|(end, _)| end)
            .filter(|&end| !belongs_to_next(text, end));
        let words = ends.map(|end| {
            let mut own = Vec::new();
            while let Some(letter) = letters.next_if(|letter| letter.0 <= end) {
                own.push(*letter);
            }
            let inked_end = start + text[start..end].trim_end_matches(' ').len();
            let sum = |until: usize| own.iter().filter(|l| l.0 <= until).map(|l| l.1).sum();
            let word = Word {
                range: start..end,
                width: sum(end),
                inked: sum(inked_end),
                inked_end,
                ends_with_comma: text[start..inked_end].ends_with([',', '،', '，', '、']),
                letters: own,
            };
            start = end;
            word
        });
        Measured {
            words: words.collect(),
        }
    }

    /// Lines at most `width` wide. Words that are wider break between any two letters.
    pub fn broken(&self, width: f32) -> Vec<Range<usize>> {
        let mut lines: Vec<Range<usize>> = Vec::new();
        let mut used = f32::INFINITY;
        for word in &self.words {
            if used + word.inked <= width || word.inked <= width {
                match lines.last_mut() {
                    Some(line) if used + word.inked <= width => line.end = word.range.end,
                    _ => {
                        lines.push(word.range.clone());
                        used = 0.0;
                    }
                }
                used += word.width;
                continue;
            }
            let mut start = word.range.start;
            for (end, letter) in &word.letters {
                match lines.last_mut() {
                    // Spaces at the end of a line need no room.
                    Some(line) if used + letter <= width || *end > word.inked_end => {
                        line.end = *end;
                    }
                    _ => {
                        lines.push(start..*end);
                        used = 0.0;
                    }
                }
                used += letter;
                start = *end;
            }
        }
        lines
    }

    /// As many lines of whole words as `width` requires, as narrow as possible, so that their lengths
    /// are similar. One ends at a comma, if that needs no further line. `None` if a word is wider than
    /// `width`.
    pub fn balanced(&self, width: f32) -> Option<Vec<Range<usize>>> {
        let best = balanced(&self.words, width)?;
        match best.len() {
            0 | 1 => Some(best),
            _ => Some(self.broken_at_comma(width, &best).unwrap_or(best)),
        }
    }

    /// Whether one of several lines ends at a comma, or there is none that it could end at.
    pub fn breaks_at_comma(&self, lines: &[Range<usize>]) -> bool {
        let Some((_, words)) = self.words.split_last() else {
            return true;
        };
        let mut commas = words.iter().filter(|word| word.ends_with_comma).peekable();
        lines.len() < 2
            || commas.peek().is_none()
            || commas.any(|word| lines.iter().any(|line| line.end == word.range.end))
    }

    /// As many lines as the best at most, one of which ends at a comma: that at which the longest is shortest. `None` if
    /// they are far less alike.
    fn broken_at_comma(&self, width: f32, best: &[Range<usize>]) -> Option<Vec<Range<usize>>> {
        let after_commas = (1..self.words.len()).filter(|&at| self.words[at - 1].ends_with_comma);
        let broken = after_commas.filter_map(|at| {
            let (first, second) = self.words.split_at(at);
            let lines = [balanced(first, width)?, balanced(second, width)?].concat();
            (lines.len() <= best.len()).then_some(lines)
        });
        let longest = |lines: &[Range<usize>]| {
            let widths = lines.iter().map(|line| self.inked(line));
            widths.fold(0.0, f32::max)
        };
        let broken = broken.min_by(|a, b| longest(a).total_cmp(&longest(b)))?;
        (longest(&broken) <= MOST_UNEQUAL * longest(best)).then_some(broken)
    }

    /// The width of a line without the spaces at its end.
    fn inked(&self, line: &Range<usize>) -> f32 {
        let inside = |word: &&Word| word.range.start >= line.start && word.range.end <= line.end;
        let mut words = self.words.iter().filter(inside).rev();
        let last = words.next().map_or(0.0, |word| word.inked);
        last + words.map(|word| word.width).sum::<f32>()
    }
}

/// Lines of whole words, as ranges of bytes, at most `width` wide. `None` if a word is wider.
fn whole_words(words: &[Word], width: f32) -> Option<Vec<Range<usize>>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut used = 0.0;
    for word in words {
        if word.inked > width {
            return None;
        }
        match lines.last_mut() {
            Some(line) if used + word.inked <= width => line.end = word.range.end,
            _ => {
                lines.push(word.range.clone());
                used = 0.0;
            }
        }
        used += word.width;
    }
    Some(lines)
}

/// As many lines as `width` requires, as narrow as possible.
fn balanced(words: &[Word], width: f32) -> Option<Vec<Range<usize>>> {
    let mut best = whole_words(words, width)?;
    let (mut narrow, mut wide) = (0.0, width);
    for _ in 0..BALANCE_STEPS {
        let middle = (narrow + wide) / 2.0;
        match whole_words(words, middle) {
            Some(lines) if lines.len() <= best.len() => (wide, best) = (middle, lines),
            _ => narrow = middle,
        }
    }
    Some(best)
}

/// Whether a space, at which Unicode would break the line, is between what is read together.
fn belongs_to_next(text: &str, at: usize) -> bool {
    is_inside_number(text, at) || is_before_unit(text, at) || is_inside_address(text, at)
}

/// Whether a space, at which Unicode would break the line, is between the parts of a number.
fn is_inside_number(text: &str, at: usize) -> bool {
    let before = text[..at]
        .strip_suffix(' ')
        .and_then(|text| text.chars().next_back());
    let after = text[at..].chars().next();
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let currency = |c: char| get_general_category(c) == GeneralCategory::CurrencySymbol;
    let number = |c: char| c.is_numeric() || currency(c);
    number(before) && number(after)
}

/// Words that belong to the number or the word before them: "2,850 sq ft", "4 bed".
const UNITS: [&str; 22] = [
    "sq", "ft", "sqft", "m", "m²", "sqm", "km", "mi", "yd", "ha", "ac", "acre", "acres", "bed",
    "beds", "br", "bath", "baths", "ba", "car", "min", "years",
];

/// Whether a space, at which Unicode would break the line, is between a quantity and its unit.
fn is_before_unit(text: &str, at: usize) -> bool {
    let word = |text: &str| text.trim_end_matches(['.', ',', ';', ')']).to_lowercase();
    let before = text[..at].trim_end().rsplit(' ').next().map(word);
    let after = text[at..].split(' ').next().map(word);
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let is_number = before.ends_with(|c: char| c.is_numeric());
    let is_square = before == "sq";
    (is_number || is_square) && UNITS.contains(&after.as_str())
}

/// Words that belong to the one after them: "Unit 4B".
const PREFIXES: [&str; 7] = ["unit", "apt", "suite", "ste", "no", "lot", "#"];

/// Whether a space, at which Unicode would break the line, is before the number of a flat, or between a state of two
/// letters and its ZIP code.
fn is_inside_address(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end().rsplit([' ', ',']).next();
    let after = text[at..].split([' ', ',']).next();
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let prefix = before.trim_end_matches('.').to_lowercase();
    let is_state = before.len() == 2 && before.chars().all(|c| c.is_ascii_uppercase());
    let has_digit = after.contains(|c: char| c.is_ascii_digit());
    let is_number = has_digit || after.chars().count() == 1;
    (is_number && PREFIXES.contains(&prefix.as_str())) || (has_digit && is_state)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every letter is 1 wide.
    fn lines(text: &str, find: impl Fn(&Measured) -> Option<Vec<Range<usize>>>) -> Vec<&str> {
        let letters: Vec<_> = text
            .char_indices()
            .map(|(at, c)| (at + c.len_utf8(), 1.0))
            .collect();
        let found = find(&Measured::new(text, &letters)).unwrap_or_default();
        found
            .into_iter()
            .map(|range| text[range].trim_end())
            .collect()
    }

    #[test]
    fn lines_break_between_words() {
        let text = "one two three four";
        assert_eq!(
            lines(text, |m| whole_words(&m.words, 13.0)),
            ["one two three", "four"]
        );
        assert_eq!(lines(text, |m| m.balanced(13.0)), ["one two", "three four"]);
        assert_eq!(lines(text, |m| whole_words(&m.words, 4.0)), [""; 0]);
        assert_eq!(lines("", |m| whole_words(&m.words, 4.0)), [""; 0]);
    }

    #[test]
    fn lines_that_could_end_at_a_comma_are_known() {
        let breaks = |text: &str, width: f32| {
            let letters: Vec<_> = text.char_indices().map(|(at, _)| (at + 1, 1.0)).collect();
            let measured = Measured::new(text, &letters);
            let lines = measured.balanced(width).expect("lines");
            measured.breaks_at_comma(&lines)
        };
        let address = "12 Hillside Lane, Aspen Grove, Colorado 81611";
        assert!(breaks(address, 27.0), "the second line has 27 letters");
        assert!(!breaks(address, 24.0), "Aspen / Grove");
        assert!(breaks(address, 50.0), "one line");
        assert!(breaks("four beds and three baths", 14.0), "no comma");
        assert!(breaks("a house by the sea, ", 12.0), "the last word's");
    }

    #[test]
    fn lines_break_at_a_comma_if_they_can() {
        let address = "1247 Whispering Pines Boulevard, Aspen Grove, CO 81611";
        assert_eq!(
            lines(address, |m| m.balanced(40.0)),
            ["1247 Whispering Pines Boulevard,", "Aspen Grove, CO 81611"]
        );
        assert_eq!(
            lines(address, |m| m.balanced(24.0)),
            [
                "1247 Whispering",
                "Pines Boulevard,",
                "Aspen Grove, CO 81611"
            ]
        );
        // The line before the comma would be far shorter.
        assert_eq!(
            lines("Elm, 1247 Whispering Pines Boulevard", |m| m.balanced(32.0)),
            ["Elm, 1247 Whispering", "Pines Boulevard"]
        );
        // The part before the comma is too wide.
        assert_eq!(
            lines("12 Hollow Creek Road North, Elm", |m| m.balanced(24.0)),
            ["12 Hollow Creek", "Road North, Elm"]
        );
    }

    #[test]
    fn parts_of_an_address_stay_together() {
        assert_eq!(
            lines("9 St Mary Ct Unit 4B", |m| whole_words(&m.words, 17.0)),
            ["9 St Mary Ct", "Unit 4B"]
        );
        assert_eq!(
            lines("Aspen CO 81611", |m| whole_words(&m.words, 9.0)),
            ["Aspen", "CO 81611"]
        );
        assert_eq!(
            lines("no no no", |m| whole_words(&m.words, 5.0)),
            ["no no", "no"]
        );
    }

    #[test]
    fn long_words_break_anywhere() {
        assert_eq!(
            lines("a bcdefgh i", |m| Some(m.broken(3.0))),
            ["a b", "cde", "fgh", "i"]
        );
    }

    #[test]
    fn numbers_stay_together() {
        assert_eq!(
            lines("45 900 000 ₽ net", |m| whole_words(&m.words, 12.0)),
            ["45 900 000 ₽", "net"]
        );
        assert_eq!(
            lines("3 bath, 2,850 sq. ft", |m| whole_words(&m.words, 16.0)),
            ["3 bath,", "2,850 sq. ft"]
        );
        assert_eq!(
            lines("4 Bed, 3 bath", |m| whole_words(&m.words, 8.0)),
            ["4 Bed,", "3 bath"]
        );
        assert_eq!(
            lines("12 Main St", |m| whole_words(&m.words, 7.0)),
            ["12 Main", "St"]
        );
    }
}
