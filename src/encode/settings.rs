//! The encoder's settings.

use std::path::PathBuf;

use super::codec::{self, CODECS, Codec};
use super::preset::Preset;
use crate::setting::{Setting, assign};

#[derive(Clone)]
pub struct Settings {
    /// The ffmpeg binary: a path, or a name to be found on the PATH.
    pub ffmpeg: PathBuf,
    pub codec: &'static Codec,
    /// In place of the one that suits the video.
    pub preset: Option<Preset>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            codec: &CODECS[0],
            preset: None,
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "encoder.ffmpeg",
            env: Some("KINORA_FFMPEG"),
            accepts: "the path of an ffmpeg binary",
            set: |s, text| assign(&mut s.ffmpeg, Some(text.into())),
        },
        Setting {
            key: "encoder.codec",
            env: None,
            accepts: codec::NAMES,
            set: |s, text| assign(&mut s.codec, Codec::named(text)),
        },
        Setting {
            key: "encoder.preset",
            env: Some("KINORA_PRESET"),
            accepts: "fast, balanced or small",
            set: |s, text| assign(&mut s.preset, Preset::named(text).map(Some)),
        },
    ];
}
