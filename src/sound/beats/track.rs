//! Beats that fall on onsets and keep a tempo: dynamic programming after Ellis, "Beat tracking by dynamic programming"
//! (2007).

use super::onset::blurred;

/// In steps: how far an onset may be from its beat.
const BLUR: f32 = 2.0;

/// The cost of a squared logarithm of the ratio of a gap to the period: a tempo may drift by 10 %.
const TIGHTNESS: f32 = 100.0;

/// The highest cost of a gap: at the seam of a loop, the beat starts anew.
const SEAM: f32 = 6.0;

/// Of the mean: weaker beats are dropped at the start and at the end, where the beat continues into silence.
const FAINT: f32 = 0.3;

/// In steps: how far the strongest rise of an onset may be from its beat.
const REACH: usize = 5;

/// Of the RMS strength: weaker onsets do not move a beat.
const WEAK: f32 = 0.5;

/// Beats of about one period.
pub struct Track {
    /// In steps, between which they may lie.
    pub beats: Vec<f64>,
    /// The mean onset strength.
    pub strength: f64,
}

impl Track {
    /// `period` is in steps.
    pub fn new(strength: &[f32], period: f64) -> Track {
        let blurred = blurred(strength, BLUR);
        let beats = trimmed(best_path(&blurred, period), &blurred);
        Track {
            strength: f64::from(mean(&beats, &blurred)),
            beats: beats.iter().map(|beat| refined(*beat, strength)).collect(),
        }
    }
}

/// The beats with the highest sum of onset strengths less costs of gaps.
fn best_path(strength: &[f32], period: f64) -> Vec<usize> {
    let (near, far) = ((period / 2.0) as usize, (period * 2.0) as usize);
    let cost = |gap: usize| (TIGHTNESS * ((gap as f64 / period).ln() as f32).powi(2)).min(SEAM);
    let costs: Vec<f32> = (near..=far).rev().map(cost).collect();
    let mut scores: Vec<f32> = Vec::with_capacity(strength.len());
    let mut previous = Vec::with_capacity(strength.len());
    for (i, strength) in strength.iter().enumerate() {
        let places = i.saturating_sub(far)..(i + 1).saturating_sub(near);
        let costs = &costs[costs.len() - places.len()..];
        // Nothing before it is better than a detour.
        let (mut best, mut from) = (0.0, None);
        for ((place, score), cost) in places.clone().zip(&scores[places]).zip(costs) {
            if score - cost > best {
                (best, from) = (score - cost, Some(place));
            }
        }
        scores.push(strength + best);
        previous.push(from);
    }
    let last = strength.len().saturating_sub(period as usize)..strength.len();
    let last = last.max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut beats: Vec<usize> = std::iter::successors(last, |beat| previous[*beat]).collect();
    beats.reverse();
    beats
}

fn trimmed(mut beats: Vec<usize>, strength: &[f32]) -> Vec<usize> {
    let faint = FAINT * mean(&beats, strength);
    let loud = |beat: &usize| strength[*beat] > faint;
    beats.truncate(beats.iter().rposition(loud).map_or(0, |last| last + 1));
    beats.drain(..beats.iter().position(loud).unwrap_or_default());
    beats
}

fn mean(beats: &[usize], strength: &[f32]) -> f32 {
    beats.iter().map(|beat| strength[*beat]).sum::<f32>() / beats.len().max(1) as f32
}

/// The place of the strongest rise near a beat: the top of the parabola through three values.
fn refined(beat: usize, strength: &[f32]) -> f64 {
    let places = beat.saturating_sub(REACH).max(1)..(beat + REACH + 1).min(strength.len() - 1);
    let peak = places.max_by(|a, b| strength[*a].total_cmp(&strength[*b]));
    let Some(peak) = peak.filter(|peak| strength[*peak] > WEAK) else {
        return beat as f64;
    };
    let [before, top, after] = [peak - 1, peak, peak + 1].map(|place| f64::from(strength[place]));
    let bend = before - 2.0 * top + after;
    let shift = if bend < 0.0 {
        (before - after) / (2.0 * bend)
    } else {
        0.0
    };
    peak as f64 + shift.clamp(-0.5, 0.5)
}
