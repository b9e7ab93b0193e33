//! Errors of `picture`. Each displays as a predicate, to follow a subject of the caller's.

use super::Format;

/// Why bytes could not be decoded. Displays as a predicate such as "is empty", to follow a subject such as
/// "image_url ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// No bytes at all.
    #[error("is empty")]
    Empty,
    /// Known, but not a picture.
    #[error("is not a picture: it looks like {0}")]
    LooksLike(&'static str),
    /// No known signature.
    #[error("is not a picture in a known format (JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF)")]
    Unknown,
    /// A picture in a format without a decoder here.
    #[error("is {0}, which is not supported; JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF are")]
    OtherFormat(&'static str),
    /// A variant of a supported format that is not supported.
    #[error("is {article} {0} of a kind that is not supported", article = .0.article())]
    Unsupported(Format),
    /// A JPEG that no browser shows either.
    #[error("is a JPEG with arithmetic coding, which is not supported; save it as a usual JPEG")]
    ArithmeticJpeg,
    /// The end is missing.
    #[error("is a truncated {0}")]
    Truncated(Format),
    /// Violates its format.
    #[error("is a damaged {0}")]
    Damaged(Format),
    /// The decoder panicked.
    #[error("is {article} {0} that cannot be decoded", article = .0.article())]
    Undecodable(Format),
    /// The header says that a side is zero.
    #[error("has no pixels")]
    NoPixels,
    /// Exceeds [`Limits::max_side`](super::Limits::max_side).
    #[error("is {width}x{height} pixels, wider than the limit of {limit}")]
    TooWide { width: u32, height: u32, limit: u32 },
    /// Exceeds [`Limits::max_side`](super::Limits::max_side).
    #[error("is {width}x{height} pixels, higher than the limit of {limit}")]
    TooHigh { width: u32, height: u32, limit: u32 },
    /// Exceeds [`Limits::max_pixels`](super::Limits::max_pixels).
    #[error("is {width}x{height} pixels, more than the limit of {limit} pixels")]
    TooManyPixels { width: u32, height: u32, limit: u64 },
    /// Exceeds [`Limits::max_memory`](super::Limits::max_memory).
    #[error("is {width}x{height} pixels and needs more than the limit of {} MiB to decode", limit >> 20)]
    TooMuchMemory { width: u32, height: u32, limit: u64 },
    /// Exceeds [`Limits::max_memory`](super::Limits::max_memory), as the decoder reports while it runs.
    #[error("is {article} {0} that needs more memory to decode than the limit allows", article = .0.article())]
    TooCostly(Format),
    /// Asks for more work than a picture of its size can need.
    #[error("is {article} {0} that takes too long to decode", article = .0.article())]
    TooMuchWork(Format),
    /// A logo without a visible pixel.
    #[error("is fully transparent")]
    Invisible,
    /// An SVG file larger than the limit.
    #[error("is an SVG drawing of {bytes} bytes, more than the limit of {limit} bytes")]
    DrawingTooLarge { bytes: usize, limit: usize },
    /// An SVG drawing with something that cannot be drawn, which the text names.
    #[error("is an SVG drawing with {0}; export it simpler, or as a PNG")]
    DrawingTooComplex(&'static str),
    /// Not well-formed XML, or not SVG.
    #[error("is a damaged SVG drawing")]
    DrawingDamaged,
}
