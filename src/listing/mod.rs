//! A listing: the photos of a property and what is to be said of it, as the specification of one
//! video. What several dialects ask for, in none of their words.

pub mod template;

use template::{Fields, Template};

use crate::spec::{Asset, Frame, Motion, Move, Output, Scene, Size, VideoSpec};

/// Seconds, unless somebody wants another length.
pub const LENGTH: f64 = 30.0;
/// Frames a second, likewise.
pub const FRAME_RATE: u32 = 30;
pub const MOST_PHOTOS: usize = 100;

/// In turn, so that no two neighbours are alike.
const MOVES: [Move; 4] = [Move::ZoomIn, Move::PanForth, Move::ZoomOut, Move::PanBack];

/// Seconds, where the photos are shown long enough.
const CROSSFADE: f64 = 0.8;
/// Seconds, or else a share of a short video: the opening title is there by then, and not yet gone.
const THUMBNAIL_AT: f64 = 2.0;
const THUMBNAIL_SHARE: f64 = 0.125;

/// What a listing video is made of.
pub struct Listing {
    pub photos: Vec<Asset>,
    /// What is said of the property, and who is to be asked.
    pub facts: Fields,
    pub logo: Option<Asset>,
    pub soundtrack: Option<Asset>,
    pub aspect_ratio: AspectRatio,
    /// Seconds.
    pub length: f64,
    /// Frames a second.
    pub frame_rate: u32,
}

impl Listing {
    /// The video, with the titles of a template if there is one.
    pub fn spec(self, template: Option<&Template>) -> VideoSpec {
        let overlays = template.map(|template| template.fill(&self.facts, self.length));
        let moves = MOVES.into_iter().cycle();
        let scene = |(photo, what)| Scene {
            photo,
            motion: Motion::Eased(what),
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

    /// The one of this name.
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
