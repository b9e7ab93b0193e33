//! Finds faces with YuNet (`models/`), a convolutional network of some 53,000 weights.
//!
//! ```text
//! onnx ─ the file of the model → weights
//! network ─ RGB → 16 numbers for each cell of 8, 16 and 32 pixels
//! layers ─ what the network is made of
//! candidates ─ these numbers → boxes, each face once
//! ```

mod candidates;
mod layers;
mod network;
mod onnx;

use std::sync::LazyLock;

use super::reduced::Reduced;
use crate::spec::Point;
use network::{Buffers, Network};

/// Built in, and read by a test.
static NETWORK: LazyLock<Option<Network>> = LazyLock::new(|| {
    Network::new(include_bytes!(
        "../../../models/face_detection_yunet_2023mar.onnx"
    ))
});

/// The box around a face, from the forehead to the chin, in fractions of the photo's width and height. It may extend
/// beyond the photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Face {
    /// Within the photo.
    pub fn centre(&self) -> Point {
        Point {
            x: ((self.left + self.right) / 2.0).clamp(0.0, 1.0),
            y: ((self.top + self.bottom) / 2.0).clamp(0.0, 1.0),
        }
    }

    /// As a fraction of the photo's.
    pub fn area(&self) -> f64 {
        (self.right - self.left) * (self.bottom - self.top)
    }
}

/// Finds faces. Its buffers are as large as the largest picture needed.
#[derive(Default)]
pub struct FaceFinder {
    buffers: Buffers,
}

impl FaceFinder {
    /// The faces in a picture, the largest first.
    pub fn find(&mut self, picture: &Reduced) -> Vec<Face> {
        let Some(network) = &*NETWORK else {
            return Vec::new();
        };
        let output = network.run(picture, &mut self.buffers);
        let mut faces = candidates::faces(output, picture);
        faces.sort_by(|a, b| b.area().total_cmp(&a.area()));
        faces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_read() {
        assert!(NETWORK.is_some());
    }

    #[test]
    fn pictures_of_any_shape_are_searched() {
        for (width, height) in [(1, 1), (1, 480), (480, 3), (33, 31)] {
            let pixels = vec![[90, 120, 200]; width * height];
            let picture = Reduced {
                width,
                height,
                pixels,
            };
            assert_eq!(FaceFinder::default().find(&picture), []);
        }
    }
}
