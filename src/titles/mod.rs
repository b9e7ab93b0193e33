//! Titles on the frames of a video. Each panel is laid out and painted once; drawing a frame only
//! blends.
//!
//! ```text
//! fonts ─ font_library (with face, coverage, system_faces): the faces, and which one has a character
//! missing ─ the characters that no font has
//! typeset (with faced_text, shaping, lines, fitting, outline): words, style and room → glyph outlines
//! layout (with block): items → blocks with sizes
//! compose (with safe_area, padding, backdrops, items, logo_backdrop): panel → shapes
//! shape (with rect, pixel, blur): paints one row of a shape
//! raster: shapes → rows in RGB → layer
//! layer: premultiplied Y, Cb, Cr and alpha, blended onto frames
//! ```

mod backdrops;
mod block;
mod blur;
mod compose;
mod coverage;
mod face;
mod faced_text;
mod fitting;
mod font_library;
mod fonts;
mod items;
mod layer;
mod layout;
mod lines;
mod logo_backdrop;
mod missing;
mod outline;
mod padding;
mod pixel;
mod raster;
mod rect;
mod safe_area;
mod shape;
mod shaping;
mod system_faces;
mod typeset;

pub use fonts::Fonts;

use layer::Layer;

use crate::picture::Logo;
use crate::spec::Size;
use crate::spec::overlay::{Overlay, Panel};

/// The titles of a video, painted.
pub struct Titles {
    painted: Vec<Painted>,
    frame: Size,
}

struct Painted {
    /// When it is visible.
    overlay: Overlay,
    layer: Layer,
}

impl Titles {
    /// Paints `overlays` for frames of a size, both sides even. Without a logo, overlays leave its
    /// place out.
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

    /// Draws the titles of a moment, in seconds from the start, onto `frame`: Y, Cb and Cr, one
    /// after the other, in BT.709 limited range. A buffer of another size is left unchanged.
    pub fn draw(&self, seconds: f64, frame: &mut [u8]) {
        for Painted { overlay, layer } in &self.painted {
            let opacity = (overlay.opacity(seconds) * f64::from(u16::MAX)).round() as u16;
            if opacity > 0 {
                layer.blend(opacity, self.frame, frame);
            }
        }
    }
}

/// How far a panel at the bottom reaches up, as a fraction of the frame's height. 0: it is elsewhere, or shows nothing.
pub fn covered_below(panel: &Panel, logo: Option<&Logo>, fonts: &Fonts, frame: Size) -> f64 {
    if !panel.anchor.is_at_bottom() {
        return 0.0;
    }
    let bounds = compose::bounds(panel, logo, fonts, frame);
    let panel = bounds.first();
    panel.map_or(0.0, |panel| {
        1.0 - f64::from(panel.y) / f64::from(frame.height)
    })
}

/// The layout of an overlay, for tests: x, y, width and height in pixels of the panel's box, then of
/// each item.
#[doc(hidden)]
pub fn bounds(overlay: &Overlay, logo: Option<&Logo>, fonts: &Fonts, frame: Size) -> Vec<[f32; 4]> {
    let rects = compose::bounds(&overlay.panel, logo, fonts, frame);
    let array = |rect: rect::Rect| [rect.x, rect.y, rect.width, rect.height];
    rects.into_iter().map(array).collect()
}
