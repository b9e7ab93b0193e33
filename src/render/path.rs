//! The path of one scene: what each of its frames shows of the photo. Pure.

use std::ops::Range;

use super::motion;
use super::resample::Crop;
use crate::picture::Component;
use crate::picture::Detail;
use crate::spec::{Motion, Size};

/// A photo's way through the frames that show it.
pub struct Path {
    pub photo: Size,
    pub frame: Size,
    motion: Motion,
    /// The first frame that shows it, and the one after the last, of the video's.
    span: Range<u32>,
    /// How long that is.
    seconds: f64,
}

impl Path {
    pub fn new(photo: Size, frame: Size, motion: Motion, span: Range<u32>, rate: u32) -> Self {
        Self {
            photo,
            frame,
            motion,
            seconds: span.len() as f64 / f64::from(rate),
            span,
        }
    }

    /// Whether the photo is shown whole, and leaves a part of the frame to be filled.
    pub fn shows_whole(&self) -> bool {
        motion::shows_whole(self.motion, self.photo, self.frame)
    }

    /// What lies behind `component`'s samples of frame `k`, in pixels of the photo.
    pub fn crop(&self, component: Component, k: u32) -> Crop {
        let share = f64::from(k - self.span.start) / self.span.len() as f64;
        let crop = motion::crop(self.motion, self.photo, self.frame, self.seconds, share);
        match component {
            Component::Y => crop,
            // H.264 sites chroma left: in line with every other luma sample, half a luma sample
            // left of the middle of the two (ITU-T H.264 figure E-1, type 0).
            Component::Cb | Component::Cr => Crop {
                x: crop.x - 0.5 * crop.width / f64::from(self.frame.width),
                ..crop
            },
        }
    }

    /// The same for every frame of the scene.
    pub fn crops(&self, component: Component) -> impl Iterator<Item = Crop> {
        self.span.clone().map(move |k| self.crop(component, k))
    }

    /// The finest and the coarsest step of all frames: photo pixels from one sample of `component` to
    /// the next.
    pub fn steps(&self, component: Component) -> (f64, f64) {
        let step = |k| {
            self.crop(Component::Y, k).width / f64::from(self.frame.width)
                * component.subsampling() as f64
        };
        // Zooms go one way.
        let (first, last) = (step(self.span.start), step(self.span.end - 1));
        (first.min(last), first.max(last))
    }

    /// How coarse the photo may be decoded: twice as fine as the finest frame needs it, so that the
    /// reduction to what the frames do need is left to a proper filter.
    pub fn detail(&self) -> Detail {
        let shift = |component| {
            (self.steps(component).0 / 2.0)
                .log2()
                .floor()
                .clamp(0.0, 8.0) as u8
        };
        Detail {
            luma_shift: shift(Component::Y),
            chroma_shift: shift(Component::Cb),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(width: u32, height: u32) -> Path {
        let frame = Size {
            width: 1920,
            height: 1080,
        };
        let motion = Motion::CentreZoom { speed: 3.0 };
        Path::new(Size { width, height }, frame, motion, 0..150, 30)
    }

    #[test]
    fn chroma_stands_half_a_luma_sample_left() {
        let path = path(3840, 2160);
        let (luma, chroma) = (path.crop(Component::Y, 0), path.crop(Component::Cb, 0));
        assert_eq!((luma.x, chroma.x), (0.0, -1.0));
        assert_eq!((luma.y, luma.width), (chroma.y, chroma.width));
    }

    #[test]
    fn large_photos_are_decoded_coarser_but_never_too_coarse() {
        let small = path(1920, 1080).detail();
        assert_eq!((small.luma_shift, small.chroma_shift), (0, 0));
        let large = path(19200, 10800).detail();
        assert_eq!((large.luma_shift, large.chroma_shift), (2, 3));
    }
}
