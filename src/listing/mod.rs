//! A listing: the photos of a property and the facts about it, as the specification of one video.
//! Independent of the dialects that ask for one.

mod caption;
pub mod template;

use template::{Fields, FilledTemplate, Template};

use crate::spec::{
    Asset, BadPhotos, Frame, Motion, Move, Output, Scene, Size, Transition, TransitionKind,
    VideoSpec,
};

/// The default length, in seconds.
pub const LENGTH: f64 = 30.0;
/// The default frame rate, in frames per second.
pub const FRAME_RATE: u32 = 30;
pub const MOST_PHOTOS: usize = 100;

/// Without a template.
const TRANSITION: Transition = Transition {
    kind: TransitionKind::Fade,
    seconds: 0.8,
};
/// The moment of the thumbnail, in seconds: the opening title is fully visible.
const THUMBNAIL_AT: f64 = 2.0;
/// The same in short videos, as a share of the length.
const THUMBNAIL_SHARE: f64 = 0.125;

/// What listing videos are made of.
pub struct Listing {
    pub photos: Vec<Asset>,
    /// Of the photos, in their order; there may be fewer.
    pub captions: Vec<Option<String>>,
    /// About the property and its agent.
    pub facts: Fields,
    pub logo: Option<Asset>,
    pub soundtrack: Option<Asset>,
    /// In place of the template's.
    pub transition: Option<OwnTransition>,
    /// Seconds.
    pub length: f64,
    /// Frames per second.
    pub frame_rate: u32,
}

/// A transition that is asked for.
#[derive(Clone, Copy)]
pub struct OwnTransition {
    pub kind: TransitionKind,
    /// `None`: those of the template's.
    pub seconds: Option<f64>,
}

/// One of the videos of a listing.
#[derive(Clone, Copy)]
pub struct Variant<'a> {
    pub aspect_ratio: AspectRatio,
    /// Whose titles it has.
    pub template: Option<&'a Template>,
    /// With the logo, and with the agent's name, number and website: some portals forbid them.
    pub is_branded: bool,
    /// Of the file.
    pub max_bytes: Option<u64>,
}

impl Listing {
    /// The specification of one of its videos.
    pub fn spec(&self, variant: &Variant) -> VideoSpec {
        let Variant { template, .. } = variant;
        let facts = match variant.is_branded {
            true => self.facts.clone(),
            false => self.facts.unbranded(),
        };
        let titles = template.map(|template| template.fill(&facts, self.length));
        let titles = titles.unwrap_or_default();
        let scene = |photo: &Asset| Scene::new(photo.clone(), Motion::Eased(Move::Auto));
        let mut scenes: Vec<Scene> = self.photos.iter().map(scene).collect();
        for (scene, text) in scenes.iter_mut().zip(&self.captions) {
            let text = text.as_deref();
            scene.caption = text.and_then(|text| caption::panel(text, &titles.overlays));
        }
        let transition = self.transition(*template);
        give_time(&mut scenes, self.length, &titles, transition);
        VideoSpec {
            scenes,
            transition,
            overlays: titles.overlays,
            logo: self.logo.clone().filter(|_| variant.is_branded),
            soundtrack: self.soundtrack.clone(),
            output: Output {
                length: self.length,
                frame_rate: self.frame_rate,
                frame: Frame::Size(variant.aspect_ratio.size()),
                thumbnail_at: Some(THUMBNAIL_AT.min(THUMBNAIL_SHARE * self.length)),
                max_bytes: variant.max_bytes,
            },
            cut_on_beat: false,
            music_volume: 1.0,
            bad_photos: BadPhotos::Fail,
        }
    }

    /// The one that is asked for, or that of the template.
    fn transition(&self, template: Option<&Template>) -> Transition {
        let usual = template.map_or(TRANSITION, |template| template.transition);
        self.transition.map_or(usual, |own| Transition {
            kind: own.kind,
            seconds: own.seconds.unwrap_or(usual.seconds),
        })
    }
}

/// Gives the first photo the time of an opening title, and the last one that of the closing card, beside the time in
/// which they are seen.
fn give_time(scenes: &mut [Scene], length: f64, titles: &FilledTemplate, transition: Transition) {
    let photos = scenes.len() as f64;
    let [first, .., last] = scenes else {
        return;
    };
    first.covered = titles.opening_hides;
    first.extra = titles.opening_hides + missing_time(titles, length, photos, transition);
    last.covered = titles.closing_hides;
    last.extra = titles.closing;
}

/// Seconds from when an opening title is gone to when the next photo begins to be seen; less, where photos are seen for
/// less than twice that.
const WITHOUT_TITLE: f64 = 1.0;

/// The time that the first photo needs beside its share, in seconds, so that it is also seen when opening titles are gone.
fn missing_time(titles: &FilledTemplate, length: f64, photos: f64, transition: Transition) -> f64 {
    if titles.opening == titles.opening_hides {
        return 0.0;
    }
    let share = (length - titles.closing - titles.opening_hides) / photos;
    let half_transition = match transition.kind {
        TransitionKind::Cut => 0.0,
        _ => transition.seconds.min(share / 5.0) / 2.0,
    };
    let after = WITHOUT_TITLE.min(share / 2.0) + half_transition;
    let missing = titles.opening - titles.opening_hides + after - share;
    // As the others become shorter by it, so does its own share.
    missing.max(0.0) * photos / (photos - 1.0)
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
