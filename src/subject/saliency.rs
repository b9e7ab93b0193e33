//! The point of a photo that stands out from its surroundings: by its colour, by how rare that is, and by how sharp it is.

use super::reduced::{Reduced, means};
use crate::picture::Plane;
use crate::spec::Point;

/// Weights of lightness, red against green, and yellow against blue, in the contrast of colours.
const CHANNELS: [f32; 3] = [0.5, 1.0, 1.0];

/// Shares of the three maps. They and the numbers below were chosen on 19 photos without faces, of which all have their
/// subject in the crop to 9:16 about the point that is found; so they have with powers from 2 to 3 and windows from a
/// fifth to a quarter.
const COLOUR: f32 = 0.4;
const RARITY: f32 = 0.2;
const SHARPNESS: f32 = 0.4;

/// A place counts less the farther it is from the centre: by this factor of the squared distance, in widths and
/// heights, and never less than a tenth.
const TOWARDS_CENTRE: f32 = 2.0;

/// Of the shorter side: the radius of the window in which the most is found. Samples count by their squares, so that a
/// small thing that stands out counts more than a wide surface that hardly does.
const WINDOW: usize = 5;

/// The point, or the centre of a photo in which nothing stands out. `fine` is the same picture, at several times the size.
pub fn find(picture: &Reduced, fine: &Reduced) -> Point {
    let map = map(picture, fine);
    // The window that holds most, and the centre of mass in it.
    let radius = map.width.min(map.height) / WINDOW;
    let squares = Field::from_fn(map.width, map.height, |x, y| {
        map.samples[y * map.width + x].powi(2)
    });
    let best = squares.blurred(radius).blurred(radius / 2).largest();
    let (x, y) = map.centre_of_mass(best, radius);
    Point {
        x: f64::from(x),
        y: f64::from(y),
    }
}

/// How much each pixel stands out, from 0 to about 1.
fn map(picture: &Reduced, fine: &Reduced) -> Field {
    let channels = [
        Field::of(picture, |[r, g, b]| (r + 2.0 * g + b) / 4.0),
        Field::of(picture, |[r, g, _]| r - g),
        Field::of(picture, |[r, g, b]| (r + g) / 2.0 - b),
    ];
    let colour = colour_contrast(&channels);
    let rarity = rarity(&channels);
    let sharpness = sharpness(fine, picture.width, picture.height);
    let (width, height) = (picture.width, picture.height);
    let mixed = Field::from_fn(width, height, |x, y| {
        let i = y * width + x;
        COLOUR * colour.samples[i] + RARITY * rarity.samples[i] + SHARPNESS * sharpness.samples[i]
    });
    let smooth = mixed.blurred(2);
    Field::from_fn(width, height, |x, y| {
        let part = |at: usize, side: usize| (at as f32 + 0.5) / side as f32 - 0.5;
        let (right, down) = (part(x, width), part(y, height));
        let weight = 1.0 - TOWARDS_CENTRE * (right * right + down * down);
        smooth.samples[y * width + x] * weight.max(0.1)
    })
}

/// How rare each colour is in the photo. Greys do not count: light makes them.
fn rarity(channels: &[Field; 3]) -> Field {
    /// Levels of a channel that are the same to it.
    const STEP: f32 = 28.0;
    const STEPS: usize = 20;
    /// Colours of more than an eighth of the photo are not rare, in nepers.
    const COMMON: f32 = 2.0;
    /// From this distance from grey, in levels, a colour counts in full.
    const COLOURFUL: f32 = 90.0;
    let smooth = channels.each_ref().map(|channel| channel.blurred(1));
    let bin = |i: usize| {
        let [light, red, yellow] = smooth.each_ref().map(|channel| channel.samples[i]);
        let step = |level: f32| (level / STEP).round() as usize;
        (step(light) * STEPS + step(red + 255.0)) * STEPS + step(yellow + 255.0)
    };
    let Field { width, height, .. } = channels[0];
    let mut counts = vec![0u32; STEPS * STEPS * STEPS];
    for i in 0..width * height {
        counts[bin(i)] += 1;
    }
    let rare = |x: usize, y: usize| {
        let i = y * width + x;
        let share = counts[bin(i)] as f32 / (width * height) as f32;
        let [red, yellow] = [1, 2].map(|channel: usize| smooth[channel].samples[i]);
        let from_grey = (red * red + yellow * yellow).sqrt();
        (-share.ln() - COMMON).max(0.0) * (from_grey / COLOURFUL).min(1.0)
    };
    Field::from_fn(width, height, rare)
        .blurred(1)
        .scaled_to_one()
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

/// How much sharper each place is than what is around it: a leaf among leaves is no subject, and what is out of focus is
/// none either.
fn sharpness(fine: &Reduced, width: usize, height: usize) -> Field {
    let edges = Field::from_means(&fine.edges(), width, height);
    let (near, around) = (edges.blurred(4), edges.blurred(width.max(height) / 4));
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
        let mut samples = Vec::with_capacity(width * height);
        for y in 0..height {
            samples.extend((0..width).map(|x| sample(x, y)));
        }
        Self {
            width,
            height,
            samples,
        }
    }

    /// Of `width` × `height` parts of a plane.
    fn from_means(plane: &Plane, width: usize, height: usize) -> Self {
        let means = means(plane, width, height);
        Self {
            width,
            height,
            samples: means.into_iter().map(f32::from).collect(),
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
        let Self { width, height, .. } = *self;
        let sums = Sums::new(self);
        let range = |at: usize, side: usize| at.saturating_sub(radius)..(at + radius + 1).min(side);
        let mut samples = Vec::with_capacity(width * height);
        for y in 0..height {
            let band = sums.of_rows(range(y, height));
            let rows = range(y, height).len();
            let at_edge = |x: usize| {
                let columns = range(x, width);
                (band[columns.end] - band[columns.start]) / (columns.len() * rows) as f64
            };
            // Away from the edges all windows are alike: the machine's vectors do several at once.
            let window = 2 * radius + 1;
            let factor = 1.0 / (window * rows) as f64;
            let left = radius.min(width);
            let inside = width.saturating_sub(2 * radius);
            let ends = band[..inside].iter().zip(band.iter().skip(window));
            samples.extend((0..left).map(|x| at_edge(x) as f32));
            samples.extend(ends.map(|(start, end)| ((end - start) * factor) as f32));
            samples.extend((left + inside..width).map(|x| at_edge(x) as f32));
        }
        Self {
            width,
            height,
            samples,
        }
    }

    /// Relative to the 99th percentile, so that one bright spot does not hide the rest; at most 1.
    fn scaled_to_one(mut self) -> Self {
        let mut samples = self.samples.clone();
        let rank = samples.len() * 99 / 100;
        let (_, &mut top, _) = samples.select_nth_unstable_by(rank, f32::total_cmp);
        if top > 0.0 {
            self.samples
                .iter_mut()
                .for_each(|sample| *sample = (*sample / top).min(1.0));
        }
        self
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

    /// The sums of these rows alone, of all columns before each.
    fn of_rows(&self, rows: std::ops::Range<usize>) -> Vec<f64> {
        let row = |y: usize| self.sums[y * self.width..][..self.width].iter();
        let pairs = row(rows.end).zip(row(rows.start));
        pairs.map(|(end, start)| end - start).collect()
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
            let point = find(&disc(x, y), &disc(x, y));
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
            assert_eq!(find(&plain, &plain), Point { x: 0.5, y: 0.5 });
        }
    }
}
