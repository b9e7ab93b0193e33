//! What is wanted: one video, described in plain data. Knows nobody.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Everything the pipeline needs to know to make a video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoSpec {
    pub photo: Photo,
    pub motion: Motion,
    pub output: Output,
}

/// A photograph that is still to be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Photo {
    /// What the caller calls it, to begin a sentence about it with.
    pub label: String,
    pub source: Source,
}

/// Where a photograph comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An absolute http(s) URL, still to pass the address guard.
    Url(String),
    /// A file of the person at the command line. Never stored, so no request can name one.
    #[serde(skip)]
    File(PathBuf),
}

/// How the crop moves over the photograph.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// A linear zoom into the centre.
    CentreZoom {
        /// Growth in percent of the first frame's size, per second.
        speed: f64,
    },
}

/// The video's length and rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Seconds.
    pub length: f64,
    /// Frames a second.
    pub frame_rate: u32,
}

impl Output {
    /// Number of frames, at least one.
    pub fn frames(&self) -> u32 {
        // A float-to-int cast saturates, so an absurd length cannot wrap.
        ((self.length * f64::from(self.frame_rate)).round() as u32).max(1)
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// The frame that suits a photo of this size: landscape, or else portrait, in full HD.
    pub fn full_hd_frame(self) -> Size {
        if self.width > self.height {
            Size {
                width: 1920,
                height: 1080,
            }
        } else {
            Size {
                width: 1080,
                height: 1920,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_rounded_and_never_none() {
        let frames = |length, frame_rate| Output { length, frame_rate }.frames();
        assert_eq!(frames(5.0, 30), 150);
        assert_eq!(frames(1.5, 15), 23);
        assert_eq!(frames(0.001, 15), 1);
    }
}
