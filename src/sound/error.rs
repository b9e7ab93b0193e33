//! Why there is no sound, as a predicate: the caller puts the subject before it.

use super::Format;

/// Why bytes did not become sound. Displays as a predicate, such as "is empty", to follow "soundtrack_url ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// Not a byte.
    #[error("is empty")]
    Empty,
    /// Known to be something else.
    #[error("is not sound: it is {0}")]
    LooksLike(&'static str),
    /// Nobody knows what it is.
    #[error("is not sound in a known format (MP3, AAC, M4A, Ogg Vorbis, FLAC or WAV)")]
    Unknown,
    /// Sound, but in a format that is not decoded here.
    #[error("is {0}, which is not supported; MP3, AAC, M4A, Ogg Vorbis, FLAC and WAV are")]
    OtherFormat(&'static str),
    /// A known format in a variant that is not decoded here.
    #[error("is {0} of a kind that is not supported")]
    Unsupported(Format),
    /// Contradicts its format before any sound begins.
    #[error("is a damaged {0} file")]
    Damaged(Format),
    /// It opens, but no packet of it yields a sample.
    #[error("is {0} without any sound that can be decoded")]
    NoSamples(Format),
    /// The decoder gave up without a word.
    #[error("is {0} that cannot be decoded")]
    Undecodable(Format),
    /// Made to keep the decoder busy, or its memory full.
    #[error("is {0} that takes too much to decode")]
    TooCostly(Format),
    /// Nothing that sound is made in.
    #[error("has a sample rate of {rate} Hz; {least} to {most} Hz are supported")]
    Rate { rate: u32, least: u32, most: u32 },
    /// Not one.
    #[error("has no channels")]
    NoChannels,
    /// More than any layout of loudspeakers that is known here.
    #[error("has {count} channels, more than the limit of {limit}")]
    TooManyChannels { count: usize, limit: usize },
}
