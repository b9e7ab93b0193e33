//! The specification of one video, as plain data.

mod camera;
pub mod overlay;
mod transition;
pub mod wording;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use camera::{Easing, Fit, Focus, Motion, Move, Point, View};
use overlay::{Overlay, Panel};
pub use transition::{Transition, TransitionKind};

/// Everything the pipeline needs to know to make a video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoSpec {
    /// In order. Never empty.
    pub scenes: Vec<Scene>,
    #[serde(default, alias = "crossfade")]
    pub transition: Transition,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<Overlay>,
    /// For the overlays that have a place for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Asset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soundtrack: Option<Asset>,
    pub output: Output,
    /// Whether the photos change on beats of the soundtrack.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_on_beat: bool,
    /// Of the soundtrack, as a fraction of its own.
    #[serde(default = "full_volume")]
    pub music_volume: f64,
    #[serde(default)]
    pub bad_photos: BadPhotos,
}

fn is_zero(seconds: &f64) -> bool {
    *seconds == 0.0
}

fn full_volume() -> f64 {
    1.0
}

/// What becomes of photos of which nothing can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadPhotos {
    /// There is no video.
    #[default]
    Fail,
    /// The video is made without them.
    Skip,
}

impl VideoSpec {
    /// Whether versions that know the scenes and transitions of listings would make the same video.
    pub fn is_plain(&self) -> bool {
        let has_caption = self.scenes.iter().any(|scene| scene.caption.is_some());
        self.music_volume == full_volume() && self.bad_photos == BadPhotos::Fail && !has_caption
    }

    /// Whether it is made from photos that were uploaded.
    pub fn has_uploads(&self) -> bool {
        let photos = self.scenes.iter().map(|scene| &scene.photo);
        photos
            .chain(&self.logo)
            .any(|asset| matches!(asset.source, Source::Uploaded(_)))
    }

    /// Whether titles blur photos, or photos have time for titles beside their own.
    pub fn has_blurs_or_extra_time(&self) -> bool {
        let mut panels = self.overlays.iter().map(|overlay| &overlay.panel);
        panels.any(|panel| panel.blur().is_some()) || self.scenes.iter().any(|it| it.extra > 0.0)
    }

    /// Without some of its photos. What time the first and the last one have for titles goes to those in their places; a
    /// photo that is left alone has none.
    pub fn without(&self, photos: &[usize]) -> Self {
        let is_left = |index: &usize| !photos.contains(index);
        let left: Vec<usize> = (0..self.scenes.len()).filter(is_left).collect();
        let mut scenes: Vec<Scene> = left.iter().map(|&i| self.scenes[i].clone()).collect();
        if let ([first, .., last], [old_first, .., old_last]) = (&mut scenes[..], &self.scenes[..])
        {
            for (new, old) in [(first, old_first), (last, old_last)] {
                new.covered = old.covered;
                new.extra = old.extra;
            }
        } else if let [only] = &mut scenes[..] {
            (only.covered, only.extra) = (0.0, 0.0);
        }
        Self {
            scenes,
            ..self.clone()
        }
    }
}

/// One photo and its motion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    pub photo: Asset,
    pub motion: Motion,
    #[serde(default)]
    pub focus: Focus,
    #[serde(default)]
    pub fit: Fit,
    /// How long it is shown. The scenes without one share the rest of the video; if there is no rest, all become
    /// shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Seconds for titles, beside the time that it has otherwise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra: f64,
    /// Seconds in which titles hide it: the camera goes as far as without them, and slower.
    #[serde(default)]
    pub covered: f64,
    /// Shown while the photo is seen alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<Panel>,
}

impl Scene {
    pub fn new(photo: Asset, motion: Motion) -> Self {
        Self {
            photo,
            motion,
            focus: Focus::default(),
            fit: Fit::default(),
            seconds: None,
            extra: 0.0,
            covered: 0.0,
            caption: None,
        }
    }
}

/// Something that a video is made from and that has to be fetched, such as a photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// The client's name for it. Sentences about it begin with this.
    pub label: String,
    pub source: Source,
}

/// Where an asset comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An absolute http(s) URL. The address guard has yet to check it.
    Url(String),
    /// A photo that was uploaded.
    Uploaded(Upload),
    /// A local file, named at the command line. Never stored, so no request can name one.
    #[serde(skip)]
    File(PathBuf),
}

/// Where a photo is that was uploaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// Its name in the storage, which is nobody else's.
    pub file: String,
    /// The name of the storage; `None`: the directory that is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
}

/// The video's length, rate and size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Seconds.
    pub length: f64,
    /// Frames a second.
    pub frame_rate: u32,
    pub frame: Frame,
    /// Seconds from the start to the frame that becomes the thumbnail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_at: Option<f64>,
    /// Of the file; its quality is as low as that needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// The frames' size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// Full HD: landscape if the first photo is wider than high, else portrait.
    LikeFirstPhoto,
    /// Both even.
    Size(Size),
}

impl Frame {
    /// For a video that begins with a photo of this size.
    pub fn size(self, first_photo: Size) -> Size {
        match self {
            Frame::LikeFirstPhoto => first_photo.full_hd_frame(),
            Frame::Size(size) => size,
        }
    }
}

impl Output {
    /// Number of frames, at least one.
    pub fn frames(&self) -> u32 {
        // A float-to-int cast saturates, so an absurd length cannot wrap.
        ((self.length * f64::from(self.frame_rate)).round() as u32).max(1)
    }

    /// The duration of these frames.
    pub fn seconds(&self) -> f64 {
        f64::from(self.frames()) / f64::from(self.frame_rate)
    }

    /// The index of the thumbnail's frame.
    pub fn thumbnail(&self) -> Option<u32> {
        let k = (self.thumbnail_at? * f64::from(self.frame_rate)).round() as u32;
        Some(k.min(self.frames() - 1))
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// Bytes of a frame of this size in planar 4:2:0. Width and height are even.
    pub fn frame_bytes(self) -> usize {
        self.width as usize * self.height as usize * 3 / 2
    }

    /// The frame that suits a photo of this size: landscape, or else portrait, in full HD.
    fn full_hd_frame(self) -> Size {
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
        let frames = |length, frame_rate| {
            let output = Output {
                length,
                frame_rate,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
                max_bytes: None,
            };
            output.frames()
        };
        assert_eq!(frames(5.0, 30), 150);
        assert_eq!(frames(1.5, 15), 23);
        assert_eq!(frames(0.001, 15), 1);
    }
}
