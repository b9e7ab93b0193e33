//! A photo over its background, at a fractional position in the frame.

use std::ops::Range;

use super::resample::Crop;
use crate::picture::Component;
use crate::spec::Size;

/// Full coverage of a sample.
const FULL: u32 = 256;

/// Where a photo lies in one plane of the frame, with the coverage of the samples at its edges.
pub struct ContainedPhoto {
    across: Axis,
    down: Axis,
    /// Of the plane in the frame, in samples.
    width: usize,
    height: usize,
}

/// One axis of the plane.
struct Axis {
    /// Samples that the photo touches.
    range: Range<usize>,
    /// Coverage of each of them, up to [`FULL`].
    cover: Vec<u32>,
}

impl ContainedPhoto {
    /// For a photo of this size, of which `crop` (of luma, in pixels of the photo) fills the frame.
    pub fn new(component: Component, photo: Size, crop: Crop, frame: Size) -> Self {
        let (width, height) = component.size(frame);
        let step = crop.width / f64::from(frame.width);
        let sample = component.subsampling() as f64;
        // Chroma is sited left, so that its samples lie half a luma sample further left.
        let sited = if component == Component::Y { 0.0 } else { 0.5 };
        let axis = |origin: f64, length: u32, shift: f64, samples: usize| {
            let edge = |at: f64| (at / step + shift) / sample;
            Axis::new(edge(-origin), edge(f64::from(length) - origin), samples)
        };
        Self {
            across: axis(crop.x, photo.width, sited, width),
            down: axis(crop.y, photo.height, 0.0, height),
            width,
            height,
        }
    }

    /// Width and height of the area that the photo touches, in samples.
    pub fn size(&self) -> (usize, usize) {
        (self.across.range.len(), self.down.range.len())
    }

    /// The part of `crop`, which fills the whole plane, that fills the area of the photo. Of a reduced photo, its steps
    /// across and down differ, as the numbers of columns and of rows are rounded.
    pub fn crop_within(&self, crop: Crop) -> Crop {
        let across = crop.width / self.width as f64;
        let down = crop.height / self.height as f64;
        let (width, height) = self.size();
        Crop {
            x: crop.x + self.across.range.start as f64 * across,
            y: crop.y + self.down.range.start as f64 * down,
            width: width as f64 * across,
            height: height as f64 * down,
        }
    }

    /// Blends `patch`, which has the size of that area, into the samples of the plane.
    pub fn blend(&self, patch: &[u8], samples: &mut [u8]) {
        let rows = samples
            .chunks_exact_mut(self.width)
            .skip(self.down.range.start);
        let patch = patch.chunks_exact(self.across.range.len());
        for ((row, patch), &down) in rows.zip(patch).zip(&self.down.cover) {
            let under = &mut row[self.across.range.clone()];
            for ((under, over), across) in under.iter_mut().zip(patch).zip(&self.across.cover) {
                let cover = across * down / FULL;
                let mixed = u32::from(*under) * (FULL - cover) + u32::from(*over) * cover;
                *under = ((mixed + FULL / 2) / FULL) as u8;
            }
        }
    }
}

impl Axis {
    /// Between two edges, on an axis of `samples` samples.
    fn new(from: f64, to: f64, samples: usize) -> Self {
        let first = from.floor().clamp(0.0, samples as f64 - 1.0) as usize;
        let end = (to.ceil() as usize).clamp(first + 1, samples);
        let covered = |i: usize| {
            let (left, right) = (i as f64, i as f64 + 1.0);
            (to.min(right) - from.max(left)).clamp(0.0, 1.0)
        };
        Self {
            range: first..end,
            cover: (first..end)
                .map(|i| (covered(i) * f64::from(FULL)).round() as u32)
                .collect(),
        }
    }
}
