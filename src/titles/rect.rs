//! Rectangles in pixels of the frame.

/// Pixel `i` reaches from `i` to `i + 1`.
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

    /// Larger by `x` on the left and right, and by `y` above and below.
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

    /// A box in this area. `fractions` are the shares of the free space that lie left of it and
    /// above it.
    pub fn anchored(self, fractions: (f64, f64), width: f32, height: f32) -> Rect {
        Rect {
            x: self.x + (self.width - width) * fractions.0 as f32,
            y: self.y + (self.height - height) * fractions.1 as f32,
            width,
            height,
        }
    }

    /// The distance of a point from the outline, whose corners have a radius; negative inside.
    pub fn distance(self, radius: f32, x: f32, y: f32) -> f32 {
        let radius = radius.min(self.width / 2.0).min(self.height / 2.0);
        let dx = (x - self.x - self.width / 2.0).abs() - self.width / 2.0 + radius;
        let dy = (y - self.y - self.height / 2.0).abs() - self.height / 2.0 + radius;
        dx.max(dy).min(0.0) + dx.max(0.0).hypot(dy.max(0.0)) - radius
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_divide_the_free_space() {
        let area = Rect {
            x: 10.0,
            y: 20.0,
            width: 100.0,
            height: 200.0,
        };
        let at = |fractions| {
            let rect = area.anchored(fractions, 40.0, 50.0);
            (rect.x, rect.y)
        };
        assert_eq!(
            [at((0.0, 0.0)), at((0.5, 0.5)), at((1.0, 1.0))],
            [(10.0, 20.0), (40.0, 95.0), (70.0, 170.0)]
        );
    }

    #[test]
    fn distances_are_negative_inside() {
        let rect = Rect {
            x: 0.0,
            y: 0.0,
            width: 20.0,
            height: 10.0,
        };
        assert_eq!(rect.distance(0.0, 10.0, 4.0), -4.0);
        assert_eq!(rect.distance(0.0, 23.0, 14.0), 5.0);
        // The corner's circle is around (5, 5).
        assert_eq!(rect.distance(5.0, 1.0, 2.0), 0.0);
    }
}
