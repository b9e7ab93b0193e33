//! The reader of a file, its sound track and the decoder of that.

use super::clip::check_channels;
use super::{Format, SoundError, vorbis};
use std::io::Cursor;
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

/// Opens the reader of a format. Symphonia's own probe would search a megabyte for any format, and read all tags.
pub(super) fn reader(
    format: Format,
    bytes: &[u8],
) -> Result<Box<dyn FormatReader + '_>, SoundError> {
    open(format, bytes).map_err(|error| open_error(format, &error))
}

fn open(format: Format, bytes: &[u8]) -> Result<Box<dyn FormatReader + '_>, Error> {
    let options = FormatOptions::default();
    let whole = Cursor::new(bytes);
    // With a seekable source, the MP4 reader rejects a cut box; without, it reads as much as there is.
    let source: Box<dyn MediaSource + '_> = if format == Format::Mp4 && is_cut(bytes) {
        Box::new(ReadOnlySource::new(whole))
    } else {
        Box::new(whole)
    };
    let mut source = MediaSourceStream::new(source, Default::default());
    Ok(match format {
        Format::Mp3 => Box::new(MpaReader::try_new(source, options)?),
        Format::Aac => Box::new(AdtsReader::try_new(source, options)?),
        Format::Mp4 => {
            // The reader seeks back by these four bytes, to the start of the first box.
            source.read_quad_bytes()?;
            Box::new(IsoMp4Reader::try_new(source, options)?)
        }
        Format::Ogg => Box::new(OggReader::try_new(source, options)?),
        Format::Flac => Box::new(FlacReader::try_new(source, options)?),
        Format::Wav => Box::new(WavReader::try_new(source, options)?),
    })
}

/// Whether an MP4 was cut: its last box is longer than the rest of the file.
fn is_cut(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((&size, _)) = rest.split_first_chunk() {
        let size = match u32::from_be_bytes(size) {
            // The box extends to the end of the file.
            0 => return false,
            // A 64-bit size follows the type.
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

fn open_error(format: Format, error: &Error) -> SoundError {
    match error {
        Error::Unsupported(_) => SoundError::Unsupported(format),
        _ => SoundError::Damaged(format),
    }
}

/// The first sound track with a decoder.
pub(super) fn sound_track(format: Format, tracks: &[Track]) -> Result<Track, SoundError> {
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

/// The decoder of a track.
pub(super) fn decoder(format: Format, track: &Track) -> Result<Box<dyn AudioDecoder>, SoundError> {
    let params = track.codec_params.as_ref().and_then(CodecParameters::audio);
    let params = params.ok_or(SoundError::Unsupported(format))?;
    if let Some(channels) = &params.channels {
        check_channels(channels)?;
    }
    if params.codec == CODEC_ID_VORBIS
        && !vorbis::within_limit(params.extra_data.as_deref().unwrap_or_default())
    {
        return Err(SoundError::TooCostly(format));
    }
    let options = AudioDecoderOptions::default().gapless(!is_trimmed_here(format));
    get_codecs()
        .make_audio_decoder(params, &options)
        .map_err(|error| match error {
            Error::Unsupported(_) if params.codec == CODEC_ID_AAC => {
                SoundError::OtherFormat("AAC other than LC in mono or stereo")
            }
            error => open_error(format, &error),
        })
}

/// Whether encoder delay and padding are removed here: Symphonia would end an MP3 at the length in its first header, or
/// at one guessed from the file's size, and lose the sound after it.
pub(super) fn is_trimmed_here(format: Format) -> bool {
    format == Format::Mp3
}
