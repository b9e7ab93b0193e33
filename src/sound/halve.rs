//! Half the sample rate, for rates above what anyone hears.

/// One side of a half-band filter of 19 taps: its odd coefficients. The middle is one half, the others are zero. Above
/// 0.38 of the input rate it damps by 70 dB, below 0.12 it does nothing.
const TAPS: [f32; 5] = [
    0.308_936_06,
    -0.080_623_45,
    0.028_743_71,
    -0.008_476_82,
    0.001_420_49,
];

const LENGTH: usize = 4 * TAPS.len() - 1;
const MIDDLE: usize = LENGTH / 2;

/// Takes frames one by one and gives every second one back.
#[derive(Clone, Debug, Default)]
pub(super) struct Halver {
    /// The last frames, the newest at `next - 1`.
    history: [[f32; 2]; LENGTH],
    next: usize,
    due: bool,
}

impl Halver {
    pub(super) fn push(&mut self, frame: [f32; 2]) -> Option<[f32; 2]> {
        self.history[self.next] = frame;
        self.next = (self.next + 1) % LENGTH;
        self.due = !self.due;
        self.due.then(|| [self.sum(0), self.sum(1)])
    }

    fn sum(&self, side: usize) -> f32 {
        let at = |i: usize| self.history[(self.next + i) % LENGTH][side];
        let pairs = TAPS.iter().enumerate().map(|(i, tap)| {
            let distance = 2 * i + 1;
            tap * (at(MIDDLE - distance) + at(MIDDLE + distance))
        });
        at(MIDDLE) / 2.0 + pairs.sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// The peak of what comes out for a sine of full scale at `frequency`, in parts of the input rate.
    fn response(frequency: f32) -> f32 {
        let mut halver = Halver::default();
        (0..4000)
            .filter_map(|i| halver.push([(TAU * frequency * i as f32).sin(), 0.0]))
            .skip(20)
            .fold(0.0, |peak, [left, _]| peak.max(left.abs()))
    }

    #[test]
    fn passes_what_is_heard_and_stops_what_would_alias() {
        assert!((response(0.05) - 1.0).abs() < 0.01);
        assert!((response(0.11) - 1.0).abs() < 0.01);
        assert!(response(0.39) < 0.001);
        assert!(response(0.45) < 0.001);
    }
}
