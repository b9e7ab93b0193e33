//! What a video is composed of, beside its photos; and what each scene shows of its photo. Pure.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::camera::CameraPath;
use super::loader::LoadedScene;
use super::motion::{Path, Shot};
use super::photo::Photo;
use super::resample::Crop;
use super::scene::Blur;
use super::timeline::Timeline;
use crate::picture::{Component, Detail, Logo};
use crate::spec::overlay::{Overlay, Panel};
use crate::spec::{Fit, Focus, Motion, Size, VideoSpec, View};
use crate::subject::Subject;
use crate::titles::{self, Fonts, Titles};

/// The length of transitions in a video, and of the shortest, in seconds; if that is shorter than asked for.
pub fn shortened_transition(spec: &VideoSpec) -> Option<(f64, f64)> {
    let shortest = Timeline::new(spec, &[]).shortened_transition()?;
    let seconds = f64::from(shortest) / f64::from(spec.output.frame_rate);
    Some((spec.transition.seconds, seconds))
}

/// A caption that is there for less cannot be read; in seconds.
const LEAST_CAPTION: f64 = 0.6;
/// Seconds in which one comes and goes.
const CAPTION_FADE: f64 = 0.3;

/// A title that is seen together with a photo for less, in seconds, does not matter to how that is framed.
const LEAST_TOGETHER: f64 = 0.5;

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
    covered_below: OnceLock<(Size, Vec<f64>)>,
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

    /// The titles, painted for frames of a size.
    pub(super) fn titles(&self, frame: Size) -> Titles {
        Titles::new(&self.overlays(), self.logo, self.fonts, frame)
    }

    /// All titles, with the captions of the photos.
    fn overlays(&self) -> Vec<Overlay> {
        let captions = (0..self.spec.scenes.len()).filter_map(|index| self.caption(index));
        self.spec.overlays.iter().cloned().chain(captions).collect()
    }

    /// The caption of a photo, while it is seen alone and without titles that hide it.
    fn caption(&self, index: usize) -> Option<Overlay> {
        let panel = self.spec.scenes[index].caption.clone()?;
        let (start, end) = self.uncovered(index);
        (end - start >= LEAST_CAPTION).then(|| Overlay {
            start,
            end,
            fade_in: CAPTION_FADE.min((end - start) / 4.0),
            fade_out: CAPTION_FADE.min((end - start) / 4.0),
            panel,
        })
    }

    /// The longest time in which a photo is seen alone and no title hides it: from and to, in seconds from the start.
    fn uncovered(&self, index: usize) -> (f64, f64) {
        let scenes = &self.spec.scenes;
        let rate = f64::from(self.spec.output.frame_rate);
        let alone = self.timeline.alone(index);
        let (mut start, mut end) = (f64::from(alone.start) / rate, f64::from(alone.end) / rate);
        match index {
            _ if scenes.len() == 1 => {}
            0 => start = start.max(scenes[0].covered),
            _ if index + 1 == scenes.len() => {
                end = end.min(self.spec.output.seconds() - scenes[index].covered);
            }
            _ => {}
        }
        let hides = |overlay: &&Overlay| overlay.panel.hides_photo();
        let mut hidden: Vec<&Overlay> = self.spec.overlays.iter().filter(hides).collect();
        hidden.sort_by(|a, b| a.start.total_cmp(&b.start));
        let mut longest = (start, start);
        for (from, to) in hidden.iter().map(|o| (o.start, o.end)).chain([(end, end)]) {
            let until = from.min(end);
            if until - start > longest.1 - longest.0 {
                longest = (start, until);
            }
            start = start.max(to);
        }
        longest
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

    /// What titles blur while a scene is seen.
    pub(super) fn blurs(&self, index: usize) -> Vec<Blur> {
        let rate = f64::from(self.spec.output.frame_rate);
        let blur = |overlay: &Overlay| {
            let deviation = overlay.panel.blur()?;
            let opacity = |k| overlay.opacity(f64::from(k) / rate);
            let shares: Vec<f64> = self.timeline.span(index).map(opacity).collect();
            let is_seen = shares.iter().any(|share| *share > 0.0);
            is_seen.then_some(Blur { deviation, shares })
        };
        self.spec.overlays.iter().filter_map(blur).collect()
    }

    /// The titles of one moment, in seconds from the start.
    pub(super) fn titles_at(&self, seconds: f64, frame: Size) -> Titles {
        let mut visible = self.overlays();
        visible.retain(|overlay| overlay.opacity(seconds) > 0.0);
        Titles::new(&visible, self.logo, self.fonts, frame)
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

    /// The part of the frame, from below, that titles cover while a photo is to be seen, as a fraction of its height.
    fn covered_below(&self, scene: usize, frame: Size) -> f64 {
        let (from, to) = self.uncovered(scene);
        let least = LEAST_TOGETHER.min((to - from) / 4.0);
        let is_seen = |overlay: &Overlay| {
            let together = to.min(overlay.end) - from.max(overlay.start);
            together >= least && !overlay.panel.hides_photo()
        };
        let covered = self.covered_by_each(frame);
        let titles = self.spec.overlays.iter().zip(covered.iter());
        let of_titles = titles
            .filter(|(overlay, _)| is_seen(overlay))
            .map(|(_, covered)| *covered);
        let caption = self
            .caption(scene)
            .map(|caption| self.covered_by(&caption.panel, frame));
        of_titles.chain(caption).fold(0.0, f64::max)
    }

    fn covered_by(&self, panel: &Panel, frame: Size) -> f64 {
        titles::covered_below(panel, self.logo, self.fonts, frame)
    }

    /// The same of each of the titles, kept for frames of the first size that is asked for.
    fn covered_by_each(&self, frame: Size) -> Cow<'_, [f64]> {
        let of_each = || {
            let panels = self.spec.overlays.iter().map(|overlay| &overlay.panel);
            let covered = panels.map(|panel| self.covered_by(panel, frame));
            covered.collect::<Vec<_>>()
        };
        let (size, covered) = self.covered_below.get_or_init(|| (frame, of_each()));
        if *size == frame {
            Cow::Borrowed(covered)
        } else {
            Cow::Owned(of_each())
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
        let path = Path::new(&Shot {
            motion: scene.motion,
            focus: scene.focus,
            fit: scene.fit,
            photo,
            frame,
            subject,
            covered_below: self.covered_below(index, frame),
            seconds: (seconds - scene.covered).max(0.0),
            index,
        });
        CameraPath::new(photo, frame, path, span)
    }
}
