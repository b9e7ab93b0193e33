//! The cuts between the scenes of a video: by the durations of the scenes, or on beats near there. Pure.

use std::ops::Range;

use crate::spec::Scene;

/// The least that scenes without a time of their own get, as a fraction of an equal share.
const LEAST_SHARE: f64 = 0.2;

/// How much the time in which a photo is seen may differ from its plan, as a fraction of it; more where beats are too
/// far apart for that.
pub const SLACK: f64 = 0.25;
const MOST_SLACK: f64 = 0.5;

/// How long a scene is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Seconds.
    pub length: f64,
    /// Of these, those beside the time for titles.
    pub share: f64,
}

/// The most of a video that is time for titles beside that of photos.
const MOST_EXTRA: f64 = 0.8;

/// How the time of a video is divided.
struct Division {
    /// Of each scene without a time of its own, before all are multiplied by the factor.
    share: f64,
    /// By which all are multiplied, so that they fill what the time for titles leaves.
    factor: f64,
    /// The part of the time for titles that they get.
    extra: f64,
}

/// How long the scenes of a video of `length` seconds are to be.
pub fn plans(scenes: &[Scene], length: f64) -> Vec<Plan> {
    let division = divide(scenes, length);
    let plan = |scene: &Scene| {
        let share = division.factor * scene.seconds.unwrap_or(division.share);
        Plan {
            length: share + division.extra * scene.extra,
            share,
        }
    };
    scenes.iter().map(plan).collect()
}

/// By what the durations of scenes with a time of their own are multiplied, to fill a video of `length` seconds with the
/// others and the time for titles.
pub fn duration_factor(scenes: &[Scene], length: f64) -> f64 {
    divide(scenes, length).factor
}

fn divide(scenes: &[Scene], length: f64) -> Division {
    let extra: f64 = scenes.iter().map(|scene| scene.extra).sum();
    let given = match extra {
        0.0 => 1.0,
        _ => (MOST_EXTRA * length / extra).min(1.0),
    };
    let shown = length - given * extra;
    let own: f64 = scenes.iter().filter_map(|scene| scene.seconds).sum();
    let sharing = scenes
        .iter()
        .filter(|scene| scene.seconds.is_none())
        .count();
    let least = LEAST_SHARE * shown / scenes.len() as f64;
    let share = ((shown - own) / sharing as f64).max(least);
    let seconds = scenes.iter().map(|scene| scene.seconds.unwrap_or(share));
    Division {
        share,
        factor: shown / seconds.sum::<f64>(),
        extra: given,
    }
}

/// The cuts between scenes of these lengths, in seconds.
pub fn cuts(plans: &[Plan]) -> Vec<f64> {
    let mut end = 0.0;
    let ends = plans.iter().map(|plan| {
        end += plan.length;
        end
    });
    ends.take(plans.len().saturating_sub(1)).collect()
}

/// A cut, or an end of the video.
#[derive(Clone, Copy)]
struct Cut {
    time: f64,
    /// The least sum of squared moves of the cuts up to this one; infinite where it cannot be reached.
    cost: f64,
    /// The index of the cut before it, among those possible there.
    previous: usize,
}

/// Cuts on beats.
#[derive(Debug, PartialEq)]
pub struct CutsOnBeats {
    /// In seconds.
    pub cuts: Vec<f64>,
    /// The most by which the time in which a photo is seen differs from its plan, as a fraction of it.
    pub deviation: f64,
}

/// Moves the cuts between the scenes of a video to beats, so that the time in which each photo is seen stays within 25 %
/// of its plan, or else within 50 %, and the sum of the squared moves is the least possible.
///
/// `times` are the beats, in seconds from the start, ascending. `None` if they are too far apart.
pub fn on_beats(times: &[f64], plans: &[Plan]) -> Option<CutsOnBeats> {
    let mut slacks = [SLACK, MOST_SLACK].into_iter();
    let cuts = slacks.find_map(|slack| within(slack, times, plans))?;
    let length: f64 = plans.iter().map(|plan| plan.length).sum();
    let ends = [&[0.0], &cuts[..], &[length]].concat();
    let lengths = ends.windows(2).map(|scene| scene[1] - scene[0]);
    let deviations = lengths
        .zip(plans)
        .map(|(length, plan)| (length - plan.length).abs() / plan.share);
    let deviation = deviations.fold(0.0, f64::max);
    Some(CutsOnBeats { cuts, deviation })
}

fn within(slack: f64, times: &[f64], plans: &[Plan]) -> Option<Vec<f64>> {
    let start = Cut {
        time: 0.0,
        cost: 0.0,
        previous: 0,
    };
    let mut stages = vec![vec![start]];
    let mut planned = 0.0;
    for (scene, plan) in plans.iter().enumerate() {
        planned += plan.length;
        let last = scene + 1 == plans.len();
        let places = if last {
            std::slice::from_ref(&planned)
        } else {
            times
        };
        let before = &stages[scene];
        let slack = slack * plan.share;
        let lengths = plan.length - slack..plan.length + slack;
        let cut = |time: &f64| best_cut(before, *time, planned, &lengths);
        let cuts = places.iter().map(cut).collect();
        stages.push(cuts);
    }
    let mut cut = stages.pop()?.pop().filter(|end| end.cost.is_finite())?;
    let mut chosen = Vec::with_capacity(plans.len());
    for stage in stages.iter().skip(1).rev() {
        cut = stage[cut.previous];
        chosen.push(cut.time);
    }
    chosen.reverse();
    Some(chosen)
}

/// A cut at `time` instead of `planned`, which ends a scene that lasts so many seconds.
fn best_cut(before: &[Cut], time: f64, planned: f64, scene: &Range<f64>) -> Cut {
    let latest = time - scene.start;
    let earliest = time - scene.end;
    let first = before.partition_point(|cut| cut.time < earliest);
    let end = before.partition_point(|cut| cut.time <= latest && cut.time < time);
    let reachable = (first..end).min_by(|a, b| before[*a].cost.total_cmp(&before[*b].cost));
    Cut {
        time,
        cost: reachable.map_or(f64::INFINITY, |i| before[i].cost) + (time - planned).powi(2),
        previous: reachable.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(tempo: f64, length: f64) -> Vec<f64> {
        (0..)
            .map(|i| 0.2 + f64::from(i) * 60.0 / tempo)
            .take_while(|time| *time < length)
            .collect()
    }

    fn even(scenes: u32, length: f64) -> Vec<f64> {
        (1..scenes)
            .map(|i| length * f64::from(i) / f64::from(scenes))
            .collect()
    }

    /// Scenes between these cuts, without titles.
    fn plans_of(planned: &[f64], length: f64) -> Vec<Plan> {
        let ends = [&[0.0], planned, &[length]].concat();
        let lengths = ends.windows(2).map(|scene| scene[1] - scene[0]);
        let plan = |length| Plan {
            length,
            share: length,
        };
        lengths.map(plan).collect()
    }

    fn cuts_of(times: &[f64], planned: &[f64], length: f64) -> Option<Vec<f64>> {
        on_beats(times, &plans_of(planned, length)).map(|moved| moved.cuts)
    }

    #[test]
    fn cuts_go_to_the_nearest_beats() {
        assert_eq!(
            cuts_of(&[0.9, 2.1, 2.9], &[1.0, 2.0, 3.0], 4.0),
            Some(vec![0.9, 2.1, 2.9])
        );
        assert_eq!(cuts_of(&[0.9, 2.1], &[1.0, 2.0, 3.0], 4.0), None);
        assert_eq!(cuts_of(&[0.5, 1.0, 1.5], &[], 2.0), Some(vec![]));
        assert_eq!(cuts_of(&[], &[1.0], 2.0), None);
    }

    #[test]
    fn a_scene_never_differs_by_more_than_a_quarter() {
        // The nearest beats would leave 0.7 s of 1 s.
        assert_eq!(
            cuts_of(&[1.2, 1.25, 1.9, 2.1], &[1.0, 2.0], 3.0),
            Some(vec![1.2, 2.1])
        );
        for scenes in 1..40 {
            for tempo in [40.0, 70.0, 101.0, 180.0] {
                let planned = even(scenes, 30.0);
                let Some(cuts) = within(SLACK, &beats(tempo, 30.0), &plans_of(&planned, 30.0))
                else {
                    let scene = 30.0 / f64::from(scenes);
                    assert!(scene < 4.0 * 60.0 / tempo, "{scenes} scenes at {tempo} bpm");
                    continue;
                };
                assert_eq!(cuts.len(), planned.len());
                let ends = |cuts: &[f64]| [&[0.0], cuts, &[30.0]].concat();
                for (scene, plan) in ends(&cuts).windows(2).zip(ends(&planned).windows(2)) {
                    let ratio = (scene[1] - scene[0]) / (plan[1] - plan[0]);
                    assert!((ratio - 1.0).abs() < SLACK + 1e-9);
                }
            }
        }
    }

    #[test]
    fn where_a_quarter_is_too_little_a_half_may_do() {
        let times = beats(110.0, 30.0);
        let plans = plans_of(&even(20, 30.0), 30.0);
        assert_eq!(within(SLACK, &times, &plans), None);
        let moved = on_beats(&times, &plans).unwrap();
        assert!(moved.cuts.iter().all(|cut| times.contains(cut)));
        assert!(
            (0.25..0.5).contains(&moved.deviation),
            "{}",
            moved.deviation
        );
    }

    #[test]
    fn titles_leave_their_photos_their_time() {
        // Three seconds of the last scene are under a card.
        let mut plans = plans_of(&[2.0, 4.0], 9.0);
        plans[2].share = 2.0;
        assert_eq!(within(SLACK, &[2.0, 4.6], &plans), None);
        assert_eq!(within(SLACK, &[2.0, 4.4], &plans), Some(vec![2.0, 4.4]));
    }

    #[test]
    fn too_many_scenes_have_no_cuts_on_beats() {
        assert_eq!(cuts_of(&beats(40.0, 60.0), &even(100, 60.0), 60.0), None);
    }

    #[test]
    fn moves_are_the_least_possible() {
        let times = [0.8, 1.1, 1.9, 2.3, 2.5, 3.2, 3.9, 4.4];
        let planned = [1.0, 2.0, 3.5];
        let is_near = |length: f64, plan: f64| (length / plan - 1.0).abs() <= SLACK;
        let mut least = f64::INFINITY;
        for a in times {
            for b in times {
                for c in times {
                    let lengths = is_near(a, 1.0) && is_near(b - a, 1.0) && is_near(c - b, 1.5);
                    if lengths && is_near(5.0 - c, 1.5) {
                        let moves = [a - 1.0, b - 2.0, c - 3.5];
                        least = least.min(moves.iter().map(|x| x * x).sum());
                    }
                }
            }
        }
        let found = cuts_of(&times, &planned, 5.0).unwrap();
        let moves = found
            .iter()
            .zip(planned)
            .map(|(cut, plan)| (cut - plan).powi(2));
        assert_eq!(moves.sum::<f64>(), least);
    }
}
