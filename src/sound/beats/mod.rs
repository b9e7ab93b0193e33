//! The beats of music.
//!
//! ```text
//! spectrum ─ stereo frames → levels of frequency bands, 200 times a second
//! onset ─ levels → onset strength: how much louder the sound gets
//! tempo ─ onset strength → beat periods worth trying, and how clear each is
//! track ─ onset strength and a period → beats
//! ```

mod onset;
#[cfg(test)]
mod signals;
mod spectrum;
mod tempo;
mod track;

use onset::Onsets;
use tempo::Tempogram;
use track::Track;

/// The mean strength of all beats, relative to that of every second one, from which all count.
const AS_STRONG: f64 = 0.85;

/// The beats of a piece of music.
#[derive(Clone, Debug, PartialEq)]
pub struct Beats {
    /// Beats in a minute. May be half or twice what a listener would count.
    pub tempo: f64,
    /// In seconds from the first frame, ascending.
    pub times: Vec<f64>,
}

impl Beats {
    /// Finds the beats of stereo sound with `rate` frames a second. `None` where none can be told: silence, speech, noise,
    /// sustained sounds, and clips of less than about three beats.
    pub fn find(frames: impl Iterator<Item = [i16; 2]>, rate: u32) -> Option<Beats> {
        let onsets = Onsets::new(frames, rate)?;
        let tempogram = Tempogram::new(&onsets.strength);
        let tracks = tempogram.candidates().into_iter().map(|candidate| {
            let track = Track::new(&onsets.strength, candidate.period);
            (candidate.weight * track.strength, candidate, track)
        });
        let (_, candidate, track) = tracks.max_by(|a, b| a.0.total_cmp(&b.0))?;
        if !tempogram.is_clear(candidate.period) {
            return None;
        }
        let track = faster(&onsets.strength, candidate.period, track);
        let times: Vec<f64> = track.beats.iter().map(|beat| onsets.time(*beat)).collect();
        Some(Beats {
            tempo: 60.0 / median_gap(&times)?,
            times,
        })
    }
}

/// A track of twice the tempo, if there are onsets between the beats that are about as strong: every second beat may
/// look like all of them.
fn faster(strength: &[f32], period: f64, track: Track) -> Track {
    if period / 2.0 < tempo::FASTEST as f64 {
        return track;
    }
    let doubled = Track::new(strength, period / 2.0);
    match doubled.strength >= AS_STRONG * track.strength {
        true => doubled,
        false => track,
    }
}

fn median_gap(times: &[f64]) -> Option<f64> {
    let mut gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use signals::{Click, Signal, steady};

    /// In seconds: the largest distance of a beat from the nearest of `expected`.
    fn error(beats: &Beats, expected: &[f64]) -> f64 {
        let distance = |time: &f64| {
            let distances = expected.iter().map(|expected| (time - expected).abs());
            distances.fold(f64::INFINITY, f64::min)
        };
        beats.times.iter().map(distance).fold(0.0, f64::max)
    }

    fn find(signal: &Signal) -> Option<Beats> {
        Beats::find(signal.frames(), signal.rate)
    }

    #[test]
    fn beats_lie_on_clicks() {
        let rates = [8000, 44_100, 16_000, 48_000, 22_050];
        let tempos = [70.0, 84.0, 97.0, 110.0, 126.0, 140.0, 160.0, 180.0];
        for click in [Click::Sine, Click::Noise, Click::Drums] {
            for (i, tempo) in tempos.into_iter().enumerate() {
                let expected = steady(0.11 * i as f64, tempo, 8.0);
                let mut signal = Signal::clicks(rates[i % rates.len()], 8.0, click, &expected);
                signal.noise(if i % 2 == 0 { 0.05 } else { 0.0 });
                let beats = find(&signal).unwrap();
                let ratio = beats.tempo / tempo;
                assert!((ratio - 1.0).abs() < 0.01 || (ratio - 0.5).abs() < 0.01);
                assert!(error(&beats, &expected) < 0.005, "{click:?} at {tempo} bpm");
                let missed = expected.len() as f64 * ratio - beats.times.len() as f64;
                assert!(missed < 2.0, "{missed} of {click:?} at {tempo} bpm");
            }
        }
    }

    #[test]
    fn the_beat_may_drift() {
        let tempo = |time: f64| 100.0 + 6.0 * (0.4 * time).sin();
        let expected: Vec<f64> =
            std::iter::successors(Some(0.3), |time| Some(time + 60.0 / tempo(*time)))
                .take_while(|time| *time < 19.9)
                .collect();
        let signal = Signal::clicks(16_000, 20.0, Click::Drums, &expected);
        let beats = find(&signal).unwrap();
        let error = error(&beats, &expected);
        assert!(error < 0.005, "{error}");
        assert!(expected.len() - beats.times.len() < 2);
    }

    #[test]
    fn the_beat_starts_anew_at_the_seam_of_a_loop() {
        let bars = |start: f64| steady(start, 120.0, start + 5.3);
        let expected: Vec<f64> = [0.1, 5.4, 10.7, 16.0].into_iter().flat_map(bars).collect();
        let signal = Signal::clicks(16_000, 21.3, Click::Drums, &expected);
        assert!(error(&find(&signal).unwrap(), &expected) < 0.005);
    }

    #[test]
    fn loudness_and_fades_do_not_matter() {
        let expected = steady(0.2, 104.0, 12.0);
        let mut signal = Signal::clicks(22_050, 12.0, Click::Drums, &expected);
        for (i, sample) in signal.samples.iter_mut().enumerate() {
            let time = i as f64 / 22_050.0;
            *sample *= 0.03 * (time / 3.0).min((12.0 - time) / 3.0).min(1.0);
        }
        let beats = find(&signal).unwrap();
        assert!(error(&beats, &expected) < 0.008);
        assert!(expected.len() - beats.times.len() < 3);
    }

    #[test]
    fn sound_without_a_beat_has_none() {
        let new = || Signal::silence(16_000, 10.0);
        let mut sounds = vec![new()];
        let mut noise = new();
        noise.noise(0.3);
        sounds.push(noise);
        let mut drone = new();
        drone.tone(0.0, 10.0, 110.0, 0.1, 0.0);
        sounds.push(drone);
        let mut vibrato = new();
        let wave = |time: f64, _| 0.3 * (1380.0 * time + 3.0 * (35.0 * time).sin()).sin();
        vibrato.add(0.0, 10.0, wave);
        sounds.push(vibrato);
        let mut syllables = new();
        let mut time = 0.1;
        while time < 9.7 {
            let pitch = 140.0 + 40.0 * syllables.random();
            syllables.tone(time, 0.2, pitch, 0.03, 8.0);
            time += 0.25 + 0.12 * syllables.random();
        }
        syllables.noise(0.003);
        sounds.push(syllables);
        for (i, sound) in sounds.iter().enumerate() {
            assert_eq!(find(sound), None, "sound {i}");
        }
    }

    #[test]
    fn any_length_and_rate_is_accepted() {
        for rate in [0, 1, 1999, 2000, 4000, 11_025, 96_000, 384_000] {
            for frames in [0, 1, 100, 5000, 50_000] {
                let frames =
                    (0..frames).map(|i: u32| [i.wrapping_mul(i).wrapping_mul(37) as i16; 2]);
                let beats = Beats::find(frames, rate);
                assert!(beats.is_none_or(|beats| beats.times.is_sorted()));
            }
        }
    }
}
