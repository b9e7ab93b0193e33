//! Titles over the frames. Each panel is laid out and painted once; drawing a frame only blends.
//!
//! ```text
//! fonts ─ font_library (with face, coverage, system_faces): the faces, and which one has a character
//! typeset (with faced_text, shaping, lines, fitting, outline): words, style and room → glyph outlines
//! layout (with safe_area) ─ items → boxes in the frame
//! compose ─ panel → shapes, backdrops first
//! shape (with blur, logo_backdrop) ─ what can be painted, a row at a time
//! raster ─ shapes → RGB rows → Layer
//! layer ─ premultiplied Y, Cb, Cr and alpha where there is any, blended onto a frame
//! ```

mod blur;
mod compose;
mod coverage;
mod face;
mod faced_text;
mod fitting;
mod font_library;
mod fonts;
mod layer;
mod layout;
mod lines;
mod logo_backdrop;
mod outline;
mod raster;
mod safe_area;
mod shape;
mod shaping;
mod system_faces;
mod typeset;

pub use fonts::Fonts;

use layer::Layer;

use crate::picture::Logo;
use crate::spec::Size;
use crate::spec::overlay::Overlay;

/// Painted titles.
pub struct Titles {
    painted: Vec<Painted>,
    frame: Size,
}

struct Painted {
    /// When it is seen.
    overlay: Overlay,
    layer: Layer,
}

impl Titles {
    /// Paints `overlays` for frames of a size, both sides even. An overlay with a place for a logo
    /// goes without where there is none.
    pub fn new(overlays: &[Overlay], logo: Option<&Logo>, fonts: &Fonts, frame: Size) -> Titles {
        let painted = overlays
            .iter()
            .map(|overlay| Painted {
                overlay: overlay.clone(),
                layer: raster::layer(&compose::shapes(&overlay.panel, logo, fonts, frame), frame),
            })
            .collect();
        Titles { painted, frame }
    }

    /// Draws what is seen `seconds` after the start onto `frame`: Y, Cb and Cr, one after the
    /// other, in BT.709 limited range. A buffer of another size is left alone.
    pub fn draw(&self, seconds: f64, frame: &mut [u8]) {
        for Painted { overlay, layer } in &self.painted {
            let opacity = (overlay.opacity(seconds) * f64::from(u16::MAX)).round() as u16;
            if opacity > 0 {
                layer.blend(opacity, self.frame, frame);
            }
        }
    }

    /// Whether `draw` would change a frame at that moment.
    pub fn shows(&self, seconds: f64) -> bool {
        let mut overlays = self.painted.iter().map(|painted| &painted.overlay);
        overlays.any(|overlay| overlay.opacity(seconds) > 0.0)
    }
}

/// Where the items of an overlay come to stand, for tests: x, y, width and height in pixels of the
/// items, and of the solid backdrops around them.
pub fn bounds(overlay: &Overlay, logo: Option<&Logo>, fonts: &Fonts, frame: Size) -> Vec<[f32; 4]> {
    compose::bounds(&overlay.panel, logo, fonts, frame)
}
