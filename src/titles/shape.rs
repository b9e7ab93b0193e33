//! What can be painted, a row at a time.
//!
//! The rasterizer is our own: tiny-skia does not dither gradients, and with it the painting of the
//! bundled templates at 1080×1920 took 1.4 times as long and needed no less code.

use super::pixel::{Pixel, coverage, over, over_dithered, premultiplied, smooth};
use super::rect::Rect;
use crate::spec::overlay::{Edge, Paint};

pub(super) enum Shape {
    Fill {
        rect: Rect,
        /// Of the corners.
        radius: f32,
        paint: Paint,
    },
    /// Between `rect` and `rect` less `thickness` on each side.
    Ring {
        rect: Rect,
        thickness: f32,
        paint: Paint,
    },
    /// A gradient from `edge` of `rect`, where it has the paint's opacity, to the opposite edge.
    Scrim {
        rect: Rect,
        edge: Edge,
        paint: Paint,
    },
    /// A soft shadow that fades from `spread` inside the outline to `spread` outside.
    Glow {
        rect: Rect,
        radius: f32,
        spread: f32,
        paint: Paint,
    },
    Mask {
        mask: Mask,
        paint: Paint,
    },
    Image(Bitmap),
}

/// How much of each pixel is covered, from 0 to 255.
#[derive(Clone, Debug, Default)]
pub(super) struct Mask {
    pub x: i32,
    pub y: i32,
    pub width: usize,
    pub height: usize,
    pub coverage: Vec<u8>,
}

/// Pixels in premultiplied RGBA.
#[derive(Clone, Debug)]
pub(super) struct Bitmap {
    pub x: i32,
    pub y: i32,
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 4]>,
}

/// A row of a frame, and the columns of it that a shape may change.
struct Row<'a> {
    y: i32,
    /// The first column.
    from: i32,
    pixels: &'a mut [Pixel],
}

impl Shape {
    pub fn fill(rect: Rect, radius: f32, paint: Paint) -> Shape {
        Shape::Fill {
            rect,
            radius,
            paint,
        }
    }

    /// The pixels that the shape may change: left, top, right and bottom. The last two are not
    /// among them.
    pub fn extent(&self) -> [i32; 4] {
        match self {
            Shape::Fill { rect, .. } | Shape::Ring { rect, .. } | Shape::Scrim { rect, .. } => {
                rect_extent(*rect)
            }
            Shape::Glow { rect, spread, .. } => rect_extent(rect.grown(*spread, *spread)),
            Shape::Mask { mask, .. } => grid_extent(mask.x, mask.y, mask.width, mask.height),
            Shape::Image(bitmap) => grid_extent(bitmap.x, bitmap.y, bitmap.width, bitmap.height),
        }
    }

    /// Paints row `y` of the frame over `row`, which begins at the frame's left edge.
    pub fn paint(&self, y: i32, row: &mut [Pixel]) {
        let [left, top, right, bottom] = self.extent();
        if y < top || y >= bottom {
            return;
        }
        let (from, to) = (left.max(0), right.min(row.len() as i32));
        if from >= to {
            return;
        }
        let row = Row {
            y,
            from,
            pixels: &mut row[from as usize..to as usize],
        };
        match self {
            Shape::Fill {
                rect,
                radius,
                paint,
            } => row.fill(*rect, *radius, premultiplied(*paint)),
            Shape::Ring {
                rect,
                thickness,
                paint,
            } => row.ring(*rect, *thickness, premultiplied(*paint)),
            Shape::Scrim { rect, edge, paint } => row.scrim(*rect, *edge, premultiplied(*paint)),
            Shape::Glow {
                rect,
                radius,
                spread,
                paint,
            } => row.glow(*rect, *radius, *spread, premultiplied(*paint)),
            Shape::Mask { mask, paint } => {
                let start = (y - top) as usize * mask.width + (from - left) as usize;
                row.mask(&mask.coverage[start..], premultiplied(*paint));
            }
            Shape::Image(bitmap) => {
                let start = (y - top) as usize * bitmap.width + (from - left) as usize;
                row.image(&bitmap.pixels[start..]);
            }
        }
    }
}

impl Row<'_> {
    /// The middle of the row, where it is sampled.
    fn middle(&self) -> f32 {
        self.y as f32 + 0.5
    }

    /// The columns, the middles of their pixels, and the pixels.
    fn samples(&mut self) -> impl Iterator<Item = (i32, f32, &mut Pixel)> {
        let columns = (self.from..).zip(self.pixels.iter_mut());
        columns.map(|(x, pixel)| (x, x as f32 + 0.5, pixel))
    }

    fn fill(mut self, rect: Rect, radius: f32, colour: Pixel) {
        let y = self.middle();
        // Between the corners, and a pixel or more from the edges, all is covered.
        let margin = radius.max(1.0);
        let core = y >= rect.y + margin && y <= rect.bottom() - margin;
        let (first, last) = (rect.x + 1.0, rect.right() - 1.0);
        for (_, x, pixel) in self.samples() {
            let share = if core && x >= first && x <= last {
                1.0
            } else {
                coverage(rect.distance(radius, x, y))
            };
            over(pixel, colour, share);
        }
    }

    fn ring(mut self, rect: Rect, thickness: f32, colour: Pixel) {
        let y = self.middle();
        let hole = rect.grown(-thickness, -thickness);
        let core = y >= hole.y + 1.0 && y <= hole.bottom() - 1.0;
        for (_, x, pixel) in self.samples() {
            if core && x >= hole.x + 1.0 && x <= hole.right() - 1.0 {
                continue;
            }
            let outer = coverage(rect.distance(0.0, x, y));
            let inner = coverage(hole.distance(0.0, x, y));
            over(pixel, colour, outer - inner);
        }
    }

    fn scrim(self, rect: Rect, edge: Edge, colour: Pixel) {
        let from_top = (self.middle() - rect.y) / rect.height;
        let from_bottom = (rect.bottom() - self.middle()) / rect.height;
        match edge {
            Edge::Top => self.even(colour, scrim(from_top)),
            Edge::Bottom => self.even(colour, scrim(from_bottom)),
            Edge::Left => self.gradient(colour, |x| scrim((x - rect.x) / rect.width)),
            Edge::Right => self.gradient(colour, |x| scrim((rect.right() - x) / rect.width)),
        }
    }

    fn glow(self, rect: Rect, radius: f32, spread: f32, colour: Pixel) {
        let y = self.middle();
        self.gradient(colour, |x| {
            let distance = rect.distance(radius, x, y);
            1.0 - smooth((distance + spread) / (2.0 * spread))
        });
    }

    /// One row of a vertical gradient.
    fn even(self, colour: Pixel, share: f32) {
        self.gradient(colour, |_| share);
    }

    /// Paints the share of the colour that each `x` has.
    fn gradient(mut self, colour: Pixel, share: impl Fn(f32) -> f32) {
        let row = self.y;
        for (column, x, pixel) in self.samples() {
            over_dithered(pixel, colour, share(x), column, row);
        }
    }

    fn mask(self, mask: &[u8], colour: Pixel) {
        for (pixel, &covered) in self.pixels.iter_mut().zip(mask) {
            if covered > 0 {
                over(pixel, colour, f32::from(covered) / 255.0);
            }
        }
    }

    fn image(self, image: &[[u8; 4]]) {
        for (pixel, source) in self.pixels.iter_mut().zip(image) {
            over(pixel, source.map(|c| f32::from(c) / 255.0), 1.0);
        }
    }
}

fn rect_extent(rect: Rect) -> [i32; 4] {
    let bounds = [
        rect.x.floor(),
        rect.y.floor(),
        rect.right().ceil(),
        rect.bottom().ceil(),
    ];
    bounds.map(|v| v as i32)
}

fn grid_extent(x: i32, y: i32, width: usize, height: usize) -> [i32; 4] {
    let right = x.saturating_add(width as i32);
    let bottom = y.saturating_add(height as i32);
    [x, y, right, bottom]
}

/// How dark a scrim is, from its edge at 0 to its end at 1: even under the text, then fading.
fn scrim(t: f32) -> f32 {
    const EVEN: f32 = 0.42;
    1.0 - smooth((t - EVEN) / (1.0 - EVEN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::overlay::Colour;

    #[test]
    fn edges_cover_pixels_by_their_share() {
        let rect = Rect {
            x: 1.25,
            y: 0.0,
            width: 2.5,
            height: 4.0,
        };
        let paint = Paint {
            colour: Colour([255; 3]),
            opacity: 1.0,
        };
        let mut row = [[0.0; 4]; 5];
        let fill = Shape::Fill {
            rect,
            radius: 0.0,
            paint,
        };
        fill.paint(2, &mut row);
        assert_eq!(row.map(|pixel| pixel[3]), [0.0, 0.75, 1.0, 0.75, 0.0]);
    }

    #[test]
    fn shapes_beyond_the_frame_are_cut() {
        let rect = Rect {
            x: -1e9,
            y: -1e9,
            width: 2e9,
            height: 2e9,
        };
        let paint = Paint {
            colour: Colour([0; 3]),
            opacity: 0.5,
        };
        let mut row = [[0.0; 4]; 3];
        let fill = Shape::Fill {
            rect,
            radius: 0.0,
            paint,
        };
        fill.paint(0, &mut row);
        assert_eq!(row[1][3], 0.5);
        fill.paint(0, &mut []);
    }

    #[test]
    fn scrims_fall_without_a_step() {
        let levels: Vec<f32> = (0..=1000).map(|i| scrim(i as f32 / 1000.0)).collect();
        assert_eq!((levels[0], levels[1000]), (1.0, 0.0));
        assert!(
            levels
                .windows(2)
                .all(|pair| (-1e-5..0.004).contains(&(pair[0] - pair[1])))
        );
    }
}
