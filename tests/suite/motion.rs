//! Every motion shows the photo undistorted in each frame, and moves evenly: a grid of discs is found again.

use image::{Rgb, RgbImage};

use crate::support::frames::{self, Frame};
use crate::support::picture::png;
use crate::support::render::render;
use crate::support::scratch::Scratch;
use crate::support::target::{centroid_within, level};

/// Of the grid and of its discs, in pixels of the photo.
const SPACING: f64 = 170.0;
const RADIUS: f64 = 45.0;
const SOFTNESS: f64 = 3.0;

/// How far discs may be from their places in a frame, in pixels: in the mean, and one of some sixty, of which the
/// encoder moves one now and then.
const TOLERANCE: f64 = 0.08;
const MOST: f64 = 0.2;
/// How much the acceleration may change from frame to frame, in pixels.
const UNEVEN: f64 = 0.5;

/// Discs on a grid over all of a photo.
fn grid() -> RgbImage {
    RgbImage::from_fn(2400, 1600, |x, y| {
        let off = |at: u32| {
            let at = (f64::from(at) + 0.5) / SPACING - 0.5;
            (at - at.round()) * SPACING
        };
        let far = off(x).hypot(off(y));
        Rgb([level(far - RADIUS, SOFTNESS); 3])
    })
}

/// The centres of the discs that are whole in a frame, in its pixels.
fn discs(frame: &Frame) -> Vec<(f64, f64)> {
    let mut is_seen = vec![false; frame.width * frame.height];
    let is_bright = |x: usize, y: usize| frame.y(x, y) > 110.0;
    let mut discs = Vec::new();
    for start in 0..is_seen.len() {
        let (x, y) = (start % frame.width, start / frame.width);
        if is_seen[start] || !is_bright(x, y) {
            continue;
        }
        let (mut left, mut right, mut top, mut bottom) = (x, x, y, y);
        let mut waiting = vec![(x, y)];
        is_seen[start] = true;
        while let Some((x, y)) = waiting.pop() {
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
            let columns = x.saturating_sub(1)..(x + 2).min(frame.width);
            for (x, y) in columns.flat_map(|x| {
                let rows = y.saturating_sub(1)..(y + 2).min(frame.height);
                rows.map(move |y| (x, y))
            }) {
                if !is_seen[y * frame.width + x] && is_bright(x, y) {
                    is_seen[y * frame.width + x] = true;
                    waiting.push((x, y));
                }
            }
        }
        let margin = 12;
        if left > margin
            && top > margin
            && right + margin < frame.width
            && bottom + margin < frame.height
        {
            let columns = left - margin..right + margin + 1;
            discs.push(centroid_within(
                frame,
                columns,
                top - margin..bottom + margin + 1,
            ));
        }
    }
    discs
}

/// Where the middle of a frame is on the grid, and its scale in pixels: those that fit all discs best.
struct Place {
    x: f64,
    y: f64,
    scale: f64,
    /// Distances of the discs from where they put them, in pixels.
    errors: Vec<f64>,
}

impl Place {
    fn mean_error(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.errors.len() as f64
    }

    fn largest_error(&self) -> f64 {
        self.errors.iter().copied().fold(0.0, f64::max)
    }
}

impl Place {
    fn of(frame: &Frame) -> Self {
        let found = discs(frame);
        assert!(found.len() >= 9, "{} discs", found.len());
        let origin = found[0];
        let away = |disc: &(f64, f64)| (disc.0 - origin.0).hypot(disc.1 - origin.1);
        let roughly = found[1..].iter().map(away).fold(f64::INFINITY, f64::min);
        let at = |disc: &(f64, f64)| {
            let steps = ((disc.0 - origin.0) / roughly, (disc.1 - origin.1) / roughly);
            (steps.0.round(), steps.1.round())
        };
        let count = found.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| found.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(&|disc| disc.0), mean(&|disc| disc.1));
        let (i, j) = (mean(&|disc| at(disc).0), mean(&|disc| at(disc).1));
        let product = |disc: &(f64, f64)| {
            let (a, b) = at(disc);
            (disc.0 - x) * (a - i) + (disc.1 - y) * (b - j)
        };
        let square = |disc: &(f64, f64)| {
            let (a, b) = at(disc);
            (a - i).powi(2) + (b - j).powi(2)
        };
        let scale = mean(&product) / mean(&square);
        let error = |disc: &(f64, f64)| {
            let (a, b) = at(disc);
            let expected = (x + (a - i) * scale, y + (b - j) * scale);
            (disc.0 - expected.0).hypot(disc.1 - expected.1)
        };
        Self {
            x: (frame.width as f64 / 2.0 - x) / scale + i,
            y: (frame.height as f64 / 2.0 - y) / scale + j,
            scale,
            errors: found.iter().map(error).collect(),
        }
    }

    /// On the grid, which repeats itself: near another.
    fn near(mut self, before: &Self) -> Self {
        self.x += (before.x - self.x).round();
        self.y += (before.y - self.y).round();
        self
    }
}

/// Renders three seconds and looks at every frame.
fn moves_exactly(flags: &[&str]) {
    let home = Scratch::new();
    let flags = [&["--length", "3"], flags].concat();
    let video = render(&home, &png(&grid()), &flags);
    let mut places: Vec<Place> = Vec::new();
    frames::each(&video, |k, frame| {
        let place = Place::of(&frame);
        let (mean, largest) = (place.mean_error(), place.largest_error());
        println!("{flags:?}, frame {k}: {mean:.3} px, at most {largest:.3}");
        assert!(mean < TOLERANCE && largest < MOST, "frame {k}");
        let place = match places.last() {
            Some(before) => place.near(before),
            None => place,
        };
        places.push(place);
    });
    assert_eq!(places.len(), 45);
    for (k, four) in places.windows(4).enumerate() {
        let change = |of: fn(&Place) -> f64| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| of(&four[i]));
            (d - 3.0 * c + 3.0 * b - a).abs()
        };
        let scale = four[0].scale;
        // Half the frame is some three discs high.
        let changes = [
            change(|place| place.x) * scale,
            change(|place| place.y) * scale,
            change(|place| place.scale) * 4.0,
        ];
        assert!(
            changes.iter().all(|change| *change < UNEVEN),
            "after frame {k}: {changes:?} px"
        );
    }
}

#[test]
fn pans_are_exact() {
    for motion in ["pan-left", "pan-down"] {
        moves_exactly(&["--aspect-ratio", "1:1", "--motion", motion]);
    }
    for motion in ["pan-right", "pan-up"] {
        moves_exactly(&["--aspect-ratio", "9:16", "--motion", motion]);
    }
}

#[test]
fn zooms_are_exact() {
    moves_exactly(&["--aspect-ratio", "16:9", "--motion", "zoom-in"]);
    moves_exactly(&["--aspect-ratio", "4:5", "--motion", "zoom-out"]);
    moves_exactly(&["--aspect-ratio", "9:16", "--motion", "still"]);
}

#[test]
fn views_are_exact() {
    let motion = "0.02,0.1,0.6:0.3,0.25,0.45";
    moves_exactly(&["--aspect-ratio", "16:9", "--motion", motion]);
    let motion = "0.5,0.3,0.35:0.1,0.05,0.45";
    moves_exactly(&["--aspect-ratio", "9:16", "--motion", motion]);
}
