//! From the numbers that the network gives for each cell to boxes.

use super::Face;
use super::layers::Map;
use super::network::{OUTPUTS, Output};
use crate::subject::reduced::Reduced;

/// The least score of a face. At 0.6, a dandelion is one.
const LEAST_SCORE: f32 = 0.7;

/// Boxes that overlap by more, as their intersection over their union, are of one face.
const MOST_OVERLAP: f32 = 0.3;

/// Boxes are rounded to this part of a pixel: the last bits of an exponential differ between systems.
const ROUNDING: f32 = 16.0;

/// A box in pixels of the reduced picture.
struct Candidate {
    score: f32,
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

/// The faces in `picture`, each once.
pub fn faces(output: &Output, picture: &Reduced) -> Vec<Face> {
    let sizes = [8.0, 16.0, 32.0];
    let maps = output.iter().zip(sizes);
    let mut found: Vec<Candidate> = maps.flat_map(|(map, size)| candidates(map, size)).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in found {
        if kept
            .iter()
            .all(|other| candidate.overlap(other) <= MOST_OVERLAP)
        {
            kept.push(candidate);
        }
    }
    kept.iter()
        .map(|candidate| candidate.face(picture))
        .collect()
}

/// Those of one map, whose cells have sides of `size` pixels.
fn candidates(map: &Map, size: f32) -> impl Iterator<Item = Candidate> {
    let cells = map.cells::<OUTPUTS>().iter().enumerate();
    cells.filter_map(move |(i, cell)| {
        let [class, object, x, y, width, height, ..] = *cell;
        let score = (sigmoid(class) * sigmoid(object)).sqrt();
        if score < LEAST_SCORE {
            return None;
        }
        let (column, row) = ((i % map.width) as f32, (i / map.width) as f32);
        let (x, y) = ((column + x) * size, (row + y) * size);
        let (width, height) = (width.exp() * size, height.exp() * size);
        Some(Candidate {
            score,
            left: rounded(x - width / 2.0),
            top: rounded(y - height / 2.0),
            right: rounded(x + width / 2.0),
            bottom: rounded(y + height / 2.0),
        })
    })
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn rounded(position: f32) -> f32 {
    (position * ROUNDING).round() / ROUNDING
}

impl Candidate {
    /// The intersection of two boxes over their union.
    fn overlap(&self, other: &Self) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        let common = width.max(0.0) * height.max(0.0);
        common / (self.area() + other.area() - common)
    }

    fn area(&self) -> f32 {
        (self.right - self.left) * (self.bottom - self.top)
    }

    fn face(&self, picture: &Reduced) -> Face {
        let part = |position: f32, side: usize| f64::from(position) / side as f64;
        Face {
            left: part(self.left, picture.width),
            top: part(self.top, picture.height),
            right: part(self.right, picture.width),
            bottom: part(self.bottom, picture.height),
        }
    }
}
