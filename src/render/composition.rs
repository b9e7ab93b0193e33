//! What a video is composed of, beside its photos; and what each scene shows of its photo. Pure.

use super::camera::CameraPath;
use super::motion::{Path, Shot};
use super::timeline::Timeline;
use crate::picture::{Detail, Logo};
use crate::spec::{Fit, Focus, Motion, Size, VideoSpec};
use crate::subject::Subject;
use crate::titles::{Fonts, Titles};

/// The length of transitions in a video, and of the shortest, in seconds; if that is shorter than asked for.
pub fn shortened_transition(spec: &VideoSpec) -> Option<(f64, f64)> {
    let shortest = Timeline::new(spec, &[]).shortened_transition()?;
    let seconds = f64::from(shortest) / f64::from(spec.output.frame_rate);
    Some((spec.transition.seconds, seconds))
}

pub struct Composition<'a> {
    pub spec: &'a VideoSpec,
    pub logo: Option<&'a Logo>,
    pub fonts: &'a Fonts,
    pub(super) timeline: Timeline,
}

impl<'a> Composition<'a> {
    /// `beats`, in seconds from the start, are those of the soundtrack.
    pub fn new(
        spec: &'a VideoSpec,
        logo: Option<&'a Logo>,
        fonts: &'a Fonts,
        beats: &[f64],
    ) -> Self {
        let beats = if spec.cut_on_beat { beats } else { &[] };
        Self {
            spec,
            logo: logo.filter(|_| spec.logo.is_some()),
            fonts,
            timeline: Timeline::new(spec, beats),
        }
    }

    /// Of the video.
    pub fn frames(&self) -> u32 {
        self.timeline.frames()
    }

    /// The most by which the time of a photo differs from its share, as a fraction of it, so that all photos change on
    /// beats. `None`: they do not.
    pub fn beat_deviation(&self) -> Option<f64> {
        self.timeline.beat_deviation()
    }

    /// The titles, painted for frames of a size.
    pub(super) fn titles(&self, frame: Size) -> Titles {
        Titles::new(&self.spec.overlays, self.logo, self.fonts, frame)
    }

    /// When each scene is first seen alone, in seconds from the start.
    pub fn beginnings(&self) -> impl Iterator<Item = f64> {
        let rate = f64::from(self.spec.output.frame_rate);
        self.timeline.beginnings().map(move |k| f64::from(k) / rate)
    }

    /// Whether a scene is seen. With more scenes than frames, some are not.
    pub fn shows(&self, scene: usize) -> bool {
        !self.timeline.span(scene).is_empty()
    }

    /// The size of the frames, in pixels, when the first photo has this one.
    pub fn frame(&self, first_photo: Size) -> Size {
        self.spec.output.frame.size(first_photo)
    }

    /// How coarse the photo of a scene may be decoded. Where its subject is changes little of that.
    pub fn detail(&self, scene: usize, photo: Size, frame: Size) -> Detail {
        self.camera(scene, photo, frame, &Subject::default())
            .detail()
    }

    /// Whether the motion of a scene depends on the subject of its photo.
    pub fn needs_subject(&self, scene: usize) -> bool {
        let scene = &self.spec.scenes[scene];
        matches!(scene.motion, Motion::Eased(_))
            && scene.focus == Focus::Auto
            && scene.fit != Fit::Contain
    }

    pub(super) fn camera(
        &self,
        index: usize,
        photo: Size,
        frame: Size,
        subject: &Subject,
    ) -> CameraPath {
        let scene = &self.spec.scenes[index];
        let span = self.timeline.span(index);
        let seconds = span.len() as f64 / f64::from(self.spec.output.frame_rate);
        let path = Path::new(&Shot {
            motion: scene.motion,
            focus: scene.focus,
            fit: scene.fit,
            photo,
            frame,
            subject,
            seconds: (seconds - scene.covered).max(0.0),
            index,
        });
        CameraPath::new(photo, frame, path, span)
    }
}
