//! The timeline: which scenes make frame `k`. Pure.

use std::ops::Range;

use crate::spec::VideoSpec;

/// A scene lasts at least this many times as long as a cross-fade.
const SCENE_TO_FADE: u32 = 3;
/// Frames below which a cross-fade would look like a defect, so that a cut replaces it.
const MIN_FADE: u32 = 4;

/// The scenes of a video and their frames.
pub struct Timeline {
    /// The first frame of each scene, or the middle of the cross-fade into it; last, the number of
    /// frames.
    cuts: Vec<u32>,
    /// Frames of a cross-fade; 0 for cuts.
    fade: u32,
}

/// The scenes of one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    pub scene: usize,
    /// In a cross-fade, the opacity of the scene after it, between 0 and 1.
    pub next: Option<f64>,
}

impl Timeline {
    pub fn new(spec: &VideoSpec) -> Self {
        let frames = spec.output.frames();
        let scenes = spec.scenes.len() as u64;
        let cut = |i: u64| ((2 * i * u64::from(frames) + scenes) / (2 * scenes)) as u32;
        let wanted = (spec.crossfade * f64::from(spec.output.frame_rate)).round() as u32;
        let fade = wanted.min(frames / scenes as u32 / SCENE_TO_FADE);
        Self {
            cuts: (0..=scenes).map(cut).collect(),
            fade: if fade < MIN_FADE { 0 } else { fade },
        }
    }

    pub fn frames(&self) -> u32 {
        self.cuts[self.scenes()]
    }

    pub fn scenes(&self) -> usize {
        self.cuts.len() - 1
    }

    /// The frames that show a scene, including its cross-fades.
    pub fn span(&self, scene: usize) -> Range<u32> {
        let start = if scene == 0 {
            0
        } else {
            self.fade_in(scene).start
        };
        let end = if scene + 1 == self.scenes() {
            self.frames()
        } else {
            self.fade_in(scene + 1).end
        };
        start..end
    }

    pub fn at(&self, k: u32) -> Moment {
        let scene = self.cuts.partition_point(|cut| *cut <= k) - 1;
        let faded = |scene: usize| {
            let fade = self.fade_in(scene);
            let share = f64::from(k - fade.start + 1) / f64::from(self.fade + 1);
            Moment {
                scene: scene - 1,
                next: Some(share),
            }
        };
        if scene > 0 && self.fade_in(scene).contains(&k) {
            faded(scene)
        } else if scene + 1 < self.scenes() && self.fade_in(scene + 1).contains(&k) {
            faded(scene + 1)
        } else {
            Moment { scene, next: None }
        }
    }

    /// The frames of the cross-fade into a scene, centred on its cut.
    fn fade_in(&self, scene: usize) -> Range<u32> {
        let start = self.cuts[scene] - self.fade / 2;
        start..start + self.fade
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Asset, Frame, Motion, Move, Output, Scene, Source};

    fn timeline(scenes: usize, length: f64) -> Timeline {
        let scene = Scene {
            photo: Asset {
                label: "photo".into(),
                source: Source::Url(String::new()),
            },
            motion: Motion::Eased(Move::ZoomIn),
        };
        Timeline::new(&VideoSpec {
            scenes: vec![scene; scenes],
            crossfade: 0.8,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length,
                frame_rate: 30,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
            },
        })
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
    fn short_scenes_are_cut() {
        let timeline = timeline(100, 30.0);
        assert!((0..900).all(|k| timeline.at(k).next.is_none()));
        assert_eq!(timeline.span(99), 891..900);
    }
}
