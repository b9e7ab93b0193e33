//! Why a file was not decoded.

use std::io;
use std::time::Duration;

use crate::spec::Size;

/// Why a file was not decoded. All but the last three display as a predicate, to follow a subject such as
/// "image_url ".
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// What the decoder says of the file.
    #[error("{0}")]
    Rejected(String),
    #[error("takes longer to decode than the limit of {}", humantime::format_duration(*.0))]
    TooSlow(Duration),
    /// The limit in bytes, and the size of a photo in pixels, if it is known.
    #[error("{}needs more than the limit of {} MiB of memory to decode", pixels(*size), limit >> 20)]
    TooMuchMemory { limit: u64, size: Option<Size> },
    #[error("cannot be decoded")]
    Died,
    /// libheif's program is not installed.
    #[error(
        "is a HEIC picture, for which this server has no converter; install libheif-examples (Debian) or libheif (Homebrew), or send a JPEG"
    )]
    NoConverter,
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// What it was decoded to.
    #[error("the decoded file could not be written")]
    NotWritten(#[source] io::Error),
    #[error("no process for decoding could be started")]
    NotStarted,
    #[error("the work was cancelled")]
    Cancelled,
}

/// The beginning of a predicate, if the size is known.
fn pixels(size: Option<Size>) -> String {
    size.map_or_else(String::new, |Size { width, height }| {
        format!("is {width}x{height} pixels and ")
    })
}
