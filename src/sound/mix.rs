//! Downmix of any channels to stereo after ITU-R BS.775: centre and surrounds at -3 dB, no LFE.

use symphonia::core::audio::{Channels, Position};

/// -3 dB: half the power.
const HALF_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Gain of each input channel, in the file's order, into the left and the right output.
///
/// The gains into the louder output add up to 1, so that nothing clips: stereo and mono pass unchanged, 5.1 becomes
/// 7.7 dB quieter.
pub(super) fn gains(channels: &Channels) -> Vec<[f32; 2]> {
    // Whatever its position: Vorbis calls a single channel "front left".
    if channels.count() == 1 {
        return vec![[1.0; 2]];
    }
    let gains = positioned(channels);
    let sum = |output: usize| gains.iter().map(|gain| gain[output]).sum::<f32>();
    let loudest = sum(0).max(sum(1));
    if loudest == 0.0 {
        return gains;
    }
    gains
        .iter()
        .map(|gain| gain.map(|gain| gain / loudest))
        .collect()
}

fn positioned(channels: &Channels) -> Vec<[f32; 2]> {
    let count = channels.count();
    match channels {
        // The first component is omnidirectional.
        Channels::Ambisonic(_) => (0..count)
            .map(|i| if i == 0 { [1.0; 2] } else { [0.0; 2] })
            .collect(),
        Channels::Positioned(positions) => positions.iter().map(position_gain).collect(),
        // Without positions, channels are in the order of WAV.
        _ => (0..count).map(|i| position_gain(nth(i))).collect(),
    }
}

fn nth(index: usize) -> Position {
    Position::all()
        .iter()
        .nth(index)
        .unwrap_or(Position::empty())
}

/// Left and right gain of a loudspeaker at a position.
fn position_gain(position: Position) -> [f32; 2] {
    match position {
        Position::FRONT_LEFT => [1.0, 0.0],
        Position::FRONT_RIGHT => [0.0, 1.0],
        Position::FRONT_CENTER => [HALF_POWER; 2],
        Position::REAR_LEFT
        | Position::SIDE_LEFT
        | Position::FRONT_LEFT_CENTER
        | Position::FRONT_LEFT_WIDE
        | Position::TOP_FRONT_LEFT
        | Position::TOP_SIDE_LEFT
        | Position::TOP_REAR_LEFT
        | Position::BOTTOM_FRONT_LEFT => [HALF_POWER, 0.0],
        Position::REAR_RIGHT
        | Position::SIDE_RIGHT
        | Position::FRONT_RIGHT_CENTER
        | Position::FRONT_RIGHT_WIDE
        | Position::TOP_FRONT_RIGHT
        | Position::TOP_SIDE_RIGHT
        | Position::TOP_REAR_RIGHT
        | Position::BOTTOM_FRONT_RIGHT => [0.0, HALF_POWER],
        // Surround at -3 dB, shared at another -3 dB on the left and on the right.
        Position::REAR_CENTER
        | Position::TOP_CENTER
        | Position::TOP_FRONT_CENTER
        | Position::TOP_REAR_CENTER
        | Position::BOTTOM_FRONT_CENTER => [0.5; 2],
        _ => [0.0; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symphonia::core::audio::layouts;

    #[test]
    fn stereo_and_mono_pass_unchanged() {
        assert_eq!(gains(&layouts::CHANNEL_LAYOUT_MONO), [[1.0, 1.0]]);
        assert_eq!(
            gains(&layouts::CHANNEL_LAYOUT_STEREO),
            [[1.0, 0.0], [0.0, 1.0]]
        );
        assert_eq!(gains(&Channels::Discrete(2)), [[1.0, 0.0], [0.0, 1.0]]);
    }

    #[test]
    fn surround_keeps_its_proportions_and_cannot_clip() {
        let gains = gains(&layouts::CHANNEL_LAYOUT_5P1);
        let [left, right, centre, low, rear_left, rear_right] = gains[..] else {
            panic!("six channels, not {}", gains.len());
        };
        assert!((centre[0] / left[0] - HALF_POWER).abs() < 1e-6);
        assert!((rear_left[0] / left[0] - HALF_POWER).abs() < 1e-6);
        assert_eq!((left[1], right[0], low), (0.0, 0.0, [0.0; 2]));
        assert_eq!((rear_left[1], rear_right[0]), (0.0, 0.0));
        let sum: f32 = gains.iter().map(|gain| gain[0]).sum();
        assert!((sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_single_channel_goes_to_both_outputs() {
        for position in [Position::FRONT_LEFT, Position::LFE1] {
            assert_eq!(gains(&Channels::Positioned(position)), [[1.0, 1.0]]);
        }
    }
}
