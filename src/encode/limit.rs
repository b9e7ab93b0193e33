//! The bit rate at which a file stays as small as it has to be.

use super::SOUND_BITS_PER_SECOND;

/// How large a file may become.
#[derive(Clone, Copy, Debug)]
pub struct SizeLimit {
    pub bytes: u64,
    /// Of the video.
    pub seconds: f64,
}

/// Of the bytes, the frames get these: the encoder is not exact, and the container needs some.
const SHARE: f64 = 0.96;
/// Frames of detailed photos do not reach this: a larger limit is none.
const MOST_BITS_PER_SECOND: f64 = 300e6;
/// x264 cannot work with less.
const LEAST_BITS_PER_SECOND: f64 = 20e3;
/// In bits: x264 takes thousands, and none for no limit.
const LEAST_BUFFER: f64 = 4e3;
/// How much of the video may be ahead of its bit rate, in seconds and as a share of it.
const AHEAD: f64 = 1.0;
const AHEAD_SHARE: f64 = 0.25;

/// ffmpeg's arguments, which hold the bit rate down where the quality would take it higher.
pub fn arguments(limit: SizeLimit, has_sound: bool) -> Vec<String> {
    let seconds = limit.seconds;
    let ahead = AHEAD.min(AHEAD_SHARE * seconds);
    let sound = if has_sound {
        SOUND_BITS_PER_SECOND * seconds
    } else {
        0.0
    };
    let bits = limit.bytes as f64 * 8.0 * SHARE - sound;
    let rate = (bits / (seconds + ahead)).max(LEAST_BITS_PER_SECOND);
    if rate > MOST_BITS_PER_SECOND {
        return Vec::new();
    }
    let bits = |bits: f64| (bits.round() as u64).to_string();
    vec![
        "-maxrate".to_owned(),
        bits(rate),
        "-bufsize".to_owned(),
        bits((rate * ahead).max(LEAST_BUFFER)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_sound_does_not_need_is_for_frames() {
        let limit = SizeLimit {
            bytes: 1_000_000,
            seconds: 9.0,
        };
        // 7.68 Mbit over ten seconds.
        let silent = ["-maxrate", "768000", "-bufsize", "768000"];
        assert_eq!(arguments(limit, false), silent);
        let with_sound = ["-maxrate", "616800", "-bufsize", "616800"];
        assert_eq!(arguments(limit, true), with_sound);
    }

    #[test]
    fn a_limit_that_no_video_reaches_is_none() {
        let limit = SizeLimit {
            bytes: 1 << 40,
            seconds: 9.0,
        };
        assert!(arguments(limit, false).is_empty());
    }
}
