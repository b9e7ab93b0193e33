//! Bytes → stereo, packet by packet, until there is enough.

use super::halve::Halver;
use super::{Format, SoundError, mix, vorbis};
use std::io::Cursor;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};
use symphonia::core::audio::{AudioSpec, Channels, GenericAudioBufferRef};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_AC3, CODEC_ID_ALAC, CODEC_ID_EAC3, CODEC_ID_MP1, CODEC_ID_MP2,
    CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadBytes, ReadOnlySource};
use symphonia::default::formats::{
    AdtsReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader,
};
use symphonia::default::get_codecs;

/// Sample rates in Hz that sound is made in.
const RATES: RangeInclusive<u32> = 4_000..=384_000;

/// A rate in Hz above this is halved until it fits: nobody hears the difference, and memory follows the rate.
pub const MAX_RATE: u32 = 96_000;

/// As many loudspeakers as 7.1 has.
const MAX_CHANNELS: usize = 8;

/// Packets in a row without a sample before the rest is given up: a minute and a half of damaged MP3, or as much video
/// after the sound has ended.
const MAX_IDLE: usize = 4096;

/// A file that keeps the decoder busy for longer was made to do so: minutes of honest sound take a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Frames at either end of AAC that encoders fill up: 2112, or fewer. Symphonia does not tell how many.
const PRIMING: usize = 2112;

/// At least so many of them begin the file: a packet alone, without one before it to overlap, is half a sound.
const PACKET: usize = 1024;

/// -50 dBFS, below which these frames are.
const QUIET: f32 = 0.003;

/// Far above any scale in use, that of integers included; keeps sums finite.
const LOUDEST: f32 = 1e6;

/// What was decoded: at least a frame.
#[derive(Debug)]
pub(super) struct Clip {
    /// In Hz; at most [`MAX_RATE`].
    pub(super) rate: u32,
    pub(super) frames: Vec<[f32; 2]>,
}

/// Decodes the first `seconds` of the sound, or all of it if it is shorter.
pub(super) fn decode(format: Format, bytes: &[u8], seconds: f64) -> Result<Clip, SoundError> {
    let started = Instant::now();
    let mut reader = open(format, bytes).map_err(|error| refusal(format, &error))?;
    let track = sound_track(format, reader.tracks())?;
    let mut decoder = decoder(format, &track)?;
    let mut recording: Option<Recording> = None;
    let mut ended = false;
    let mut idle = 0;
    while !ended && idle < MAX_IDLE {
        if started.elapsed() > PATIENCE {
            return Err(SoundError::TooCostly(format));
        }
        idle += 1;
        let packet = match reader.next_packet() {
            Ok(Some(packet)) if packet.track_id == track.id => packet,
            // Another track, or a header that makes no sense: the next search goes on behind it.
            Ok(Some(_)) | Err(Error::DecodeError(_) | Error::Unsupported(_)) => continue,
            // A cut file ends with an error, and so does one with another file behind it.
            Ok(None) | Err(_) => {
                ended = true;
                continue;
            }
        };
        // A damaged packet is left out, as players do.
        let Ok(buffer) = decoder.decode(&packet) else {
            continue;
        };
        if buffer.frames() == 0 {
            continue;
        }
        let recording = match &mut recording {
            Some(recording) => recording,
            none => none.insert(Recording::new(buffer.spec(), seconds)?),
        };
        let delay = if trimmed_here(format) {
            packet.trim_start.get() as usize
        } else {
            0
        };
        if recording.push(&buffer, delay) {
            idle = 0;
        }
        if recording.is_enough() {
            break;
        }
    }
    let mut clip = recording
        .map(|recording| recording.clip)
        .filter(|clip| !clip.frames.is_empty())
        .ok_or(SoundError::NoSamples(format))?;
    match format {
        Format::Mp3 if ended => clip.drop_padding(&track),
        Format::Aac | Format::Mp4 => clip.drop_priming(ended),
        _ => {}
    }
    Ok(clip)
}

/// Opens the one reader that fits. Symphonia's own probe would search a megabyte for any of them, and read all tags.
fn open(format: Format, bytes: &[u8]) -> Result<Box<dyn FormatReader + '_>, Error> {
    let options = FormatOptions::default();
    let whole = Cursor::new(bytes);
    // Given the choice, the MP4 reader leaves a cut box alone; if it cannot seek, it reads on.
    let source: Box<dyn MediaSource + '_> = if format == Format::Mp4 && ends_in_a_box(bytes) {
        Box::new(ReadOnlySource::new(whole))
    } else {
        Box::new(whole)
    };
    let mut source = MediaSourceStream::new(source, Default::default());
    Ok(match format {
        Format::Mp3 => Box::new(MpaReader::try_new(source, options)?),
        Format::Aac => Box::new(AdtsReader::try_new(source, options)?),
        Format::Mp4 => {
            // It goes back by these four, to where the box of the signature begins.
            source.read_quad_bytes()?;
            Box::new(IsoMp4Reader::try_new(source, options)?)
        }
        Format::Ogg => Box::new(OggReader::try_new(source, options)?),
        Format::Flac => Box::new(FlacReader::try_new(source, options)?),
        Format::Wav => Box::new(WavReader::try_new(source, options)?),
    })
}

/// Whether an MP4 has been cut: its last box claims more than is there.
fn ends_in_a_box(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((&size, _)) = rest.split_first_chunk() {
        let size = match u32::from_be_bytes(size) {
            // To the end of the file.
            0 => return false,
            // The size proper follows the type.
            1 => rest
                .get(8..16)
                .and_then(|size| Some(u64::from_be_bytes(size.try_into().ok()?)))
                .unwrap_or(u64::MAX),
            size => u64::from(size),
        };
        rest = match usize::try_from(size).ok().and_then(|size| rest.get(size..)) {
            Some(next) if size >= 8 => next,
            Some(_) => return false,
            None => return true,
        };
    }
    false
}

fn refusal(format: Format, error: &Error) -> SoundError {
    match error {
        Error::Unsupported(_) => SoundError::Unsupported(format),
        _ => SoundError::Damaged(format),
    }
}

/// The first track with sound that has a decoder.
fn sound_track(format: Format, tracks: &[Track]) -> Result<Track, SoundError> {
    let codec = |track: &Track| Some(track.codec_params.as_ref()?.audio()?.codec);
    let decoded = |track: &&Track| {
        codec(track).is_some_and(|id| get_codecs().get_audio_decoder(id).is_some())
    };
    if let Some(track) = tracks.iter().find(decoded) {
        return Ok(track.clone());
    }
    let other = tracks.iter().find_map(codec);
    let video = |track: &Track| track.track_type() == Some(TrackType::Video);
    Err(match other {
        Some(CODEC_ID_OPUS) => SoundError::OtherFormat("Opus"),
        Some(CODEC_ID_ALAC) => SoundError::OtherFormat("Apple Lossless"),
        Some(CODEC_ID_AC3 | CODEC_ID_EAC3) => SoundError::OtherFormat("AC-3"),
        Some(CODEC_ID_MP1 | CODEC_ID_MP2) => SoundError::OtherFormat("MPEG layer I or II sound"),
        None if tracks.iter().any(video) => SoundError::LooksLike("a video without a sound track"),
        _ => SoundError::Unsupported(format),
    })
}

fn decoder(format: Format, track: &Track) -> Result<Box<dyn AudioDecoder>, SoundError> {
    let params = track.codec_params.as_ref().and_then(CodecParameters::audio);
    let params = params.ok_or(SoundError::Unsupported(format))?;
    if let Some(channels) = &params.channels {
        check_channels(channels)?;
    }
    if params.codec == CODEC_ID_VORBIS
        && !vorbis::modest(params.extra_data.as_deref().unwrap_or_default())
    {
        return Err(SoundError::TooCostly(format));
    }
    let options = AudioDecoderOptions::default().gapless(!trimmed_here(format));
    get_codecs()
        .make_audio_decoder(params, &options)
        .map_err(|error| match error {
            Error::Unsupported(_) if params.codec == CODEC_ID_AAC => {
                SoundError::OtherFormat("AAC other than LC in mono or stereo")
            }
            error => refusal(format, &error),
        })
}

/// Symphonia ends an MP3 where its first header says, or where a guess by its size puts it: sound behind it is lost.
fn trimmed_here(format: Format) -> bool {
    format == Format::Mp3
}

fn check_channels(channels: &Channels) -> Result<(), SoundError> {
    match channels.count() {
        0 => Err(SoundError::NoChannels),
        count if count > MAX_CHANNELS => Err(SoundError::TooManyChannels {
            count,
            limit: MAX_CHANNELS,
        }),
        _ => Ok(()),
    }
}

/// Takes packets and makes a clip of them.
struct Recording {
    clip: Clip,
    /// Frames to decode.
    wanted: usize,
    /// As the first packet has it.
    rate: u32,
    halvers: Vec<Halver>,
    /// A packet, interleaved.
    samples: Vec<f32>,
}

impl Recording {
    fn new(spec: &AudioSpec, seconds: f64) -> Result<Recording, SoundError> {
        let rate = spec.rate();
        if !RATES.contains(&rate) {
            return Err(SoundError::Rate {
                rate,
                least: *RATES.start(),
                most: *RATES.end(),
            });
        }
        let mut halvers = Vec::new();
        let mut kept = rate;
        while kept > MAX_RATE {
            kept /= 2;
            halvers.push(Halver::default());
        }
        Ok(Recording {
            clip: Clip {
                rate: kept,
                frames: Vec::new(),
            },
            wanted: ((seconds * f64::from(kept)).ceil() as usize).saturating_add(PRIMING),
            rate,
            halvers,
            samples: Vec::new(),
        })
    }

    /// Appends a packet but for its first frames. One at another rate is none of this sound: `false` then.
    fn push(&mut self, buffer: &GenericAudioBufferRef<'_>, skip: usize) -> bool {
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
            let halved = self
                .halvers
                .iter_mut()
                .try_fold(mixed, |frame, halver| halver.push(frame));
            self.clip.frames.extend(halved);
        }
        true
    }

    fn is_enough(&self) -> bool {
        self.clip.frames.len() >= self.wanted
    }
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-LOUDEST, LOUDEST)
    } else {
        0.0
    }
}

impl Clip {
    /// Drops what the encoder filled up the last packet with, if the file ends where its header says.
    fn drop_padding(&mut self, track: &Track) {
        let sound = track.num_frames.and_then(|n| usize::try_from(n).ok());
        let (Some(sound), Some(padding)) = (sound, track.padding) else {
            return;
        };
        if self.frames.len() == sound.saturating_add(padding as usize) {
            self.frames.truncate(sound);
        }
    }

    /// Drops the near-silence that AAC begins and ends with, lest it be heard as a gap in a loop.
    fn drop_priming(&mut self, ended: bool) {
        let quiet = |frame: &&[f32; 2]| frame.iter().all(|side| side.abs() < QUIET);
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
