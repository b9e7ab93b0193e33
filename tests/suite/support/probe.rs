//! What ffprobe and the file's own boxes say of a video.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

pub struct Probe {
    all: Value,
}

impl Probe {
    pub fn of(file: &Path) -> Self {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-count_frames", "-of", "json"])
            .args(["-show_streams", "-show_format"])
            .arg(file)
            .output()
            .expect("ffprobe");
        assert!(output.status.success(), "{output:?}");
        let all = serde_json::from_slice(&output.stdout).expect("ffprobe's JSON");
        Self { all }
    }

    pub fn streams(&self) -> &[Value] {
        self.all["streams"].as_array().expect("streams")
    }

    pub fn video(&self) -> &Value {
        let video = |stream: &&Value| stream["codec_type"] == "video";
        self.streams().iter().find(video).expect("a video stream")
    }

    pub fn sound(&self) -> Option<&Value> {
        let sound = |stream: &&Value| stream["codec_type"] == "audio";
        self.streams().iter().find(sound)
    }

    /// Width and height.
    pub fn size(&self) -> (u64, u64) {
        let side = |name: &str| self.video()[name].as_u64().expect("a side");
        (side("width"), side("height"))
    }

    /// Decoded one by one.
    pub fn frames(&self) -> u64 {
        number(&self.video()["nb_read_frames"]) as u64
    }

    /// Of the stream, in seconds.
    pub fn duration(&self) -> f64 {
        number(&self.video()["duration"])
    }
}

fn number(text: &Value) -> f64 {
    let parsed = text.as_str().and_then(|text| text.parse().ok());
    parsed.unwrap_or_else(|| panic!("no number: {text}"))
}

/// The kinds of the boxes of an MP4 file, outermost level, in order.
pub fn boxes(file: &Path) -> Vec<String> {
    let bytes = fs::read(file).expect("a video file");
    let mut kinds = Vec::new();
    let mut rest = &bytes[..];
    while let [a, b, c, d, kind @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        kinds.push(String::from_utf8_lossy(&kind[..4]).into_owned());
        rest = &rest[length.clamp(8, rest.len())..];
    }
    kinds
}
