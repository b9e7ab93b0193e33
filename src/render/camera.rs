//! The camera path of a scene: which part of the photo each of its frames shows. Pure.

use std::ops::Range;

use super::path::Path;
use super::resample::Crop;
use crate::picture::{Component, Detail};
use crate::spec::Size;

/// Samples of decoded chroma for each of the finest frame, along either axis: as many as there are in the levels that
/// frames are drawn from.
const LEAST_CHROMA: f64 = 1.25;

/// The camera path over one photo.
pub struct CameraPath {
    /// Of the upright photo, in pixels.
    pub photo: Size,
    /// Of the video, in pixels.
    pub frame: Size,
    path: Path,
    /// The frames of the video that show the photo.
    span: Range<u32>,
}

impl CameraPath {
    /// `span` are the frames of the video that show the photo.
    pub fn new(photo: Size, frame: Size, path: Path, span: Range<u32>) -> Self {
        Self {
            photo,
            frame,
            path,
            span,
        }
    }

    /// Whether the photo is over a background, since it does not fill the frame.
    pub fn is_contained(&self) -> bool {
        self.path.is_contained()
    }

    /// The crop that fills `component`'s plane in frame `k`, in pixels of the photo.
    pub fn crop(&self, component: Component, k: u32) -> Crop {
        let share = f64::from(k - self.span.start) / self.span.len() as f64;
        let crop = self.path.crop(share);
        match component {
            Component::Y => crop,
            // H.264 sites chroma left: at the first of its two luma samples, half a luma sample left
            // of their centre (ITU-T H.264 figure E-1, type 0).
            Component::Cb | Component::Cr => Crop {
                x: crop.x - 0.5 * crop.width / f64::from(self.frame.width),
                ..crop
            },
        }
    }

    /// The frames of the video that show the photo.
    pub fn span(&self) -> Range<u32> {
        self.span.clone()
    }

    /// The crops of all frames of the scene, in their order.
    pub fn crops(&self, component: Component) -> impl Iterator<Item = Crop> {
        self.span.clone().map(move |k| self.crop(component, k))
    }

    /// The finest and the coarsest step of all frames, in photo pixels from one sample of `component`
    /// to the next.
    pub fn steps(&self, component: Component) -> (f64, f64) {
        let step = |k| {
            self.crop(Component::Y, k).width / f64::from(self.frame.width)
                * component.subsampling() as f64
        };
        // No motion turns back, so the extremes are at its ends.
        let (first, last) = (step(self.span.start), step(self.span.end - 1));
        (first.min(last), first.max(last))
    }

    /// How far the photo may be reduced while it is decoded, by averaging blocks: luma to no less than twice the
    /// resolution of the finest frame, so that a better filter does the rest. Chroma is coarser in most photos, and in
    /// all videos.
    pub fn detail(&self) -> Detail {
        let shift = |component, least: f64| {
            (self.steps(component).0 / least)
                .log2()
                .floor()
                .clamp(0.0, f64::from(Detail::MAX_SHIFT)) as u8
        };
        Detail {
            luma_shift: shift(Component::Y, 2.0),
            chroma_shift: shift(Component::Cb, LEAST_CHROMA),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sides::Sides;

    fn camera(width: u32, height: u32) -> CameraPath {
        let frame = Size {
            width: 1920,
            height: 1080,
        };
        let photo = Size { width, height };
        let path = Path::CentreZoom {
            sides: Sides { photo, frame },
            growth: 0.15,
        };
        CameraPath::new(photo, frame, path, 0..150)
    }

    #[test]
    fn chroma_is_sited_half_a_luma_sample_left() {
        let camera = camera(3840, 2160);
        let (luma, chroma) = (camera.crop(Component::Y, 0), camera.crop(Component::Cb, 0));
        assert_eq!((luma.x, chroma.x), (0.0, -1.0));
        assert_eq!((luma.y, luma.width), (chroma.y, chroma.width));
    }

    #[test]
    fn large_photos_are_decoded_coarser_but_never_too_coarse() {
        let small = camera(1920, 1080).detail();
        assert_eq!((small.luma_shift, small.chroma_shift), (0, 0));
        let large = camera(19200, 10800).detail();
        assert_eq!((large.luma_shift, large.chroma_shift), (2, 3));
    }
}
