//! A clip cut or looped to a length, faded in and out, and limited in loudness. Frames are computed one by one, so that
//! only the clip takes memory.

/// In seconds. A start in the middle of a wave clicks without a fade; a longer one would hide a first beat.
const FADE_IN: f64 = 0.3;

/// In seconds. Long enough for the end to sound intended.
const FADE_OUT: f64 = 1.5;

/// In seconds: the cross-fade between repetitions. Long enough not to click, too short for two beats to be heard.
const LOOP_FADE: f64 = 0.02;

/// -3 dBFS: the limit for the highest sample. Resampling and lossy encoding overshoot, and the peak of the decoded result
/// has to stay below -1 dBFS.
const MAX_PEAK: f32 = 0.707_945_8;

/// -13.5 dBFS: the limit for the RMS level of a channel in its loudest window, about as loud as streaming services play.
/// Dense sound has peaks up to 12 dB above its RMS level once it is encoded as AAC, whatever its peaks were before.
const MAX_RMS: f32 = 0.211_348_9;

/// In seconds: the window of windowary loudness (ITU-R BS.1771).
const WINDOW: f64 = 0.4;

/// A clip and how it is played. Lengths are in frames.
#[derive(Clone, Debug)]
pub(super) struct Arrangement {
    clip: Vec<[f32; 2]>,
    length: usize,
    /// From one start of the clip to the next. Its last frames, beyond this, fade into the repetition.
    period: usize,
    fade_in: f32,
    fade_out: f32,
    gain: f32,
}

impl Arrangement {
    /// Plays `clip` for `length` seconds. An empty clip is silence.
    pub(super) fn new(clip: Vec<[f32; 2]>, rate: u32, length: f64) -> Arrangement {
        let rate = f64::from(rate);
        let length = length.max(0.0);
        let frames = (length * rate).round() as usize;
        let overlap = if clip.len() < frames {
            ((LOOP_FADE * rate) as usize).min(clip.len() / 4)
        } else {
            0
        };
        let shrink = (length / (FADE_IN + FADE_OUT)).min(1.0);
        let mut arrangement = Arrangement {
            length: frames,
            period: clip.len() - overlap,
            clip,
            fade_in: (FADE_IN * shrink * rate) as f32,
            fade_out: (FADE_OUT * shrink * rate) as f32,
            gain: 1.0,
        };
        arrangement.gain = arrangement.gain_limit((WINDOW * rate) as usize);
        arrangement
    }

    /// All frames in order, rounded without dither: the encoder is lossy anyway, and silence stays silent.
    pub(super) fn frames(&self) -> impl ExactSizeIterator<Item = [i16; 2]> + '_ {
        (0..self.length).map(|i| {
            self.frame(i)
                .map(|sample| (sample * self.gain * 32_768.0).round() as i16)
        })
    }

    /// The highest gain, up to 1, that keeps both limits. `window` is in frames.
    fn gain_limit(&self, window: usize) -> f32 {
        let (mut peak, mut power) = (0.0_f32, 0.0_f64);
        for start in (0..self.length).step_by(window.max(1)) {
            let mut squares = [0.0; 2];
            for i in start..self.length.min(start + window) {
                for (sum, sample) in squares.iter_mut().zip(self.frame(i)) {
                    peak = peak.max(sample.abs());
                    *sum += f64::from(sample).powi(2);
                }
            }
            power = power.max(squares[0].max(squares[1]) / window as f64);
        }
        let limit = |limit: f32, level: f32| if level > limit { limit / level } else { 1.0 };
        limit(MAX_PEAK, peak).min(limit(MAX_RMS, power.sqrt() as f32))
    }

    fn frame(&self, i: usize) -> [f32; 2] {
        let fade = self.fade(i);
        self.looped(i).map(|sample| sample * fade)
    }

    /// The gain of the fades: linear, and 0 at the first frame and at the last.
    fn fade(&self, i: usize) -> f32 {
        let up = i as f32 / self.fade_in;
        let down = (self.length - 1 - i) as f32 / self.fade_out;
        up.min(down).min(1.0)
    }

    fn looped(&self, i: usize) -> [f32; 2] {
        if self.clip.is_empty() {
            return [0.0; 2];
        }
        let (repetition, at) = (i / self.period, i % self.period);
        let head = self.clip[at];
        // A linear cross-fade is never louder than the louder of its two parts.
        match self.clip.get(self.period + at) {
            Some(tail) if repetition > 0 => {
                let overlap = self.clip.len() - self.period;
                let weight = (at + 1) as f32 / (overlap + 1) as f32;
                [0, 1].map(|channel| head[channel] * weight + tail[channel] * (1.0 - weight))
            }
            _ => head,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn constant(level: f32, seconds: f64) -> Vec<[f32; 2]> {
        vec![[level; 2]; (seconds * f64::from(RATE)) as usize]
    }

    fn left(clip: Vec<[f32; 2]>, length: f64) -> Vec<i16> {
        let arrangement = Arrangement::new(clip, RATE, length);
        arrangement.frames().map(|[left, _]| left).collect()
    }

    #[test]
    fn lasts_as_long_as_asked() {
        for (clip, length, frames) in [
            (10.0, 2.5, 120_000),
            (0.5, 2.5, 120_000),
            (0.000_03, 1.0, 48_000),
            (1.0, 1.0 / 3.0, 16_000),
            (1.0, 0.0, 0),
        ] {
            assert_eq!(left(constant(0.1, clip), length).len(), frames);
        }
    }

    #[test]
    fn fades_in_and_out_into_silence() {
        let samples = left(constant(0.125, 10.0), 10.0);
        let at = |seconds: f64| i32::from(samples[(seconds * f64::from(RATE)) as usize]);
        assert_eq!((samples[0], samples[479_999]), (0, 0));
        assert!((at(0.15) - 2048).abs() < 10);
        assert_eq!((at(0.31), at(8.49)), (4096, 4096));
        assert!((at(9.25) - 2048).abs() < 10);
    }

    #[test]
    fn fades_shrink_with_the_length() {
        let samples = left(constant(0.125, 10.0), 0.9);
        assert_eq!((samples[0], samples[43_199]), (0, 0));
        // A sixth of the time goes up, the rest down.
        let peak = samples.iter().position(|&s| s > 4094).unwrap();
        assert!((7_190..7_210).contains(&peak), "{peak}");
    }

    #[test]
    fn repetitions_join_without_a_step() {
        // One and a quarter periods of a wave, so that the end does not fit the beginning.
        let wave = |i: usize| (i as f32 * std::f32::consts::TAU / 19_200.0).sin() * 0.3;
        for frames in [24_000, 9_600] {
            let clip: Vec<_> = (0..frames).map(|i| [wave(i); 2]).collect();
            let samples = left(clip, 5.0);
            let step = samples.windows(2).map(|w| (w[1] - w[0]).abs()).max();
            assert!(step < Some(40), "{step:?}");
        }
    }

    #[test]
    fn only_the_loud_is_turned_down() {
        // A click every hundred frames has a peak and hardly any power, a constant has both.
        let clicks = |level| {
            let click = |i| if i % 100 == 0 { [level; 2] } else { [0.0; 2] };
            (0..240_000).map(click).collect()
        };
        let peak = |clip| left(clip, 5.0).into_iter().max();
        assert_eq!(peak(clicks(0.7)), Some(22_938));
        assert_eq!(peak(clicks(1.0)), Some(23_198));
        assert_eq!(peak(clicks(2.0)), Some(23_198));
        assert_eq!(peak(constant(0.2, 5.0)), Some(6_554));
        assert_eq!(peak(constant(1.0, 5.0)), Some(6_925));
        assert_eq!(peak(constant(30_000.0, 5.0)), Some(6_925));
        assert_eq!(peak(constant(0.0, 5.0)), Some(0));
    }
}
