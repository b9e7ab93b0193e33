//! The fields of an order, as they are written.

use serde::Deserialize;

use crate::listing;
use crate::spec::{BadPhotos, Easing, Fit, Focus, Motion, Move, Point, TransitionKind, View};

/// Of the only video of an order that names none.
const ONLY_OUTPUT: &str = "video";

#[derive(Deserialize)]
pub struct Payload {
    pub photos: Vec<Photo>,
    pub duration: Option<f64>,
    /// A whole number, which may be written as `30.0`.
    #[serde(default = "default_frame_rate")]
    pub frame_rate: f64,
    pub transition: Option<TransitionField>,
    pub music: Option<Music>,
    pub template: Option<TemplateField>,
    #[serde(default = "only_output")]
    pub outputs: Vec<Output>,
    #[serde(default)]
    pub on_bad_photo: BadPhotos,
    pub webhook_url: Option<String>,
    pub id: Option<String>,
}

fn default_frame_rate() -> f64 {
    f64::from(listing::FRAME_RATE)
}

#[derive(Deserialize)]
pub struct Photo {
    pub url: String,
    pub duration: Option<f64>,
    pub caption: Option<String>,
    #[serde(default)]
    pub fit: Fit,
    #[serde(default)]
    pub focus: FocusField,
    #[serde(default)]
    pub motion: MotionField,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum FocusField {
    At(Point),
    Named(NamedFocus),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedFocus {
    Auto,
    Centre,
}

impl Default for FocusField {
    fn default() -> Self {
        Self::Named(NamedFocus::Auto)
    }
}

impl From<FocusField> for Focus {
    fn from(field: FocusField) -> Self {
        match field {
            FocusField::At(point) => Self::At(point),
            FocusField::Named(NamedFocus::Auto) => Self::Auto,
            FocusField::Named(NamedFocus::Centre) => Self::Centre,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum MotionField {
    Between {
        from: View,
        to: View,
        #[serde(default)]
        easing: Easing,
    },
    Named(NamedMotion),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedMotion {
    Auto,
    Still,
    ZoomIn,
    ZoomOut,
    PanLeft,
    PanRight,
    PanUp,
    PanDown,
}

impl Default for MotionField {
    fn default() -> Self {
        Self::Named(NamedMotion::Auto)
    }
}

impl From<MotionField> for Motion {
    fn from(field: MotionField) -> Self {
        Self::Eased(match field {
            MotionField::Between { from, to, easing } => return Self::Between { from, to, easing },
            MotionField::Named(named) => match named {
                NamedMotion::Auto => Move::Auto,
                NamedMotion::Still => Move::Still,
                NamedMotion::ZoomIn => Move::ZoomIn,
                NamedMotion::ZoomOut => Move::ZoomOut,
                NamedMotion::PanLeft => Move::PanLeft,
                NamedMotion::PanRight => Move::PanRight,
                NamedMotion::PanUp => Move::PanUp,
                NamedMotion::PanDown => Move::PanDown,
            },
        })
    }
}

#[derive(Deserialize)]
pub struct TransitionField {
    pub kind: TransitionKind,
    pub duration: Option<f64>,
}

#[derive(Deserialize)]
pub struct Music {
    pub url: String,
    #[serde(default = "full_volume")]
    pub volume: f64,
    #[serde(default)]
    pub cut_on_beat: bool,
}

fn full_volume() -> f64 {
    1.0
}

#[derive(Deserialize)]
pub struct TemplateField {
    pub id: String,
    pub logo_url: Option<String>,
    #[serde(default)]
    pub fields: TextFields,
}

#[derive(Default, Deserialize)]
pub struct TextFields {
    pub address: Option<String>,
    pub price: Option<String>,
    pub details: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub website: Option<String>,
}

#[derive(Deserialize)]
pub struct Output {
    pub name: String,
    pub aspect_ratio: Option<String>,
    #[serde(default = "yes")]
    pub titles: bool,
    #[serde(default = "yes")]
    pub branded: bool,
    /// A whole number, too.
    pub max_bytes: Option<f64>,
}

fn yes() -> bool {
    true
}

fn only_output() -> Vec<Output> {
    vec![Output {
        name: ONLY_OUTPUT.to_owned(),
        aspect_ratio: None,
        titles: true,
        branded: true,
        max_bytes: None,
    }]
}

impl Payload {
    /// Seconds: as told, or else those of the photos if each tells its own.
    pub fn length(&self) -> f64 {
        let photos = self.photos.iter().map(|photo| photo.duration);
        let sum = photos.sum::<Option<f64>>();
        self.duration.or(sum).unwrap_or(listing::LENGTH)
    }
}
