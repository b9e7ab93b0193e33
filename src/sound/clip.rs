//! Stereo clips: decoded packets mixed down, at a rate that fits the memory.

use super::decimate::Decimator;
use super::{SoundError, mix};
use std::ops::RangeInclusive;
use symphonia::core::audio::{AudioSpec, Channels, GenericAudioBufferRef};
use symphonia::core::formats::Track;

/// Supported sample rates, in Hz.
const RATES: RangeInclusive<u32> = 4_000..=384_000;

/// In Hz. Higher rates are halved until they fit: the difference is inaudible, and memory grows with the rate.
pub const MAX_RATE: u32 = 96_000;

/// The channels of 7.1.
const MAX_CHANNELS: usize = 8;

/// Frames of padding that encoders add at either end of AAC: 2112 or fewer. Symphonia does not report how many.
const PRIMING: usize = 2112;

/// The fewest such frames at the start: the first packet has none before it to overlap with, so that it cannot be
/// reconstructed.
const PACKET: usize = 1024;

/// -50 dBFS: padding is quieter.
const QUIET: f32 = 0.003;

/// Far above full scale, even where it is that of integers; keeps sums finite.
const MAX_SAMPLE: f32 = 1e6;

/// Decoded stereo sound.
#[derive(Debug)]
pub(super) struct Clip {
    /// In Hz; at most [`MAX_RATE`].
    pub(super) rate: u32,
    pub(super) frames: Vec<[f32; 2]>,
}

impl Clip {
    /// Drops the padding of the last packet, if the file is as long as its header says.
    pub(super) fn drop_padding(&mut self, track: &Track) {
        let sound = track.num_frames.and_then(|n| usize::try_from(n).ok());
        let (Some(sound), Some(padding)) = (sound, track.padding) else {
            return;
        };
        if self.frames.len() == sound.saturating_add(padding as usize) {
            self.frames.truncate(sound);
        }
    }

    /// Drops the near-silence at the start of AAC and, where the file `ended`, at its end: it would be heard as a gap in a
    /// loop.
    pub(super) fn drop_priming(&mut self, ended: bool) {
        let quiet = |frame: &&[f32; 2]| frame.iter().all(|sample| sample.abs() < QUIET);
        let start = self.frames.iter().take(PRIMING).skip(PACKET);
        let lead = PACKET + start.take_while(quiet).count();
        let tail = self.frames.iter().rev().take(PRIMING).take_while(quiet);
        let tail = if ended { tail.count() } else { 0 };
        if lead + tail < self.frames.len() {
            self.frames.truncate(self.frames.len() - tail);
            self.frames.drain(..lead);
        }
    }
}

/// Collects packets into a clip.
pub(super) struct ClipBuilder {
    clip: Clip,
    /// Frames to decode.
    wanted: usize,
    /// Of the first packet, in Hz.
    rate: u32,
    decimators: Vec<Decimator>,
    /// The current packet, interleaved.
    samples: Vec<f32>,
}

impl ClipBuilder {
    /// For the first `seconds` of sound with packets like `spec`.
    ///
    /// # Errors
    /// If the sample rate is not supported.
    pub(super) fn new(spec: &AudioSpec, seconds: f64) -> Result<ClipBuilder, SoundError> {
        let rate = spec.rate();
        if !RATES.contains(&rate) {
            return Err(SoundError::Rate {
                rate,
                least: *RATES.start(),
                most: *RATES.end(),
            });
        }
        let mut decimators = Vec::new();
        let mut reduced = rate;
        while reduced > MAX_RATE {
            reduced /= 2;
            decimators.push(Decimator::default());
        }
        Ok(ClipBuilder {
            clip: Clip {
                rate: reduced,
                frames: Vec::new(),
            },
            wanted: ((seconds * f64::from(reduced)).ceil() as usize).saturating_add(PRIMING),
            rate,
            decimators,
            samples: Vec::new(),
        })
    }

    /// Appends a packet without its first `skip` frames. `false`: the packet has another rate and was ignored.
    pub(super) fn push(&mut self, buffer: &GenericAudioBufferRef<'_>, skip: usize) -> bool {
        let spec = buffer.spec();
        if spec.rate() != self.rate || check_channels(spec.channels()).is_err() {
            return false;
        }
        let gains = mix::gains(spec.channels());
        buffer.copy_to_vec_interleaved(&mut self.samples);
        for frame in self.samples.chunks_exact(gains.len()).skip(skip) {
            let mut mixed = [0.0; 2];
            for (sample, gain) in frame.iter().zip(&gains) {
                let sample = finite(*sample);
                mixed[0] += sample * gain[0];
                mixed[1] += sample * gain[1];
            }
            let decimated = self
                .decimators
                .iter_mut()
                .try_fold(mixed, |frame, decimator| decimator.push(frame));
            self.clip.frames.extend(decimated);
        }
        true
    }

    /// Whether the wanted length is reached.
    pub(super) fn is_complete(&self) -> bool {
        self.clip.frames.len() >= self.wanted
    }

    /// The clip so far.
    pub(super) fn finish(self) -> Clip {
        self.clip
    }
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-MAX_SAMPLE, MAX_SAMPLE)
    } else {
        0.0
    }
}

/// Whether the number of channels is supported.
pub(super) fn check_channels(channels: &Channels) -> Result<(), SoundError> {
    match channels.count() {
        0 => Err(SoundError::NoChannels),
        count if count > MAX_CHANNELS => Err(SoundError::TooManyChannels {
            count,
            limit: MAX_CHANNELS,
        }),
        _ => Ok(()),
    }
}
