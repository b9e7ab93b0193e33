//! What a video is composed of, beside its photos; and what each scene shows of its photo. Pure.

use std::sync::OnceLock;

use super::camera::CameraPath;
use super::cuts;
use super::loader::LoadedScene;
use super::motion::Shot;
use super::photo::Photo;
use super::resample::Crop;
use super::timeline::Timeline;
use crate::picture::{Component, Detail, Logo};
use crate::spec::{Fit, Focus, Motion, Size, VideoSpec, View};
use crate::subject::Subject;
use crate::titles::Fonts;

/// The length of transitions in a video, and of the shortest, in seconds; if that is shorter than asked for.
pub fn shortened_transition(spec: &VideoSpec) -> Option<(f64, f64)> {
    let shortest = Timeline::new(spec, &[]).shortened_transition()?;
    let seconds = f64::from(shortest) / f64::from(spec.output.frame_rate);
    Some((spec.transition.seconds, seconds))
}

/// By what the durations of photos with one of their own are multiplied, so that they fill the video.
pub fn duration_factor(spec: &VideoSpec) -> f64 {
    cuts::duration_factor(&spec.scenes, spec.output.seconds())
}

/// How many photos have no frame in a video.
pub fn unseen_photos(spec: &VideoSpec) -> usize {
    let timeline = Timeline::new(spec, &[]);
    let scenes = 0..timeline.scenes();
    scenes
        .filter(|scene| timeline.span(*scene).is_empty())
        .count()
}

/// What a scene shows of its photo, and when.
#[derive(Clone, Debug)]
pub struct SceneFacts {
    pub scene: usize,
    /// With its transitions, in seconds from the start.
    pub start: f64,
    pub seconds: f64,
    /// Over its blurred copy.
    pub is_contained: bool,
    /// The parts of the photo in its first and its last frame; with more scenes than frames, some have none.
    pub from: Option<View>,
    pub to: Option<View>,
}

pub struct Composition<'a> {
    pub spec: &'a VideoSpec,
    pub logo: Option<&'a Logo>,
    pub fonts: &'a Fonts,
    pub(super) timeline: Timeline,
    /// How far each of the titles reaches up from the bottom of frames of a size, as a fraction of their height.
    pub(super) covered_below: OnceLock<(Size, Vec<f64>)>,
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
            covered_below: OnceLock::new(),
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

    /// The scenes that a frame shows.
    pub fn scenes_at(&self, k: u32) -> impl Iterator<Item = usize> {
        let moment = self.timeline.at(k);
        moment.scene..=moment.scene + usize::from(moment.next.is_some())
    }

    pub(super) fn scene(&self, index: usize, frame: Size, photo: &Photo) -> LoadedScene {
        let picture = photo.picture.clone();
        let camera = self.camera(index, picture.size, frame, &photo.subject);
        LoadedScene::new(index, picture, camera, self.blurs(index))
    }

    /// What a scene shows of its photo.
    pub fn facts(&self, index: usize, photo: &Photo) -> SceneFacts {
        let size = photo.picture.size;
        let frame = self.frame(size);
        let camera = self.camera(index, size, frame, &photo.subject);
        let span = self.timeline.span(index);
        let view = |crop: Crop| View {
            x: crop.x / f64::from(size.width),
            y: crop.y / f64::from(size.height),
            width: crop.width / f64::from(size.width),
        };
        let mut crops = camera.crops(Component::Y);
        let from = crops.next().map(view);
        let rate = f64::from(self.spec.output.frame_rate);
        SceneFacts {
            scene: index,
            start: f64::from(span.start) / rate,
            seconds: span.len() as f64 / rate,
            is_contained: camera.is_contained(),
            from,
            to: crops.last().map(view).or(from),
        }
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
        let shot = Shot {
            motion: scene.motion,
            focus: scene.focus,
            fit: scene.fit,
            photo,
            frame,
            subject,
            covered_below: self.covered_below(index, frame),
            seconds: (seconds - scene.covered).max(0.0),
            index,
        };
        CameraPath::new(photo, frame, shot.path(), span)
    }
}
