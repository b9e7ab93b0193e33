//! Which characters a face has.

use cosmic_text::fontdb::{Database, ID};
use cosmic_text::skrifa::{FontRef, MetadataProvider};

/// Ranges of code points, both ends included, sorted and not adjacent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Coverage(Vec<(u32, u32)>);

impl Coverage {
    /// The characters of a face in a database; none if the face cannot be read.
    pub fn of_face(db: &Database, id: ID) -> Coverage {
        db.with_face_data(id, Coverage::of).unwrap_or_default()
    }

    /// The characters of a face of a font file; none if the file is not a font.
    fn of(data: &[u8], index: u32) -> Coverage {
        let Ok(font) = FontRef::from_index(data, index) else {
            return Coverage::default();
        };
        let glyphs = font
            .charmap()
            .mappings()
            .filter(|(_, glyph)| glyph.to_u32() > 0);
        let mut points: Vec<u32> = glyphs.map(|(point, _)| point).collect();
        points.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for point in points {
            match ranges.last_mut() {
                Some((_, last)) if point <= last.saturating_add(1) => *last = point,
                _ => ranges.push((point, point)),
            }
        }
        ranges.shrink_to_fit();
        Coverage(ranges)
    }

    pub fn has(&self, c: char) -> bool {
        let point = u32::from(c);
        let after = self.0.partition_point(|&(first, _)| first <= point);
        after > 0 && self.0[after - 1].1 >= point
    }

    /// Whether the face has a letter and its marks. Joiners and variation selectors need no glyph.
    pub fn has_cluster(&self, cluster: &str) -> bool {
        let needs_no_glyph = |c: char| {
            matches!(
                c,
                '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{a0}' | '\u{202f}'
            )
        };
        cluster.chars().all(|c| needs_no_glyph(c) || self.has(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_searched() {
        let coverage = Coverage(vec![(65, 90), (97, 97)]);
        let has = |text: &str| coverage.has_cluster(text);
        assert!(has("A") && has("Z") && has("a") && has("a\u{200d}"));
        assert!(!has("@") && !has("[") && !has("b") && !has("Ab"));
        assert!(!Coverage::of(b"no font", 0).has('a'));
    }
}
