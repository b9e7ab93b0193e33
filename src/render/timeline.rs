//! The timeline: which part of which plane makes which part of frame `k`. Pure.

use super::motion;
use super::resample::Crop;
use crate::picture::Detail;
use crate::video::{Motion, Output, Size, VideoSpec};

/// One video's frames, before a single one is drawn.
pub struct Timeline {
    photo: Size,
    frame: Size,
    motion: Motion,
    output: Output,
}

/// One of the three planes of a 4:2:0 picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Y,
    Cb,
    Cr,
}

impl Channel {
    pub const ALL: [Channel; 3] = [Channel::Y, Channel::Cb, Channel::Cr];

    /// Luma samples to one of this channel's, on either axis.
    fn subsampling(self) -> f64 {
        match self {
            Channel::Y => 1.0,
            Channel::Cb | Channel::Cr => 2.0,
        }
    }

    /// The channel's own size in a frame.
    pub fn size(self, frame: Size) -> (usize, usize) {
        let (width, height) = (frame.width as usize, frame.height as usize);
        match self {
            Channel::Y => (width, height),
            Channel::Cb | Channel::Cr => (width / 2, height / 2),
        }
    }
}

impl Timeline {
    pub fn new(spec: &VideoSpec, photo: Size) -> Self {
        Self {
            photo,
            frame: photo.full_hd_frame(),
            motion: spec.motion,
            output: spec.output,
        }
    }

    pub fn frame_size(&self) -> Size {
        self.frame
    }

    pub fn frames(&self) -> u32 {
        self.output.frames()
    }

    /// What `channel` shows in frame `k`, in pixels of the photo.
    pub fn crop(&self, channel: Channel, k: u32) -> Crop {
        let crop = motion::crop(
            self.photo,
            self.frame,
            motion::zoom(self.motion, self.output, k),
        );
        match channel {
            Channel::Y => crop,
            // H.264 sites chroma left: in line with every other luma sample, half a luma sample
            // left of the middle of the two (ITU-T H.264 figure E-1, type 0).
            Channel::Cb | Channel::Cr => Crop {
                x: crop.x - 0.5 * crop.width / f64::from(self.frame.width),
                ..crop
            },
        }
    }

    /// Photo pixels from one sample of `channel` to the next, in frame `k`.
    fn step(&self, channel: Channel, k: u32) -> f64 {
        self.crop(Channel::Y, k).width / f64::from(self.frame.width) * channel.subsampling()
    }

    /// The finest and the coarsest step of all frames.
    pub fn steps(&self, channel: Channel) -> (f64, f64) {
        let (first, last) = (self.step(channel, 0), self.step(channel, self.frames() - 1));
        (first.min(last), first.max(last))
    }

    /// How coarse the photo may be decoded: twice as fine as the finest frame needs it, so that the
    /// reduction to what the frames do need is left to a proper filter.
    pub fn detail(&self) -> Detail {
        let shift = |channel| (self.steps(channel).0 / 2.0).log2().floor().clamp(0.0, 8.0) as u8;
        Detail {
            luma_shift: shift(Channel::Y),
            chroma_shift: shift(Channel::Cb),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::{Photo, Source};

    fn timeline(width: u32, height: u32) -> Timeline {
        let spec = VideoSpec {
            photo: Photo {
                label: "photo".into(),
                source: Source::Url(String::new()),
            },
            motion: Motion::CentreZoom { speed: 3.0 },
            output: Output {
                length: 5.0,
                frame_rate: 30,
            },
        };
        Timeline::new(&spec, Size { width, height })
    }

    #[test]
    fn chroma_stands_half_a_luma_sample_left() {
        let timeline = timeline(3840, 2160);
        let (luma, chroma) = (timeline.crop(Channel::Y, 0), timeline.crop(Channel::Cb, 0));
        assert_eq!((luma.x, chroma.x), (0.0, -1.0));
        assert_eq!((luma.y, luma.width), (chroma.y, chroma.width));
    }

    #[test]
    fn large_photos_are_decoded_coarser_but_never_too_coarse() {
        let small = timeline(1920, 1080).detail();
        assert_eq!((small.luma_shift, small.chroma_shift), (0, 0));
        let large = timeline(19200, 10800).detail();
        assert_eq!((large.luma_shift, large.chroma_shift), (2, 3));
    }
}
