//! The timeline: which scenes make frame `k`. Pure.

use std::ops::Range;

use super::cuts;
use crate::spec::{TransitionKind, VideoSpec};

/// A scene lasts at least this many times as long as a transition: most of it is seen alone.
const SCENE_TO_TRANSITION: u32 = 5;
/// Frames below which a transition would look like a defect, so that a cut replaces it.
const MIN_TRANSITION: u32 = 4;

/// The scenes of a video and their frames.
pub struct Timeline {
    /// The first frame of each scene, or the middle of the transition into it; last, the number of
    /// frames.
    cuts: Vec<u32>,
    /// Frames of the transition into each scene; 0 for cuts, and for the first.
    transitions: Vec<u32>,
    /// How much the time of a photo differs from its plan, if cuts are on beats, or there are none.
    beat_deviation: Option<f64>,
    /// Frames of a transition, as asked for.
    wanted: u32,
}

/// The scenes of one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    pub scene: usize,
    /// In a transition to the scene after it, how much of it has happened, between 0 and 1.
    pub next: Option<f64>,
}

impl Timeline {
    /// Cuts are moved to `beats`, which are in seconds from the start, if these are close enough to one another.
    pub fn new(spec: &VideoSpec, beats: &[f64]) -> Self {
        let length = spec.output.seconds();
        let plans = cuts::plans(&spec.scenes, length);
        let moved = cuts::on_beats(beats, &plans);
        let beat_deviation = moved.as_ref().map(|moved| moved.deviation);
        let frames = spec.output.frames();
        let frame = |cut: f64| (cut / length * f64::from(frames)).round() as u32;
        let inner = moved
            .map_or_else(|| cuts::cuts(&plans), |moved| moved.cuts)
            .into_iter()
            .map(frame);
        let cuts: Vec<u32> = std::iter::once(0).chain(inner).chain([frames]).collect();
        let wanted = match spec.transition.kind {
            TransitionKind::Cut => 0,
            _ => (spec.transition.seconds * f64::from(spec.output.frame_rate)).round() as u32,
        };
        let between = |cuts: &[u32]| {
            let shorter = (cuts[1] - cuts[0]).min(cuts[2] - cuts[1]);
            let frames = wanted.min(shorter / SCENE_TO_TRANSITION);
            if frames < MIN_TRANSITION { 0 } else { frames }
        };
        let transitions = std::iter::once(0).chain(cuts.windows(3).map(between));
        Self {
            transitions: transitions.collect(),
            cuts,
            beat_deviation,
            wanted,
        }
    }

    /// The frames of the shortest transition, if they are fewer than asked for.
    pub fn shortened_transition(&self) -> Option<u32> {
        let shortest = self.transitions.iter().skip(1).min();
        shortest.copied().filter(|frames| *frames < self.wanted)
    }

    /// The most by which the time of a photo differs from its plan, as a fraction of it, to have the cuts on beats.
    /// `None`: they are not, and there are some.
    pub fn beat_deviation(&self) -> Option<f64> {
        self.beat_deviation
    }

    pub fn frames(&self) -> u32 {
        self.cuts[self.scenes()]
    }

    pub fn scenes(&self) -> usize {
        self.cuts.len() - 1
    }

    /// The frames that show a scene, including its transitions.
    pub fn span(&self, scene: usize) -> Range<u32> {
        let start = if scene == 0 {
            0
        } else {
            self.transition_into(scene).start
        };
        let end = if scene + 1 == self.scenes() {
            self.frames()
        } else {
            self.transition_into(scene + 1).end
        };
        start..end
    }

    /// The frames that show a scene alone.
    pub fn alone(&self, scene: usize) -> Range<u32> {
        let start = self.transition_into(scene).end;
        let end = match scene + 1 == self.scenes() {
            true => self.frames(),
            false => self.transition_into(scene + 1).start,
        };
        start..end.max(start)
    }

    /// The first frame of each scene that shows it alone.
    pub fn beginnings(&self) -> impl Iterator<Item = u32> {
        (0..self.scenes()).map(|scene| self.transition_into(scene).end)
    }

    pub fn at(&self, k: u32) -> Moment {
        let scene = self.cuts.partition_point(|cut| *cut <= k) - 1;
        let between = |scene: usize| {
            let frames = self.transition_into(scene);
            let share = f64::from(k - frames.start + 1) / (frames.len() + 1) as f64;
            Moment {
                scene: scene - 1,
                next: Some(share),
            }
        };
        if scene > 0 && self.transition_into(scene).contains(&k) {
            between(scene)
        } else if scene + 1 < self.scenes() && self.transition_into(scene + 1).contains(&k) {
            between(scene + 1)
        } else {
            Moment { scene, next: None }
        }
    }

    /// The frames of the transition into a scene, centred on its cut.
    fn transition_into(&self, scene: usize) -> Range<u32> {
        let frames = self.transitions[scene];
        let start = self.cuts[scene] - frames / 2;
        start..start + frames
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::spec::{Asset, BadPhotos, Frame, Motion, Move, Output, Scene, Source, Transition};

    fn timeline(scenes: usize, length: f64) -> Timeline {
        timeline_of(&vec![None; scenes], length)
    }

    fn timeline_of(seconds: &[Option<f64>], length: f64) -> Timeline {
        timeline_with(seconds, length, 0.8, &[])
    }

    fn timeline_with(
        seconds: &[Option<f64>],
        length: f64,
        transition: f64,
        beats: &[f64],
    ) -> Timeline {
        let photo = Asset {
            label: "photo".into(),
            source: Source::Url(String::new()),
        };
        let scene = |seconds: &Option<f64>| Scene {
            seconds: *seconds,
            ..Scene::new(photo.clone(), Motion::Eased(Move::ZoomIn))
        };
        let spec = VideoSpec {
            scenes: seconds.iter().map(scene).collect(),
            transition: Transition {
                kind: TransitionKind::Fade,
                seconds: transition,
            },
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length,
                frame_rate: 30,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
                max_bytes: None,
            },
            cut_on_beat: false,
            music_volume: 1.0,
            bad_photos: BadPhotos::Fail,
        };
        Timeline::new(&spec, beats)
    }

    /// In spans that follow one another, and in transitions that go forward.
    fn shows_its_scenes(timeline: &Timeline, scenes: usize) -> Result<(), TestCaseError> {
        prop_assert_eq!(timeline.scenes(), scenes);
        let mut before = None;
        for k in 0..timeline.frames() {
            let Moment { scene, next } = timeline.at(k);
            prop_assert!(timeline.span(scene).contains(&k));
            if let Some(share) = next {
                prop_assert!(share > 0.0 && share < 1.0);
                prop_assert!(timeline.span(scene + 1).contains(&k));
            } else {
                prop_assert!(timeline.alone(scene).contains(&k));
            }
            let at = scene as f64 + next.unwrap_or(0.0);
            prop_assert!(
                before.is_none_or(|before| at >= before),
                "it goes back at {}",
                k
            );
            before = Some(at);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn whatever_times_scenes_have_each_frame_shows_them_in_order(
            seconds in vec(option::of(0.0..20.0_f64), 1..40),
            length in 0.1..60.0_f64,
            transition in 0.0..5.0_f64,
            tempo in option::of(40.0..200.0_f64),
        ) {
            let beat = |tempo: f64| move |n: u32| f64::from(n) * 60.0 / tempo;
            let beats = tempo.map(|tempo| (0..300).map(beat(tempo)).collect());
            let beats: Vec<f64> = beats.unwrap_or_default();
            let timeline = timeline_with(&seconds, length, transition, &beats);
            shows_its_scenes(&timeline, seconds.len())?;
        }
    }

    #[test]
    fn every_frame_shows_the_scenes_whose_spans_hold_it() {
        for scenes in 1..=100 {
            let timeline = timeline(scenes, 30.0);
            assert_eq!(timeline.frames(), 900);
            for k in 0..900 {
                let Moment { scene, next } = timeline.at(k);
                let shown: Vec<usize> = (0..scenes)
                    .filter(|i| timeline.span(*i).contains(&k))
                    .collect();
                let mut made_of = vec![scene];
                made_of.extend(next.map(|_| scene + 1));
                assert_eq!(made_of, shown, "frame {k} of {scenes} scenes");
            }
        }
    }

    #[test]
    fn a_fade_goes_in_even_steps_around_its_cut() {
        let timeline = timeline(2, 30.0);
        assert_eq!(timeline.at(437).next, None);
        let shares: Vec<f64> = (438..462).filter_map(|k| timeline.at(k).next).collect();
        let even: Vec<f64> = (1..=24).map(|step| f64::from(step) / 25.0).collect();
        assert_eq!(shares, even);
        assert_eq!(
            timeline.at(462),
            Moment {
                scene: 1,
                next: None
            }
        );
    }

    #[test]
    fn scenes_with_a_time_have_it_and_the_others_share_the_rest() {
        let cuts = |seconds: &[Option<f64>]| timeline_of(seconds, 10.0).cuts;
        assert_eq!(cuts(&[Some(4.0), None, None]), [0, 120, 210, 300]);
        assert_eq!(cuts(&[Some(1.0), Some(3.0)]), [0, 75, 300]);
        // Nothing is left: all are shorter.
        assert_eq!(cuts(&[Some(19.0), None]), [0, 285, 300]);
        assert_eq!(cuts(&[Some(0.0), None]), [0, 0, 300]);
    }

    #[test]
    fn a_transition_takes_a_fifth_of_the_shorter_scene_at_most() {
        let timeline = timeline_of(&[Some(1.0), Some(9.0)], 10.0);
        assert_eq!(timeline.span(0), 0..33);
        assert_eq!(timeline.span(1), 27..300);
    }

    #[test]
    fn short_scenes_are_cut() {
        let timeline = timeline(100, 30.0);
        assert!((0..900).all(|k| timeline.at(k).next.is_none()));
        assert_eq!(timeline.span(99), 891..900);
    }
}
