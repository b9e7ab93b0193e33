//! Synthetic sounds for the tests.

use std::f64::consts::TAU;

/// A sound under construction: samples and their rate.
pub struct Signal {
    pub rate: u32,
    pub samples: Vec<f64>,
    random: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Click {
    Sine,
    Noise,
    Drums,
}

impl Signal {
    pub fn silence(rate: u32, seconds: f64) -> Signal {
        Signal {
            rate,
            samples: vec![0.0; (seconds * f64::from(rate)) as usize],
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Uniform, between -1 and 1.
    pub fn random(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// Adds `wave(seconds since start, noise)` for `length` seconds from `start`.
    pub fn add(&mut self, start: f64, length: f64, wave: impl Fn(f64, f64) -> f64) {
        let rate = f64::from(self.rate);
        let first = (start * rate).ceil() as usize;
        let last = (((start + length) * rate) as usize).min(self.samples.len());
        for i in first..last.max(first) {
            let noise = self.random();
            self.samples[i] += wave(i as f64 / rate - start, noise);
        }
    }

    pub fn click(&mut self, click: Click, start: f64) {
        match click {
            Click::Sine => self.add(start, 0.05, |t, _| {
                0.5 * (TAU * 1000.0 * t).sin() * (t / 0.002).min(1.0) * (-t * 80.0).exp()
            }),
            Click::Noise => self.add(start, 0.03, |t, noise| 0.4 * noise * (-t * 120.0).exp()),
            Click::Drums => self.kick(start),
        }
    }

    pub fn kick(&mut self, start: f64) {
        self.add(start, 0.25, |t, _| {
            0.6 * (TAU * (50.0 * t + 3.0 * (1.0 - (-t * 40.0).exp()))).sin() * (-t * 14.0).exp()
        });
    }

    pub fn snare(&mut self, start: f64) {
        self.add(start, 0.2, |t, noise| {
            (0.3 * noise + 0.2 * (TAU * 190.0 * t).sin()) * (-t * 22.0).exp()
        });
    }

    pub fn hat(&mut self, start: f64) {
        let rate = f64::from(self.rate);
        // Every other sample inverted: noise of the highest frequencies.
        self.add(start, 0.06, |t, noise| {
            0.1 * noise.abs()
                * if (t * rate).round() as i64 % 2 == 0 {
                    1.0
                } else {
                    -1.0
                }
                * (-t * 60.0).exp()
        });
    }

    /// A tone with harmonics, like a plucked or a bowed string.
    pub fn tone(&mut self, start: f64, length: f64, hz: f64, attack: f64, decay: f64) {
        self.add(start, length, |t, _| {
            let sum: f64 = (1..6)
                .map(|k| (TAU * hz * f64::from(k) * t).sin() / f64::from(k))
                .sum();
            0.1 * sum * (t / attack).min(1.0) * (-t * decay).exp() * ((length - t) / 0.02).min(1.0)
        });
    }

    pub fn noise(&mut self, level: f64) {
        for i in 0..self.samples.len() {
            self.samples[i] += level * self.random();
        }
    }

    pub fn frames(&self) -> impl Iterator<Item = [i16; 2]> + '_ {
        self.samples
            .iter()
            .map(|s| [(s.clamp(-1.0, 1.0) * 32767.0) as i16; 2])
    }

    /// A click at every beat; drums alternate kick and snare, with hats at the eighths.
    pub fn clicks(rate: u32, seconds: f64, click: Click, beats: &[f64]) -> Signal {
        let mut signal = Signal::silence(rate, seconds);
        for (i, &beat) in beats.iter().enumerate() {
            match click {
                Click::Drums => {
                    if i % 2 == 0 {
                        signal.kick(beat)
                    } else {
                        signal.snare(beat)
                    }
                    signal.hat(beat);
                    let next = beats.get(i + 1).copied().unwrap_or(seconds);
                    signal.hat((beat + next) / 2.0);
                }
                _ => signal.click(click, beat),
            }
        }
        signal
    }
}

/// `bpm` from `start` on.
pub fn steady(start: f64, bpm: f64, seconds: f64) -> Vec<f64> {
    (0..)
        .map(|i| start + f64::from(i) * 60.0 / bpm)
        .take_while(|t| *t < seconds - 0.1)
        .collect()
}
