//! Why a file was not decoded.

use std::io;
use std::time::Duration;

/// Why a file was not decoded. All but the last three display as a predicate, to follow a subject such as
/// "image_url ".
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// What the decoder says of the file.
    #[error("{0}")]
    Rejected(String),
    #[error("takes longer to decode than the limit of {}", humantime::format_duration(*.0))]
    TooSlow(Duration),
    /// The limit in bytes.
    #[error("needs more than the limit of {} MiB of memory to decode", .0 >> 20)]
    TooMuchMemory(u64),
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
