//! A synthetic target: soft-edged discs at known places, found again in a frame by their centroids.
//!
//! Discs and not mere spots: what the encoder throws away shifts the centroid of a soft spot by more than the renderer
//! does.

use std::ops::Range;

use image::{Rgb, RgbImage};

use super::frames::Frame;

/// Level of the photo around the discs.
const GROUND: f64 = 40.0;
/// By how much discs are lighter.
const PEAK: f64 = 170.0;
/// Radius of the discs and softness of their edges, in pixels of the first frame.
const RADIUS: f64 = 26.0;
const SOFTNESS: f64 = 1.5;
/// How far around a disc is looked, in radii.
const REACH: f64 = 1.5;

/// Marks from the centre, in parts of the frame's width and height: off the axes, and none at the
/// mirror place of another, so that a shift, a stretch or a turn cannot hide.
const MARKS: [(f64, f64); 5] = [
    (0.003, -0.002),
    (-0.37, -0.31),
    (0.33, -0.36),
    (0.38, 0.29),
    (-0.29, 0.35),
];

/// A photo of `photo` pixels that is to fill a frame of `frame` pixels.
#[derive(Clone, Copy)]
pub struct Target {
    pub photo: (u32, u32),
    pub frame: (u32, u32),
}

impl Target {
    /// Photo pixels to one pixel of the first frame: the photo just fills it.
    fn scale(self) -> f64 {
        let ratio = |photo, frame| f64::from(photo) / f64::from(frame);
        ratio(self.photo.0, self.frame.0).min(ratio(self.photo.1, self.frame.1))
    }

    fn centre(size: (u32, u32)) -> (f64, f64) {
        (f64::from(size.0) / 2.0, f64::from(size.1) / 2.0)
    }

    /// Offsets of the marks from the centre, in pixels of the first frame.
    fn offsets(self) -> [(f64, f64); 5] {
        MARKS.map(|(x, y)| (x * f64::from(self.frame.0), y * f64::from(self.frame.1)))
    }

    pub fn draw(self) -> RgbImage {
        let mut photo = RgbImage::from_pixel(self.photo.0, self.photo.1, Rgb([GROUND as u8; 3]));
        let (scale, centre) = (self.scale(), Self::centre(self.photo));
        for (dx, dy) in self.offsets() {
            let place = (centre.0 + dx * scale, centre.1 + dy * scale);
            disc(&mut photo, place, scale);
        }
        photo
    }

    /// The largest distance of a mark from where the formula puts it at `zoom`, in pixels.
    pub fn worst_error(self, frame: &Frame, zoom: f64) -> f64 {
        assert_eq!(
            (frame.width as u32, frame.height as u32),
            self.frame,
            "size of the frame"
        );
        let centre = Self::centre(self.frame);
        let errors = self.offsets().map(|(dx, dy)| {
            let expected = (centre.0 + dx * zoom, centre.1 + dy * zoom);
            let found = centroid(frame, expected, REACH * RADIUS * zoom);
            (found.0 - expected.0).hypot(found.1 - expected.1)
        });
        errors.into_iter().fold(0.0, f64::max)
    }
}

/// Adds a disc. Coordinates are continuous: pixel `i` spans `i` to `i + 1`.
fn disc(photo: &mut RgbImage, (x, y): (f64, f64), scale: f64) {
    let reach = REACH * RADIUS * scale;
    let span = |at: f64, limit: u32| (at - reach).max(0.0) as u32..((at + reach) as u32).min(limit);
    for j in span(y, photo.height()) {
        for i in span(x, photo.width()) {
            let far = (f64::from(i) + 0.5 - x).hypot(f64::from(j) + 0.5 - y) / scale;
            photo.put_pixel(i, j, Rgb([level(far - RADIUS, SOFTNESS); 3]));
        }
    }
}

/// The level so many pixels outside of a disc, whose edge is soft.
pub fn level(outside: f64, softness: f64) -> u8 {
    let share = 1.0 / (1.0 + (outside / softness).exp());
    (GROUND + PEAK * share).round() as u8
}

/// The centroid of what stands out from the ground in a window around a place.
fn centroid(frame: &Frame, around: (f64, f64), reach: f64) -> (f64, f64) {
    let span = |at: f64, limit: usize| {
        let (from, to) = ((at - reach).floor(), (at + reach).ceil());
        from.max(0.0) as usize..(to as usize).min(limit)
    };
    let (columns, rows) = (span(around.0, frame.width), span(around.1, frame.height));
    centroid_within(frame, columns, rows)
}

/// The centroid of what stands out from the ground.
pub fn centroid_within(frame: &Frame, columns: Range<usize>, rows: Range<usize>) -> (f64, f64) {
    // Limited range, and a margin above the ground for the encoder's noise.
    let ground = 16.0 + GROUND * 219.0 / 255.0 + 6.0;
    let (mut mass, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for y in rows {
        for x in columns.clone() {
            let weight = (frame.y(x, y) - ground).max(0.0);
            mass += weight;
            x_sum += weight * (x as f64 + 0.5);
            y_sum += weight * (y as f64 + 0.5);
        }
    }
    assert!(mass > 0.0, "no mark there");
    (x_sum / mass, y_sum / mass)
}
