//! The items of a panel, laid out → shapes.

use super::backdrops::glow;
use super::block::{Block, Kind};
use super::blur::blurred;
use super::outline::outlines;
use super::rect::Rect;
use super::shape::{Bitmap, Mask, Shape};
use super::typeset::SetText;
use crate::picture::Logo;
use crate::spec::Size;
use crate::spec::overlay::{Paint, Pill, Style};

/// Blur of the soft shadow of a text, as a share of the size.
const SHADOW_BLUR: f32 = 0.085;
/// How far the shadow lies below the text, as a share of the size.
const SHADOW_DROP: f32 = 0.03;
/// How much darker the blur is made, so that thin strokes have a visible shadow.
const SHADOW_STRENGTH: f32 = 1.7;

/// Corner radius of a logo backdrop, as a share of its shorter side.
const LOGO_BACKDROP_RADIUS: f32 = 0.14;
/// Opacity of its soft shadow, by which it is seen on a photo of its own colour; and its size, as a share of a card's.
const LOGO_SHADOW: f64 = 0.35;
const LOGO_SHADOW_SIZE: f32 = 0.4;

pub(super) struct Painter<'a> {
    /// The shapes so far.
    pub shapes: &'a mut Vec<Shape>,
    pub logo: Option<&'a Logo>,
    /// Pixels per u.
    pub unit: f32,
}

impl Painter<'_> {
    /// Adds the shapes of a block whose top left corner is at (`x`, `y`).
    pub fn paint(&mut self, x: f32, y: f32, block: Block) {
        let rect = block.rect(x, y);
        match block.kind {
            Kind::Group(blocks) => {
                for (dx, dy, block) in blocks {
                    self.paint(x + dx, y + dy, block);
                }
            }
            Kind::Rule(paint) => {
                // On whole pixels every rule of one thickness looks the same.
                let rect = Rect {
                    x: rect.x.round(),
                    y: rect.y.round(),
                    ..rect
                };
                self.shapes.push(Shape::fill(rect, 0.0, paint));
            }
            Kind::Logo { backdrop, padding } => self.logo(rect, backdrop, padding),
            Kind::Text { set, style, pill } => {
                let mut words = (x, y);
                if let Some((pill, padding)) = pill {
                    self.pill(rect, &pill);
                    words = (x + padding[0], y + padding[1]);
                }
                self.text(words, &set, &style);
            }
        }
    }

    fn pill(&mut self, rect: Rect, pill: &Pill) {
        let radius = (pill.radius as f32 * self.unit).min(rect.height / 2.0);
        let rect = Rect {
            y: rect.y.round(),
            ..rect
        };
        self.shapes.push(Shape::fill(rect, radius, pill.paint));
    }

    fn text(&mut self, (x, y): (f32, f32), set: &SetText, style: &Style) {
        let (mask, bitmaps) = outlines(&set.outlines, x, y.round());
        if style.shadow > 0.0 {
            self.shapes.push(Shape::Mask {
                mask: shadow(&mask, set.size),
                paint: Paint::black(style.shadow),
            });
        }
        self.shapes.push(Shape::Mask {
            mask,
            paint: style.paint,
        });
        self.shapes.extend(bitmaps.into_iter().map(Shape::Image));
    }

    fn logo(&mut self, rect: Rect, backdrop: Option<Paint>, padding: f32) {
        let Some(logo) = self.logo else {
            return;
        };
        if let Some(paint) = backdrop {
            let rect = rect.snapped();
            let radius = LOGO_BACKDROP_RADIUS * rect.width.min(rect.height);
            let shadow = glow(rect, radius, LOGO_SHADOW, LOGO_SHADOW_SIZE * self.unit);
            self.shapes.push(shadow);
            self.shapes.push(Shape::fill(rect, radius, paint));
        }
        let size = Size {
            width: (rect.width - 2.0 * padding).max(1.0) as u32,
            height: (rect.height - 2.0 * padding).max(1.0) as u32,
        };
        let (x, y) = (rect.x + padding, rect.y + padding);
        self.shapes.push(Shape::Image(Bitmap {
            x: x.round() as i32,
            y: y.round() as i32,
            width: size.width as usize,
            height: size.height as usize,
            pixels: logo.scaled(size),
        }));
    }
}

/// The soft shadow of letters of a size in pixels.
fn shadow(letters: &Mask, size: f32) -> Mask {
    let radius = (SHADOW_BLUR * size).round().max(1.0) as usize;
    let mut shadow = blurred(letters, radius, SHADOW_STRENGTH);
    shadow.y += (SHADOW_DROP * size).round() as i32;
    shadow
}
