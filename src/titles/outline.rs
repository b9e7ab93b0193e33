//! Glyph outlines at exact positions, and the pixels that they cover.

use std::ops::Range;

use cosmic_text::{Command, LayoutGlyph, SwashContent, SwashImage};
use zeno::{Mask as ZenoMask, Vector};

use super::font_library::FontLibrary;
use super::shape::{Bitmap, Mask};

/// Coloured glyphs with more pixels than this are left out.
const MAX_GLYPH_PIXELS: usize = 4_000_000;

/// Outlines in pixels, y downwards.
#[derive(Default)]
pub(super) struct Outlines {
    path: Vec<Command>,
    /// Glyphs with colours of their own.
    coloured: Vec<Bitmap>,
}

/// The coverage of the outlines of a text at (`x`, `y`), and its coloured glyphs.
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
    /// Adds a line, its left end at `x` and its letters on `baseline`. `start` is the left end in the
    /// glyphs' own positions; `coloured` are the letters, as ranges of bytes, to be drawn in the
    /// colours of their font.
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
            let coloured = coloured.iter().any(|range| range.contains(&glyph.start));
            let image =
                coloured.then(|| library.glyphs.get_image_uncached(&mut library.engine, key));
            let image = image.flatten();
            match image.filter(|image| image.content == SwashContent::Color) {
                Some(image) => self.push_image(&image, dx, dy),
                None => {
                    let commands = library
                        .glyphs
                        .get_outline_commands_uncached(&mut library.engine, key);
                    self.push_outline(&commands.unwrap_or_default(), dx, dy);
                }
            }
        }
    }

    fn push_image(&mut self, image: &SwashImage, dx: f32, dy: f32) {
        let placement = image.placement;
        let (width, height) = (placement.width as usize, placement.height as usize);
        if width * height <= MAX_GLYPH_PIXELS {
            self.coloured.push(Bitmap {
                x: dx.round() as i32 + placement.left,
                y: dy.round() as i32 - placement.top,
                width,
                height,
                pixels: image.data.as_chunks().0.iter().map(premultiply).collect(),
            });
        }
    }

    /// Outlines of fonts have `y` upwards.
    fn push_outline(&mut self, outline: &[Command], dx: f32, dy: f32) {
        let place = |v: Vector| Vector::new(v.x + dx, dy - v.y);
        self.path
            .extend(outline.iter().map(|command| match *command {
                Command::MoveTo(a) => Command::MoveTo(place(a)),
                Command::LineTo(a) => Command::LineTo(place(a)),
                Command::QuadTo(a, b) => Command::QuadTo(place(a), place(b)),
                Command::CurveTo(a, b, c) => Command::CurveTo(place(a), place(b), place(c)),
                Command::Close => Command::Close,
            }));
    }

    /// Moves all `down` pixels down.
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

    /// The `y` of the highest ink; 0 if there is none.
    pub fn top(&self) -> f32 {
        let bitmaps = self.coloured.iter().map(|bitmap| bitmap.y as f32);
        self.heights()
            .chain(bitmaps)
            .reduce(f32::min)
            .unwrap_or(0.0)
    }

    /// The `y` of the lowest ink; 0 if there is none.
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

    /// The `y` of the outlines' end points.
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
