//! What goes over the pipes between the service and a decoding process.
//!
//! ```text
//! service                          process
//!                               ◀─ Ready
//! Request, the bytes of the file ─▶
//!                               ◀─ Size        a photo's; the others go on with their answer
//! Detail ─▶
//!                               ◀─ Planes, Logo or Soundtrack, and their bytes
//! ```
//!
//! or, instead of any answer, `Rejected` or `OutOfMemory`. A message is its length in 4 bytes, the least
//! significant first, and JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::picture;
use crate::spec::Size;

/// The longest message, in bytes.
const MAX_MESSAGE: usize = 16 << 10;

#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    pub task: Task,
    /// A converter has turned the picture already, and left its EXIF orientation as it was.
    pub is_upright: bool,
    /// Of the file, which follows.
    pub file_bytes: u64,
    /// The bytes that the process may hold for it.
    pub memory: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Task {
    Photo(picture::Limits),
    /// Fitted to a size in pixels.
    Logo(picture::Limits, Size),
    /// Of a length in seconds.
    Soundtrack(f64),
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The process has confined itself; what its system lacks for that.
    Ready(Vec<String>),
    /// Of the upright photo, in pixels.
    Size(Size),
    /// Y, Cb and Cr follow, as fine as was asked for.
    Planes,
    /// Premultiplied RGBA of this size follows.
    Logo(Size),
    /// So many stereo frames of 16-bit samples follow, `rate` of them a second.
    Soundtrack { rate: u32, frames: u64 },
    /// Why the file cannot be used, as a predicate.
    Rejected(String),
    /// The memory was not enough, for a photo of this size if it is known.
    OutOfMemory(Option<Size>),
}

pub fn send(pipe: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    pipe.write_all(&length.to_le_bytes())?;
    pipe.write_all(&json)
}

/// # Errors
/// When the pipe ends, and when what comes is no such message.
pub fn receive<M: DeserializeOwned>(pipe: &mut impl Read) -> io::Result<M> {
    let mut length = [0; 4];
    pipe.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_MESSAGE {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "a message that is too long",
        ));
    }
    let mut json = vec![0; length];
    pipe.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}
