//! The point of a photo that stands out from its surroundings, by colour and by detail.

use super::reduced::Reduced;
use crate::spec::Point;

/// Weights of lightness, red against green, and yellow against blue, in the contrast of colours.
const CHANNELS: [f32; 3] = [0.5, 1.0, 1.0];

/// Shares of colour and detail in the map.
const COLOUR: f32 = 0.6;
const DETAIL: f32 = 0.4;

/// A place counts less the farther it is from the centre: by this factor of the squared distance, in widths and
/// heights, and never less than a tenth.
const TOWARDS_CENTRE: f32 = 1.6;

/// How many times the mean of the map the most salient window has to hold: below the first it is no better than the
/// centre, from the second it is the subject.
const UNSURE: f32 = 1.6;
const SURE: f32 = 2.2;

/// The point, or the centre of a photo in which nothing stands out.
pub fn find(picture: &Reduced) -> Point {
    let map = map(picture);
    // The window that holds most, and the centre of mass in it.
    let radius = map.width.min(map.height) / 5;
    let windows = map.blurred(radius).blurred(radius / 2);
    let best = windows.largest();
    let (x, y) = map.centre_of_mass(best, radius);
    let mean = map.mean();
    let contrast = if mean > 0.0 {
        windows.samples[best] / mean
    } else {
        0.0
    };
    let trust = ((contrast - UNSURE) / (SURE - UNSURE)).clamp(0.0, 1.0);
    let between = |x: f32| f64::from(0.5 + (x - 0.5) * trust);
    Point {
        x: between(x),
        y: between(y),
    }
}

/// How much each pixel stands out, from 0 to about 1.
fn map(picture: &Reduced) -> Field {
    let channels = [
        Field::of(picture, |[r, g, b]| (r + 2.0 * g + b) / 4.0),
        Field::of(picture, |[r, g, _]| r - g),
        Field::of(picture, |[r, g, b]| (r + g) / 2.0 - b),
    ];
    let colour = colour_contrast(&channels);
    let detail = detail_contrast(&channels[0]);
    let mixed = |x: usize, y: usize| {
        let i = y * picture.width + x;
        let part = |at: usize, side: usize| at as f32 / side as f32 - 0.5;
        let (right, down) = (part(x, picture.width), part(y, picture.height));
        let weight = 1.0 - TOWARDS_CENTRE * (right * right + down * down);
        (COLOUR * colour.samples[i] + DETAIL * detail.samples[i]) * weight.max(0.1)
    };
    Field::from_fn(picture.width, picture.height, mixed).blurred(3)
}

/// The distance of each colour from the mean of the largest rectangle around it (Achanta, Süsstrunk: "Saliency
/// detection using maximum symmetric surround", 2010): what continues to an edge of the photo is background.
fn colour_contrast(channels: &[Field; 3]) -> Field {
    let smooth = channels.each_ref().map(|channel| channel.blurred(2));
    let sums = channels.each_ref().map(Sums::new);
    let Field { width, height, .. } = channels[0];
    let contrast = |x: usize, y: usize| {
        let (across, down) = (x.min(width - 1 - x), y.min(height - 1 - y));
        let surround = [x - across..x + across + 1, y - down..y + down + 1];
        let distance = |c: usize| {
            let off = smooth[c].samples[y * width + x] - sums[c].mean(&surround);
            CHANNELS[c] * off * off
        };
        (0..3).map(distance).sum::<f32>().sqrt()
    };
    Field::from_fn(width, height, contrast).scaled_to_one()
}

/// The detail of each place beyond the detail around it: a leaf among leaves is no subject.
fn detail_contrast(light: &Field) -> Field {
    let Field { width, height, .. } = *light;
    let at = |x: usize, y: usize| light.samples[y * width + x];
    let slope = |x: usize, y: usize| {
        if x == 0 || y == 0 || x + 1 >= width || y + 1 >= height {
            return 0.0;
        }
        let (right, down) = (at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1));
        (right * right + down * down).sqrt()
    };
    let slopes = Field::from_fn(width, height, slope);
    let (near, around) = (slopes.blurred(4), slopes.blurred(width.max(height) / 4));
    let beyond = |x: usize, y: usize| {
        let i = y * width + x;
        (near.samples[i] - 0.7 * around.samples[i]).max(0.0)
    };
    Field::from_fn(width, height, beyond).scaled_to_one()
}

/// A number for each pixel.
struct Field {
    width: usize,
    height: usize,
    samples: Vec<f32>,
}

impl Field {
    fn from_fn(width: usize, height: usize, sample: impl Fn(usize, usize) -> f32) -> Self {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            samples: places.map(|(x, y)| sample(x, y)).collect(),
        }
    }

    fn of(picture: &Reduced, sample: impl Fn([f32; 3]) -> f32) -> Self {
        let pixels = picture.pixels.iter();
        Self {
            width: picture.width,
            height: picture.height,
            samples: pixels.map(|pixel| sample(pixel.map(f32::from))).collect(),
        }
    }

    /// The mean of the pixels up to `radius` away along either axis.
    fn blurred(&self, radius: usize) -> Self {
        let sums = Sums::new(self);
        let range = |at: usize, side: usize| at.saturating_sub(radius)..(at + radius + 1).min(side);
        Self::from_fn(self.width, self.height, |x, y| {
            sums.mean(&[range(x, self.width), range(y, self.height)])
        })
    }

    /// Relative to the 99th percentile, so that one bright spot does not hide the rest; at most 1.
    fn scaled_to_one(mut self) -> Self {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let top = sorted[sorted.len() * 99 / 100];
        if top > 0.0 {
            self.samples
                .iter_mut()
                .for_each(|sample| *sample = (*sample / top).min(1.0));
        }
        self
    }

    fn mean(&self) -> f32 {
        self.samples.iter().sum::<f32>() / self.samples.len() as f32
    }

    /// The index of the first of the largest.
    fn largest(&self) -> usize {
        let larger = |best: usize, i: usize| match self.samples[i] > self.samples[best] {
            true => i,
            false => best,
        };
        (0..self.samples.len()).fold(0, larger)
    }

    /// Of the squared samples up to `radius` from sample `i`, in fractions of width and height.
    fn centre_of_mass(&self, i: usize, radius: usize) -> (f32, f32) {
        let (column, row) = (i % self.width, i / self.width);
        let (mut across, mut down, mut mass) = (0.0, 0.0, 0.0);
        for y in row.saturating_sub(radius)..(row + radius + 1).min(self.height) {
            for x in column.saturating_sub(radius)..(column + radius + 1).min(self.width) {
                let weight = self.samples[y * self.width + x].powi(2);
                across += weight * (x as f32 + 0.5);
                down += weight * (y as f32 + 0.5);
                mass += weight;
            }
        }
        if mass == 0.0 {
            return (0.5, 0.5);
        }
        (
            across / mass / self.width as f32,
            down / mass / self.height as f32,
        )
    }
}

/// Of all rectangles from the first sample on: a row and a column more than the field.
struct Sums {
    width: usize,
    sums: Vec<f64>,
}

impl Sums {
    fn new(field: &Field) -> Self {
        let width = field.width + 1;
        let mut sums = vec![0.0; width * (field.height + 1)];
        for (y, row) in field.samples.chunks_exact(field.width).enumerate() {
            let mut of_row = 0.0;
            for (x, &sample) in row.iter().enumerate() {
                of_row += f64::from(sample);
                sums[(y + 1) * width + x + 1] = sums[y * width + x + 1] + of_row;
            }
        }
        Self { width, sums }
    }

    /// The mean of a rectangle: its columns, and its rows.
    fn mean(&self, [columns, rows]: &[std::ops::Range<usize>; 2]) -> f32 {
        let sum = |x: usize, y: usize| self.sums[y * self.width + x];
        let inside = sum(columns.end, rows.end)
            - sum(columns.start, rows.end)
            - sum(columns.end, rows.start)
            + sum(columns.start, rows.start);
        (inside / (columns.len() * rows.len()) as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disc on a plain background.
    fn disc(x: f32, y: f32) -> Reduced {
        let (width, height) = (160, 100);
        let inside = |i: usize| {
            let off = (i % width) as f32 - x * width as f32;
            off.hypot((i / width) as f32 - y * height as f32) < 12.0
        };
        let colour = |i| {
            if inside(i) {
                [220, 60, 40]
            } else {
                [120, 140, 130]
            }
        };
        Reduced {
            width,
            height,
            pixels: (0..width * height).map(colour).collect(),
        }
    }

    #[test]
    fn what_stands_out_is_found() {
        for (x, y) in [(0.2, 0.3), (0.5, 0.5), (0.8, 0.7), (0.7, 0.25)] {
            let point = find(&disc(x, y));
            let off = (point.x - f64::from(x)).hypot(point.y - f64::from(y));
            assert!(off < 0.05, "{point:?}, not ({x}, {y})");
        }
    }

    #[test]
    fn where_nothing_stands_out_the_centre_is_the_point() {
        for (width, height) in [(1, 1), (160, 1), (2, 90), (160, 120)] {
            let plain = Reduced {
                width,
                height,
                pixels: vec![[80, 120, 160]; width * height],
            };
            assert_eq!(find(&plain), Point { x: 0.5, y: 0.5 });
        }
    }
}
