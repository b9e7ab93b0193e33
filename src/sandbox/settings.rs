//! The limits of one decoding process.

use std::path::PathBuf;
use std::time::Duration;

use crate::setting::{Setting, assign, at_least, positive_duration};

/// The least with which an ordinary photo can be decoded.
const LEAST_MEMORY: u64 = 64 << 20;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes.
    pub max_memory: u64,
    /// On the clock, and on the processor.
    pub time_limit: Duration,
    /// libheif's program: a path, or a name in one of the system's directories.
    pub heif_convert: PathBuf,
    /// The program that decodes, for tests; `None`: this one.
    pub program: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_memory: 560 << 20,
            time_limit: Duration::from_secs(10),
            heif_convert: "heif-convert".into(),
            program: None,
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "sandbox.max_memory_bytes",
            env: None,
            accepts: "a number of bytes from 67108864 (64 MiB) up",
            set: |s, text| assign(&mut s.max_memory, at_least(LEAST_MEMORY, text)),
        },
        Setting {
            key: "sandbox.time_limit",
            env: None,
            accepts: "a time, such as 10s",
            set: |s, text| assign(&mut s.time_limit, positive_duration(text)),
        },
        Setting {
            key: "sandbox.heif_convert",
            env: None,
            accepts: "a path, or the name of a program",
            set: |s, text| assign(&mut s.heif_convert, Some(text.into())),
        },
    ];
}
