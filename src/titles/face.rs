//! A face that texts can be set in.

use cosmic_text::fontdb::Style;

use super::coverage::Coverage;

/// A face that the shaping engine knows, under a family name that no other face has.
#[derive(Debug)]
pub(super) struct Face {
    pub family: String,
    /// From 100, thin, to 900, black.
    pub weight: u16,
    pub style: Style,
    pub coverage: Coverage,
    /// Whether its glyphs may have colours of their own.
    pub coloured: bool,
    /// Height of the capitals, as a share of the size.
    pub cap_height: f32,
}
