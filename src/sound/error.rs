//! Errors of `sound`. Each displays as a predicate, to follow a subject of the caller's.

use super::Format;

/// Why bytes could not be decoded. Displays as a predicate such as "is empty", to follow a subject such as
/// "soundtrack_url ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// No bytes at all.
    #[error("is empty")]
    Empty,
    /// Known, but not sound.
    #[error("is not sound: it is {0}")]
    LooksLike(&'static str),
    /// No known signature.
    #[error("is not sound in a known format (MP3, AAC, M4A, Ogg Vorbis, FLAC or WAV)")]
    Unknown,
    /// Sound in a format without a decoder here.
    #[error("is {0}, which is not supported; MP3, AAC, M4A, Ogg Vorbis, FLAC and WAV are")]
    OtherFormat(&'static str),
    /// A variant of a supported format that is not supported.
    #[error("is {0} of a kind that is not supported")]
    Unsupported(Format),
    /// Violates its format before the first packet.
    #[error("is a damaged {0} file")]
    Damaged(Format),
    /// The headers are valid, but no packet can be decoded.
    #[error("is {0} without any sound that can be decoded")]
    NoSamples(Format),
    /// The decoder panicked.
    #[error("is {0} that cannot be decoded")]
    Undecodable(Format),
    /// Exceeds the decoder's limit of time or memory.
    #[error("is {0} that takes too much to decode")]
    TooCostly(Format),
    /// Outside the supported rates, in Hz.
    #[error("has a sample rate of {rate} Hz; {least} to {most} Hz are supported")]
    Rate { rate: u32, least: u32, most: u32 },
    /// No channels at all.
    #[error("has no channels")]
    NoChannels,
    /// More than the supported number of channels.
    #[error("has {count} channels, more than the limit of {limit}")]
    TooManyChannels { count: usize, limit: usize },
}
