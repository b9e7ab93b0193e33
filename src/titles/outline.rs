//! Glyph outlines at their exact places, and what they cover.

use std::ops::Range;

use cosmic_text::{Command, LayoutGlyph, SwashContent};
use zeno::{Mask as ZenoMask, Vector};

use super::font_library::FontLibrary;
use super::shape::{Bitmap, Mask};

/// A picture of more pixels than this is no letter.
const MAX_GLYPH_PIXELS: usize = 4_000_000;

/// Outlines in pixels, y downwards.
#[derive(Default)]
pub(super) struct Outlines {
    path: Vec<Command>,
    /// Glyphs that bring their colours.
    coloured: Vec<Bitmap>,
}

/// Takes the outlines of a text apart into what can be painted at (`x`, `y`).
pub(super) fn outlines(outlines: &Outlines, x: f32, y: f32) -> (Mask, Vec<Bitmap>) {
    let (left, top) = (x.floor(), y.floor());
    let mut mask = ZenoMask::new(&outlines.path[..]);
    mask.offset(Vector::new(x - left, y - top));
    let (coverage, placement) = mask.render();
    let bitmaps = outlines.coloured.iter().map(|bitmap| Bitmap {
        x: bitmap.x + x.round() as i32,
        y: bitmap.y + y.round() as i32,
        ..bitmap.clone()
    });
    let mask = Mask {
        x: left as i32 + placement.left,
        y: top as i32 + placement.top,
        width: placement.width as usize,
        height: placement.height as usize,
        coverage,
    };
    (mask, bitmaps.collect())
}

impl Outlines {
    /// Adds a line whose first glyph is to stand at `x`, on `baseline`. `start` is where the line
    /// itself says that it stands.
    pub fn extend(
        &mut self,
        library: &mut FontLibrary,
        line: &[LayoutGlyph],
        start: f32,
        x: f32,
        baseline: f32,
        coloured: &[Range<usize>],
    ) {
        for glyph in line {
            let dx = x + glyph.x - start + glyph.font_size * glyph.x_offset;
            let dy = baseline + glyph.y - glyph.font_size * glyph.y_offset;
            let key = glyph.physical((0.0, 0.0), 1.0).cache_key;
            if coloured.iter().any(|range| range.contains(&glyph.start)) {
                let image = library.glyphs.get_image_uncached(&mut library.engine, key);
                if let Some(image) = image.filter(|image| image.content == SwashContent::Color) {
                    let (width, height) = (
                        image.placement.width as usize,
                        image.placement.height as usize,
                    );
                    if width * height <= MAX_GLYPH_PIXELS {
                        self.coloured.push(Bitmap {
                            x: dx.round() as i32 + image.placement.left,
                            y: dy.round() as i32 - image.placement.top,
                            width,
                            height,
                            pixels: image.data.as_chunks().0.iter().map(premultiply).collect(),
                        });
                    }
                    continue;
                }
            }
            let commands = library
                .glyphs
                .get_outline_commands_uncached(&mut library.engine, key);
            let place = |v: Vector| Vector::new(v.x + dx, dy - v.y);
            for command in commands.unwrap_or_default() {
                self.path.push(match command {
                    Command::MoveTo(a) => Command::MoveTo(place(a)),
                    Command::LineTo(a) => Command::LineTo(place(a)),
                    Command::QuadTo(a, b) => Command::QuadTo(place(a), place(b)),
                    Command::CurveTo(a, b, c) => Command::CurveTo(place(a), place(b), place(c)),
                    Command::Close => Command::Close,
                });
            }
        }
    }

    /// Moves all down.
    pub fn shift(&mut self, down: f32) {
        for command in &mut self.path {
            match command {
                Command::MoveTo(a) | Command::LineTo(a) => a.y += down,
                Command::QuadTo(a, b) => {
                    a.y += down;
                    b.y += down;
                }
                Command::CurveTo(a, b, c) => {
                    a.y += down;
                    b.y += down;
                    c.y += down;
                }
                Command::Close => {}
            }
        }
        for bitmap in &mut self.coloured {
            bitmap.y += down as i32;
        }
    }

    /// The highest ink; 0 when there is none.
    pub fn top(&self) -> f32 {
        let bitmaps = self.coloured.iter().map(|bitmap| bitmap.y as f32);
        self.heights()
            .chain(bitmaps)
            .reduce(f32::min)
            .unwrap_or(0.0)
    }

    /// The lowest ink; 0 when there is none.
    pub fn bottom(&self) -> f32 {
        let bitmaps = self
            .coloured
            .iter()
            .map(|bitmap| bitmap.y as f32 + bitmap.height as f32);
        self.heights()
            .chain(bitmaps)
            .reduce(f32::max)
            .unwrap_or(0.0)
    }

    /// Of the outlines' points, whose hull holds the curves.
    fn heights(&self) -> impl Iterator<Item = f32> {
        self.path.iter().filter_map(|command| match command {
            Command::MoveTo(a) | Command::LineTo(a) => Some(a.y),
            Command::QuadTo(_, b) => Some(b.y),
            Command::CurveTo(_, _, c) => Some(c.y),
            Command::Close => None,
        })
    }
}

fn premultiply(&[r, g, b, a]: &[u8; 4]) -> [u8; 4] {
    let times_alpha = |c: u8| ((u32::from(c) * u32::from(a) + 127) / 255) as u8;
    [times_alpha(r), times_alpha(g), times_alpha(b), a]
}
