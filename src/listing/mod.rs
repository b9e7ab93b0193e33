//! A listing: the photos of a property and the facts about it, as the specification of one video.
//! Independent of the dialects that ask for one.

pub mod template;

use template::{Fields, Template};

use crate::spec::{Asset, Frame, Motion, Move, Output, Scene, Size, VideoSpec};

/// The default length, in seconds.
pub const LENGTH: f64 = 30.0;
/// The default frame rate, in frames per second.
pub const FRAME_RATE: u32 = 30;
pub const MOST_PHOTOS: usize = 100;

/// Used in turn, so that two consecutive scenes differ.
const MOVES: [Move; 4] = [Move::ZoomIn, Move::PanForth, Move::ZoomOut, Move::PanBack];

/// Seconds that a crossfade lasts without a template, if the scenes are long enough.
const CROSSFADE: f64 = 0.8;
/// The moment of the thumbnail, in seconds: the opening title is fully visible.
const THUMBNAIL_AT: f64 = 2.0;
/// The same in short videos, as a share of the length.
const THUMBNAIL_SHARE: f64 = 0.125;

/// What a listing video is made of.
pub struct Listing {
    pub photos: Vec<Asset>,
    /// About the property and its agent.
    pub facts: Fields,
    pub logo: Option<Asset>,
    pub soundtrack: Option<Asset>,
    pub aspect_ratio: AspectRatio,
    /// Seconds.
    pub length: f64,
    /// Frames per second.
    pub frame_rate: u32,
}

impl Listing {
    /// The specification of the video, with the titles of a template if there is one.
    pub fn spec(self, template: Option<&Template>) -> VideoSpec {
        let overlays = template.map(|template| template.fill(&self.facts, self.length));
        let moves = MOVES.into_iter().cycle();
        let scene = |(photo, motion)| Scene {
            photo,
            motion: Motion::Eased(motion),
        };
        VideoSpec {
            scenes: self.photos.into_iter().zip(moves).map(scene).collect(),
            crossfade: template.map_or(CROSSFADE, |template| template.crossfade),
            overlays: overlays.unwrap_or_default(),
            logo: self.logo,
            soundtrack: self.soundtrack,
            output: Output {
                length: self.length,
                frame_rate: self.frame_rate,
                frame: Frame::Size(self.aspect_ratio.size()),
                thumbnail_at: Some(THUMBNAIL_AT.min(THUMBNAIL_SHARE * self.length)),
            },
        }
    }
}

/// The shape of the video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AspectRatio {
    Landscape,
    #[default]
    Square,
    Portrait,
    Vertical,
}

impl AspectRatio {
    pub const ALL: [Self; 4] = [
        Self::Landscape,
        Self::Square,
        Self::Portrait,
        Self::Vertical,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Landscape => "16:9",
            Self::Square => "1:1",
            Self::Portrait => "4:5",
            Self::Vertical => "9:16",
        }
    }

    /// The ratio of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ratio| ratio.name() == name)
    }

    fn size(self) -> Size {
        let (width, height) = match self {
            Self::Landscape => (1920, 1080),
            Self::Square => (1080, 1080),
            Self::Portrait => (1080, 1350),
            Self::Vertical => (1080, 1920),
        };
        Size { width, height }
    }
}
