//! Why there is no picture, as a predicate: the caller puts the subject before it.

use super::Format;

/// Why bytes did not become a picture. Displays as a predicate, such as "is empty", to follow "image_url ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Not a byte.
    #[error("is empty")]
    Empty,
    /// Known to be something else.
    #[error("is not a picture: it looks like {0}")]
    LooksLike(&'static str),
    /// Nobody knows what it is.
    #[error("is not a picture in a known format (JPEG, PNG, WebP, GIF, BMP or TIFF)")]
    Unknown,
    /// A picture, but in a format that is not decoded here.
    #[error("is {0}, which is not supported; JPEG, PNG, WebP, GIF, BMP and TIFF are")]
    OtherFormat(&'static str),
    /// A known format in a variant that is not decoded here.
    #[error("is a {0} of a kind that is not supported")]
    Unsupported(Format),
    /// The end is missing.
    #[error("is a truncated {0}")]
    Truncated(Format),
    /// Contradicts its format.
    #[error("is a damaged {0}")]
    Damaged(Format),
    /// The decoder gave up without a word.
    #[error("is a {0} that cannot be decoded")]
    Undecodable(Format),
    /// The header says that a side is zero.
    #[error("has no pixels")]
    NoPixels,
    /// Past [`Limits::max_side`](super::Limits::max_side).
    #[error("is {width}x{height} pixels, wider than the limit of {limit}")]
    TooWide { width: u32, height: u32, limit: u32 },
    /// Past [`Limits::max_side`](super::Limits::max_side).
    #[error("is {width}x{height} pixels, higher than the limit of {limit}")]
    TooHigh { width: u32, height: u32, limit: u32 },
    /// Past [`Limits::max_pixels`](super::Limits::max_pixels).
    #[error("is {width}x{height} pixels, more than the limit of {limit} pixels")]
    TooManyPixels { width: u32, height: u32, limit: u64 },
    /// Past [`Limits::max_memory`](super::Limits::max_memory).
    #[error("is {width}x{height} pixels and needs more than the limit of {} MiB to decode", limit >> 20)]
    TooMuchMemory { width: u32, height: u32, limit: u64 },
    /// Past [`Limits::max_memory`](super::Limits::max_memory), told by the decoder itself.
    #[error("is a {0} that needs more memory to decode than the limit allows")]
    TooCostly(Format),
    /// A logo of which nothing can be seen.
    #[error("is fully transparent")]
    Invisible,
    /// Past what an SVG drawing may weigh.
    #[error("is an SVG drawing of {bytes} bytes, more than the limit of {limit} bytes")]
    DrawingTooLarge { bytes: usize, limit: usize },
    /// Would take too long to draw, or needs what is not drawn here; says what.
    #[error("is an SVG drawing with {0}; export it simpler, or as a PNG")]
    DrawingTooComplex(&'static str),
    /// No XML, or no SVG.
    #[error("is a damaged SVG drawing")]
    DrawingDamaged,
}
