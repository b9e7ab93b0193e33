//! What can be painted, a row at a time, in premultiplied sRGB.

use crate::spec::overlay::{Edge, Paint};

/// Red, green and blue times alpha, and alpha, each from 0 to 1.
pub(super) type Pixel = [f32; 4];

/// A rectangle in pixels of the frame; pixel `i` spans from `i` to `i + 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rect {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Rect {
    pub fn right(self) -> f32 {
        self.x + self.width
    }

    pub fn bottom(self) -> f32 {
        self.y + self.height
    }

    /// Larger by so much on each side.
    pub fn grown(self, x: f32, y: f32) -> Rect {
        Rect {
            x: self.x - x,
            y: self.y - y,
            width: (self.width + 2.0 * x).max(0.0),
            height: (self.height + 2.0 * y).max(0.0),
        }
    }

    /// On the grid of the chroma samples, where edges are sharp in every plane.
    pub fn snapped(self) -> Rect {
        let even = |v: f32| (v / 2.0).round() * 2.0;
        let (x, y) = (even(self.x), even(self.y));
        Rect {
            x,
            y,
            width: (even(self.right()) - x).max(2.0),
            height: (even(self.bottom()) - y).max(2.0),
        }
    }

    /// From the nearest point of the rectangle with corners of a radius; negative inside.
    fn distance(self, radius: f32, x: f32, y: f32) -> f32 {
        let radius = radius.min(self.width / 2.0).min(self.height / 2.0);
        let dx = (x - self.x - self.width / 2.0).abs() - self.width / 2.0 + radius;
        let dy = (y - self.y - self.height / 2.0).abs() - self.height / 2.0 + radius;
        dx.max(dy).min(0.0) + dx.max(0.0).hypot(dy.max(0.0)) - radius
    }
}

/// Something to be painted.
pub(super) enum Shape {
    Fill {
        rect: Rect,
        radius: f32,
        paint: Paint,
    },
    /// Between `rect` and `rect` less `thickness` on each side.
    Ring {
        rect: Rect,
        thickness: f32,
        paint: Paint,
    },
    /// Opaque by the edge of `rect`, fading over it to nothing at the opposite edge.
    Scrim {
        rect: Rect,
        edge: Edge,
        paint: Paint,
    },
    /// A soft shadow, `spread` wide to either side of the outline.
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

/// Premultiplied RGBA.
#[derive(Clone, Debug)]
pub(super) struct Bitmap {
    pub x: i32,
    pub y: i32,
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 4]>,
}

impl Shape {
    /// The pixels that may be touched: x and y, from and to.
    pub fn extent(&self) -> [i32; 4] {
        let of = |rect: Rect| {
            let Rect { x, y, .. } = rect;
            let bounds = [
                x.floor(),
                y.floor(),
                rect.right().ceil(),
                rect.bottom().ceil(),
            ];
            bounds.map(|v| v as i32)
        };
        let grid = |x: i32, y: i32, width: usize, height: usize| {
            [
                x,
                y,
                x.saturating_add(width as i32),
                y.saturating_add(height as i32),
            ]
        };
        match self {
            Shape::Fill { rect, .. } | Shape::Ring { rect, .. } | Shape::Scrim { rect, .. } => {
                of(*rect)
            }
            Shape::Glow { rect, spread, .. } => of(rect.grown(*spread, *spread)),
            Shape::Mask { mask, .. } => grid(mask.x, mask.y, mask.width, mask.height),
            Shape::Image(bitmap) => grid(bitmap.x, bitmap.y, bitmap.width, bitmap.height),
        }
    }

    /// Paints row `y` over `row`, whose pixels begin at the frame's left edge.
    pub fn paint(&self, y: i32, row: &mut [Pixel]) {
        let [left, top, right, bottom] = self.extent();
        if y < top || y >= bottom {
            return;
        }
        let (from, to) = (left.max(0), right.min(row.len() as i32));
        if from >= to {
            return;
        }
        let pixels = (from..).zip(&mut row[from as usize..to as usize]);
        // Samples are taken at the middle of the pixel.
        let (mid, cy) = (|x: i32| x as f32 + 0.5, y as f32 + 0.5);
        match self {
            Shape::Fill {
                rect,
                radius,
                paint,
            } => {
                let colour = premultiplied(*paint);
                // Away from edges and corners there is nothing to work out.
                let margin = radius.max(1.0);
                let core = cy >= rect.y + margin && cy <= rect.bottom() - margin;
                let (first, last) = (rect.x + 1.0, rect.right() - 1.0);
                for (x, pixel) in pixels {
                    let x = mid(x);
                    let share = if core && x >= first && x <= last {
                        1.0
                    } else {
                        inside(rect.distance(*radius, x, cy))
                    };
                    over(pixel, colour, share);
                }
            }
            Shape::Ring {
                rect,
                thickness,
                paint,
            } => {
                let colour = premultiplied(*paint);
                let hole = rect.grown(-thickness, -thickness);
                let core = cy >= hole.y + 1.0 && cy <= hole.bottom() - 1.0;
                for (x, pixel) in pixels {
                    if core && mid(x) >= hole.x + 1.0 && mid(x) <= hole.right() - 1.0 {
                        continue;
                    }
                    let outer = inside(rect.distance(0.0, mid(x), cy));
                    let inner = inside(hole.distance(0.0, mid(x), cy));
                    over(pixel, colour, outer - inner);
                }
            }
            Shape::Scrim { rect, edge, paint } => {
                let colour = premultiplied(*paint);
                let along = |x: f32| scrim((x - rect.x) / rect.width);
                let row = match edge {
                    Edge::Top => Some(cy - rect.y),
                    Edge::Bottom => Some(rect.bottom() - cy),
                    Edge::Left | Edge::Right => None,
                };
                let row = row.map(|distance| scrim(distance / rect.height));
                for (x, pixel) in pixels {
                    let share = row.unwrap_or_else(|| match edge {
                        Edge::Right => along(rect.x + rect.right() - mid(x)),
                        _ => along(mid(x)),
                    });
                    over_dithered(pixel, colour, share, x, y);
                }
            }
            Shape::Glow {
                rect,
                radius,
                spread,
                paint,
            } => {
                let colour = premultiplied(*paint);
                for (x, pixel) in pixels {
                    let distance = rect.distance(*radius, mid(x), cy);
                    let share = 1.0 - smooth((distance + spread) / (2.0 * spread));
                    over_dithered(pixel, colour, share, x, y);
                }
            }
            Shape::Mask { mask, paint } => {
                let colour = premultiplied(*paint);
                let start = (y - top) as usize * mask.width + (from - left) as usize;
                for ((_, pixel), &coverage) in pixels.zip(&mask.coverage[start..]) {
                    if coverage > 0 {
                        over(pixel, colour, f32::from(coverage) / 255.0);
                    }
                }
            }
            Shape::Image(bitmap) => {
                let start = (y - top) as usize * bitmap.width + (from - left) as usize;
                for ((_, pixel), source) in pixels.zip(&bitmap.pixels[start..]) {
                    over(pixel, source.map(|c| f32::from(c) / 255.0), 1.0);
                }
            }
        }
    }
}

fn premultiplied(paint: Paint) -> Pixel {
    let [r, g, b] = paint.colour.0.map(|c| f32::from(c) / 255.0);
    let a = paint.opacity.clamp(0.0, 1.0) as f32;
    [r * a, g * a, b * a, a]
}

fn over(pixel: &mut Pixel, colour: Pixel, share: f32) {
    let left = 1.0 - colour[3] * share;
    for (out, c) in pixel.iter_mut().zip(colour) {
        *out = *out * left + c * share;
    }
}

/// Like `over`, for gradients: less than a level of noise keeps their steps from showing.
fn over_dithered(pixel: &mut Pixel, colour: Pixel, share: f32, x: i32, y: i32) {
    if share <= 0.0 || colour[3] <= 0.0 {
        return;
    }
    // Interleaved gradient noise (Jimenez, SIGGRAPH 2014).
    let noise = (52.982_918 * (0.067_110_56 * x as f32 + 0.005_837_15 * y as f32).fract()).fract();
    let noise = (noise - 0.5) / 255.0 / colour[3];
    over(pixel, colour, (share + noise).clamp(0.0, 1.0));
}

/// The share of a pixel that lies inside an outline at this distance.
fn inside(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// 0 to 1 with no edge in its slope nor its curvature (Perlin's improved smoothstep).
fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

/// How dark a scrim is, from its edge at 0 to its end at 1: whole under the text, then eased out.
fn scrim(t: f32) -> f32 {
    const WHOLE: f32 = 0.42;
    1.0 - smooth((t - WHOLE) / (1.0 - WHOLE))
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
