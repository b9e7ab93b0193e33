//! Halving of sample rates that are higher than hearing needs.

/// The odd coefficients of one half of a symmetric half-band filter of 19 taps. The middle coefficient is 1/2, the even
/// ones are 0. It attenuates frequencies above 0.38 of the input rate by 70 dB, and passes those below 0.12.
const TAPS: [f32; 5] = [
    0.308_936_06,
    -0.080_623_45,
    0.028_743_71,
    -0.008_476_82,
    0.001_420_49,
];

const LENGTH: usize = 4 * TAPS.len() - 1;
const MIDDLE: usize = LENGTH / 2;

/// Filters frames one by one and outputs every second one.
#[derive(Clone, Debug, Default)]
pub(super) struct Decimator {
    /// A ring of the last frames, the newest at `next - 1`.
    history: [[f32; 2]; LENGTH],
    next: usize,
    /// Whether the last frame was output.
    output: bool,
}

impl Decimator {
    /// `None` for every second frame.
    pub(super) fn push(&mut self, frame: [f32; 2]) -> Option<[f32; 2]> {
        self.history[self.next] = frame;
        self.next = (self.next + 1) % LENGTH;
        self.output = !self.output;
        self.output.then(|| [self.sum(0), self.sum(1)])
    }

    fn sum(&self, channel: usize) -> f32 {
        let at = |i: usize| self.history[(self.next + i) % LENGTH][channel];
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

    /// The peak of the output for a sine of full scale at `frequency`, as a fraction of the input rate.
    fn response(frequency: f32) -> f32 {
        let mut decimator = Decimator::default();
        (0..4000)
            .filter_map(|i| decimator.push([(TAU * frequency * i as f32).sin(), 0.0]))
            .skip(20)
            .fold(0.0, |peak, [left, _]| peak.max(left.abs()))
    }

    #[test]
    fn passes_low_frequencies_and_stops_those_that_would_alias() {
        assert!((response(0.05) - 1.0).abs() < 0.01);
        assert!((response(0.11) - 1.0).abs() < 0.01);
        assert!(response(0.39) < 0.001);
        assert!(response(0.45) < 0.001);
    }
}
