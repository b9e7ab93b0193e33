//! What a video is composed of, beside its photos; and what each scene shows of its photo. Pure.

use super::camera::CameraPath;
use super::timeline::Timeline;
use crate::picture::{Detail, Logo};
use crate::spec::{Size, VideoSpec};
use crate::titles::Fonts;

pub struct Composition<'a> {
    pub spec: &'a VideoSpec,
    pub logo: Option<&'a Logo>,
    pub fonts: &'a Fonts,
    pub(super) timeline: Timeline,
}

impl<'a> Composition<'a> {
    pub fn new(spec: &'a VideoSpec, logo: Option<&'a Logo>, fonts: &'a Fonts) -> Self {
        Self {
            spec,
            logo,
            fonts,
            timeline: Timeline::new(spec),
        }
    }

    /// Of the video.
    pub fn frames(&self) -> u32 {
        self.timeline.frames()
    }

    /// The indices of the scenes that are seen. With more scenes than frames, some are not.
    pub fn shown_scenes(&self) -> impl Iterator<Item = usize> {
        (0..self.spec.scenes.len()).filter(|index| !self.timeline.span(*index).is_empty())
    }

    /// The size of the frames, in pixels, when the first photo has this one.
    pub fn frame(&self, first_photo: Size) -> Size {
        self.spec.output.frame.size(first_photo)
    }

    /// How coarse the photo of a scene may be decoded.
    pub fn detail(&self, scene: usize, photo: Size, frame: Size) -> Detail {
        self.camera(scene, photo, frame).detail()
    }

    pub(super) fn camera(&self, scene: usize, photo: Size, frame: Size) -> CameraPath {
        let motion = self.spec.scenes[scene].motion;
        let span = self.timeline.span(scene);
        CameraPath::new(photo, frame, motion, span, self.spec.output.frame_rate)
    }
}
