//! One 8-bit plane of a picture.

/// One 8-bit plane, rows top to bottom, no padding.
#[derive(Clone, Debug)]
pub struct Plane {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` samples.
    pub data: Vec<u8>,
}

impl Plane {
    /// A plane of zeros.
    pub fn new(width: usize, height: usize) -> Plane {
        Plane {
            width,
            height,
            data: vec![0; width * height],
        }
    }

    /// A copy of samples in rows of `width`.
    pub fn copied(samples: &[u8], width: usize) -> Plane {
        Plane {
            width,
            height: samples.len() / width,
            data: samples.to_vec(),
        }
    }
}
