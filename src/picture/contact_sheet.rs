//! Frames of a video → one JPEG file that shows all of them, reduced.

use super::thumbnail::{JpegError, jpeg, rgb};
use crate::spec::Size;

/// Frames in a row.
const COLUMNS: usize = 4;

/// Each side of a frame becomes a third of what it was.
const REDUCTION: usize = 3;

/// Between the frames and around them, in pixels.
const GAP: usize = 8;
const GAP_LEVEL: u8 = 24;

/// An RGB picture.
struct Canvas {
    width: usize,
    samples: Vec<u8>,
}

/// Puts frames of a size into rows, in their order.
///
/// # Errors
/// If the file cannot be made.
pub fn contact_sheet(frames: &[Vec<u8>], size: Size) -> Result<Vec<u8>, JpegError> {
    let (width, height) = (size.width as usize, size.height as usize);
    let (across, down) = (width / REDUCTION, height / REDUCTION);
    let (columns, rows) = (frames.len().min(COLUMNS), frames.len().div_ceil(COLUMNS));
    let sheet_width = GAP + columns * (across + GAP);
    let sheet_height = GAP + rows * (down + GAP);
    let mut sheet = Canvas {
        width: sheet_width,
        samples: vec![GAP_LEVEL; 3 * sheet_width * sheet_height],
    };
    for (index, frame) in frames.iter().enumerate() {
        let left = GAP + index % COLUMNS * (across + GAP);
        let top = GAP + index / COLUMNS * (down + GAP);
        let frame = Canvas {
            width,
            samples: rgb(frame, size),
        };
        for y in 0..down {
            for x in 0..across {
                sheet.set(left + x, top + y, frame.mean(x * REDUCTION, y * REDUCTION));
            }
        }
    }
    let size = Size {
        width: sheet_width as u32,
        height: sheet_height as u32,
    };
    jpeg(&sheet.samples, size)
}

impl Canvas {
    /// Of a block with this corner.
    fn mean(&self, x: usize, y: usize) -> [u8; 3] {
        let mut sums = [0u32; 3];
        for row in y..y + REDUCTION {
            let start = 3 * (row * self.width + x);
            for pixel in self.samples[start..start + 3 * REDUCTION].chunks_exact(3) {
                for (sum, level) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(*level);
                }
            }
        }
        let pixels = (REDUCTION * REDUCTION) as u32;
        sums.map(|sum| ((sum + pixels / 2) / pixels) as u8)
    }

    fn set(&mut self, x: usize, y: usize, pixel: [u8; 3]) {
        let start = 3 * (y * self.width + x);
        self.samples[start..start + 3].copy_from_slice(&pixel);
    }
}
