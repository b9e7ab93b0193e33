//! Shapes → RGB rows → a layer in Y, Cb and Cr of BT.709, limited range (ITU-R BT.709-6).

use super::layer::Layer;
use super::shape::{Pixel, Shape};
use crate::picture::colour;
use crate::spec::Size;

const KR: f32 = colour::KR as f32;
const KG: f32 = colour::KG as f32;
const KB: f32 = colour::KB as f32;

/// Paints the shapes, in their order, two rows at a time: what a row of chroma is made from.
pub(super) fn layer(shapes: &[Shape], frame: Size) -> Layer {
    let mut layer = Layer::default();
    let (width, height) = (frame.width as usize, frame.height as usize);
    let extents: Vec<[i32; 4]> = shapes.iter().map(Shape::extent).collect();
    let bound = |least: fn(i32, i32) -> i32, i: usize, start: i32| {
        extents.iter().map(|extent| extent[i]).fold(start, least)
    };
    // On even columns and rows, inside the frame.
    let left = (bound(i32::min, 0, i32::MAX).max(0) as usize & !1).min(width);
    let top = (bound(i32::min, 1, i32::MAX).max(0) as usize & !1).min(height);
    let right = (bound(i32::max, 2, 0).max(0) as usize)
        .next_multiple_of(2)
        .min(width);
    let bottom = (bound(i32::max, 3, 0).max(0) as usize)
        .next_multiple_of(2)
        .min(height);
    if left >= right || top >= bottom || !width.is_multiple_of(2) || !height.is_multiple_of(2) {
        return layer;
    }

    let mut rows = [vec![[0.0; 4]; width], vec![[0.0; 4]; width]];
    let mut line = Line::default();
    for y in (top..bottom).step_by(2) {
        for (row, y) in rows.iter_mut().zip(y..) {
            row[left..right].fill([0.0; 4]);
            for (shape, extent) in shapes.iter().zip(&extents) {
                if (extent[1]..extent[3]).contains(&(y as i32)) {
                    shape.paint(y as i32, row);
                }
            }
            line.luma(&row[left..right]);
            layer
                .luma
                .push_row(y * width + left, &line.alpha, [&line.colours[0]]);
        }
        let [upper, lower] = &rows;
        line.chroma(&upper[left..right], &lower[left..right]);
        let start = (y / 2) * (width / 2) + left / 2;
        layer
            .chroma
            .push_row(start, &line.alpha, [&line.colours[0], &line.colours[1]]);
    }
    layer.luma.shrink();
    layer.chroma.shrink();
    layer
}

/// A row of samples on its way into a layer.
#[derive(Default)]
struct Line {
    alpha: Vec<u8>,
    colours: [Vec<u16>; 2],
}

impl Line {
    fn clear(&mut self) {
        self.alpha.clear();
        self.colours.iter_mut().for_each(Vec::clear);
    }

    fn luma(&mut self, row: &[Pixel]) {
        self.clear();
        for &[r, g, b, a] in row {
            let alpha = to_level(a * 255.0);
            let level = 16.0 + 219.0 * (KR * r + KG * g + KB * b) / a.max(f32::MIN_POSITIVE);
            self.alpha.push(alpha);
            self.colours[0].push(weighted(level, alpha));
        }
    }

    /// H.264 sites chroma left, in line with the left luma sample of its two, and between the two
    /// rows (ITU-T H.264 figure E-1, type 0): a triangle over three columns, the mean of two rows.
    fn chroma(&mut self, upper: &[Pixel], lower: &[Pixel]) {
        self.clear();
        let pairs = upper
            .as_chunks::<2>()
            .0
            .iter()
            .zip(lower.as_chunks::<2>().0);
        let mut before: Option<Pixel> = None;
        for ([a, b], [c, d]) in pairs {
            let mean =
                |x: &Pixel, y: &Pixel| -> Pixel { std::array::from_fn(|i| (x[i] + y[i]) / 2.0) };
            let (here, next) = (mean(a, c), mean(b, d));
            let previous = before.unwrap_or(here);
            let [r, g, b, a]: Pixel =
                std::array::from_fn(|i| (previous[i] + 2.0 * here[i] + next[i]) / 4.0);
            before = Some(next);

            let alpha = to_level(a * 255.0);
            let y = KR * r + KG * g + KB * b;
            let scale = 112.0 / a.max(f32::MIN_POSITIVE);
            self.alpha.push(alpha);
            self.colours[0].push(weighted(128.0 + scale * (b - y) / (1.0 - KB), alpha));
            self.colours[1].push(weighted(128.0 + scale * (r - y) / (1.0 - KR), alpha));
        }
    }
}

fn to_level(v: f32) -> u8 {
    (v + 0.5) as u8
}

/// A level times its alpha. Where there is nothing, the level means nothing.
fn weighted(level: f32, alpha: u8) -> u16 {
    (level.clamp(0.0, 255.0) * f32::from(alpha) + 0.5) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::overlay::{Colour, Paint};
    use crate::titles::shape::Rect;

    const FRAME: Size = Size {
        width: 16,
        height: 8,
    };

    fn drawn(colour: [u8; 3], opacity: f64, base: [u8; 3]) -> [u8; 3] {
        let fill = Shape::Fill {
            rect: Rect {
                x: 0.0,
                y: 0.0,
                width: 16.0,
                height: 8.0,
            },
            radius: 0.0,
            paint: Paint {
                colour: Colour(colour),
                opacity,
            },
        };
        let mut frame = [vec![base[0]; 128], vec![base[1]; 32], vec![base[2]; 32]].concat();
        layer(&[fill], FRAME).blend(u16::MAX, FRAME, &mut frame);
        [frame[77], frame[128 + 13], frame[160 + 13]]
    }

    #[test]
    fn colours_are_bt_709() {
        assert_eq!(drawn([255; 3], 1.0, [50, 60, 70]), [235, 128, 128]);
        assert_eq!(drawn([0; 3], 1.0, [50, 60, 70]), [16, 128, 128]);
        assert_eq!(drawn([255, 0, 0], 1.0, [50, 60, 70]), [63, 102, 240]);
        assert_eq!(drawn([0, 0, 255], 1.0, [50, 60, 70]), [32, 240, 118]);
        assert_eq!(drawn([0; 3], 0.6, [235, 128, 128]), [104, 128, 128]);
    }

    #[test]
    fn neutral_photos_stay_neutral_under_gray_veils() {
        for percent in 0..=100 {
            let [_, cb, cr] = drawn([90; 3], f64::from(percent) / 100.0, [200, 128, 128]);
            assert_eq!((cb, cr), (128, 128));
        }
    }
}
