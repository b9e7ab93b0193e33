//! The order of videos: its fields, their rules, and the specifications that follow.

use std::collections::HashSet;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::api::schema::{self, shorten};
use crate::api::violation::Violation;
use crate::listing::template::{Fields, Template, Templates};
use crate::listing::{self, AspectRatio, Listing, Variant};
use crate::net::Policy;
use crate::pipeline;
use crate::spec::{
    Asset, BadPhotos, Easing, Fit, Focus, Motion, Move, Point, Scene, Source, Transition,
    TransitionKind, VideoSpec, View,
};

pub const SCHEMA_TEXT: &str = include_str!("../../../schemas/create-video.json");
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| schema::compile(SCHEMA_TEXT));

/// Of a video, in seconds.
const LONGEST: f64 = 400.0;

/// Of the only video of an order that names none.
const ONLY_OUTPUT: &str = "video";

/// What is asked for.
pub struct Order {
    /// Of its videos.
    pub specs: Vec<VideoSpec>,
    /// Their names.
    pub outputs: Vec<String>,
    pub client_id: Option<String>,
    pub webhook_url: Option<String>,
    /// What will not be as it was asked for, in sentences.
    pub warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Payload {
    photos: Vec<Photo>,
    duration: Option<f64>,
    /// A whole number, which may be written as `30.0`.
    #[serde(default = "default_frame_rate")]
    frame_rate: f64,
    transition: Option<TransitionField>,
    music: Option<Music>,
    template: Option<TemplateField>,
    #[serde(default = "only_output")]
    outputs: Vec<Output>,
    #[serde(default)]
    on_bad_photo: BadPhotos,
    webhook_url: Option<String>,
    id: Option<String>,
}

fn default_frame_rate() -> f64 {
    f64::from(listing::FRAME_RATE)
}

#[derive(Deserialize)]
struct Photo {
    url: String,
    duration: Option<f64>,
    caption: Option<String>,
    #[serde(default)]
    fit: Fit,
    #[serde(default)]
    focus: FocusField,
    #[serde(default)]
    motion: MotionField,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum FocusField {
    At(Point),
    Named(NamedFocus),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NamedFocus {
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
enum MotionField {
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
enum NamedMotion {
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
struct TransitionField {
    kind: TransitionKind,
    duration: Option<f64>,
}

#[derive(Deserialize)]
struct Music {
    url: String,
    #[serde(default = "full_volume")]
    volume: f64,
    #[serde(default)]
    cut_on_beat: bool,
}

fn full_volume() -> f64 {
    1.0
}

#[derive(Deserialize)]
struct TemplateField {
    id: String,
    logo_url: Option<String>,
    #[serde(default)]
    fields: TextFields,
}

#[derive(Default, Deserialize)]
struct TextFields {
    address: Option<String>,
    price: Option<String>,
    details: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    website: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    aspect_ratio: Option<String>,
    #[serde(default = "yes")]
    titles: bool,
    #[serde(default = "yes")]
    branded: bool,
    /// A whole number, too.
    max_bytes: Option<f64>,
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

impl Order {
    pub fn read(payload: Value, policy: &Policy, templates: &Templates) -> Result<Self, ApiError> {
        let (payload, short) = with_photo_objects(payload);
        let unless_none = |violations| ApiError::unless_none(as_sent(violations, &short));
        unless_none(schema::violations(&SCHEMA, &payload))?;
        let payload: Payload = serde_json::from_value(payload)
            .map_err(|error| ApiError::invalid("", error.to_string()))?;
        let mut violations = payload.bad_addresses(policy);
        violations.extend(payload.bad_views());
        violations.extend(payload.repeated_names());
        violations.extend(payload.too_long());
        violations.extend(payload.too_many_photos());
        let template = payload.template(templates);
        let template = template.unwrap_or_else(|violation| {
            violations.push(violation);
            None
        });
        unless_none(violations)?;
        let specs = payload.specs(template);
        let warnings = payload.warnings(&specs);
        Ok(Self {
            specs,
            outputs: payload.outputs.into_iter().map(|it| it.name).collect(),
            client_id: payload.id,
            webhook_url: payload.webhook_url,
            warnings,
        })
    }
}

/// Turns photos that are an address alone into objects, and tells where their addresses are now.
fn with_photo_objects(mut payload: Value) -> (Value, HashSet<String>) {
    let mut short = HashSet::new();
    let photos = payload.get_mut("photos").and_then(Value::as_array_mut);
    for (index, photo) in photos.into_iter().flatten().enumerate() {
        if photo.is_string() {
            *photo = json!({ "url": photo.take() });
            short.insert(format!("/photos/{index}/url"));
        }
    }
    (payload, short)
}

/// The violations, with the places of the payload that was sent.
fn as_sent(mut violations: Vec<Violation>, short: &HashSet<String>) -> Vec<Violation> {
    for violation in &mut violations {
        if short.contains(&violation.path) {
            let photo = violation.path.trim_end_matches("/url").len();
            violation.path.truncate(photo);
        }
    }
    violations
}

impl Payload {
    /// Seconds: as told, or else those of the photos if each tells its own.
    fn length(&self) -> f64 {
        let photos = self.photos.iter().map(|photo| photo.duration);
        let sum = photos.sum::<Option<f64>>();
        self.duration.or(sum).unwrap_or(listing::LENGTH)
    }

    fn bad_addresses(&self, policy: &Policy) -> Vec<Violation> {
        let photos = self.photos.iter().enumerate();
        let photos =
            photos.map(|(index, photo)| (format!("/photos/{index}/url"), Some(&photo.url)));
        let music = self.music.as_ref().map(|music| &music.url);
        let logo = self.template.as_ref().and_then(|it| it.logo_url.as_ref());
        let others = [
            ("/music/url", music),
            ("/template/logo_url", logo),
            ("/webhook_url", self.webhook_url.as_ref()),
        ];
        let others = others.map(|(path, url)| (path.to_owned(), url));
        let refused = photos.chain(others).filter_map(|(path, url)| {
            let error = policy.check_url(url?).err()?;
            Some(Violation::new(path, error.to_string()))
        });
        refused.collect()
    }

    fn bad_views(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (index, photo) in self.photos.iter().enumerate() {
            let MotionField::Between { from, to, .. } = photo.motion else {
                continue;
            };
            for (name, view) in [("from", from), ("to", to)] {
                if !view.is_on_photo() {
                    let path = format!("/photos/{index}/motion/{name}");
                    let message = "is not on the photo: x + width is at most 1, and y less than 1";
                    violations.push(Violation::new(path, message));
                }
            }
        }
        violations
    }

    fn repeated_names(&self) -> Vec<Violation> {
        let names: Vec<&str> = self.outputs.iter().map(|it| it.name.as_str()).collect();
        let repeated = (1..names.len()).filter(|&i| names[..i].contains(&names[i]));
        let violation = |i| {
            let message = format!("{:?} is the name of another output", names[i]);
            Violation::of_value(format!("/outputs/{i}/name"), message)
        };
        repeated.map(violation).collect()
    }

    /// As the sum of the photos' durations; what is told is checked before.
    fn too_long(&self) -> Option<Violation> {
        let length = self.length();
        (length > LONGEST).then(|| {
            let message = format!(
                "is left out, and the durations of the photos are {length} s together, which is more than {LONGEST} s"
            );
            Violation::new("/duration", message)
        })
    }

    fn too_many_photos(&self) -> Option<Violation> {
        let frames = self.length() * self.frame_rate;
        let photos = self.photos.len();
        (frames < photos as f64).then(|| {
            let message = format!("is too short to show all {photos} photos");
            Violation::new("/duration", message)
        })
    }

    fn template<'a>(&self, templates: &'a Templates) -> Result<Option<&'a Template>, Violation> {
        let Some(TemplateField { id, .. }) = &self.template else {
            return Ok(None);
        };
        let template = templates.get(id).map(Some);
        template.ok_or_else(|| {
            let names: Vec<&str> = templates.names().collect();
            let id = shorten(id);
            let message = format!("{id:?} is not a template; there are {}", names.join(", "));
            Violation::of_value("/template/id", message)
        })
    }

    fn specs(&self, template: Option<&Template>) -> Vec<VideoSpec> {
        let listing = self.listing();
        let spec = |output: &Output| {
            let mut spec = listing.spec(&output.variant(template));
            for (scene, photo) in spec.scenes.iter_mut().zip(&self.photos) {
                photo.apply(scene);
            }
            if let Some(transition) = &self.transition {
                spec.transition = Transition {
                    kind: transition.kind,
                    seconds: transition.duration.unwrap_or(spec.transition.seconds),
                };
            }
            spec.bad_photos = self.on_bad_photo;
            if let Some(music) = &self.music {
                spec.music_volume = music.volume;
                spec.cut_on_beat = music.cut_on_beat;
            }
            spec
        };
        self.outputs.iter().map(spec).collect()
    }

    fn listing(&self) -> Listing {
        let photos = self.photos.iter().enumerate();
        let photos = photos.map(|(index, photo)| Asset {
            label: format!("photos[{index}]"),
            source: Source::Url(photo.url.clone()),
        });
        let template = self.template.as_ref();
        let fields = template.map(|template| &template.fields);
        let text = |of: fn(&TextFields) -> &Option<String>| fields.and_then(|it| of(it).clone());
        let asset = |label: &str, url: &String| Asset {
            label: label.to_owned(),
            source: Source::Url(url.clone()),
        };
        let logo = template.and_then(|template| template.logo_url.as_ref());
        let music = self.music.as_ref();
        Listing {
            photos: photos.collect(),
            captions: self.photos.iter().map(|it| it.caption.clone()).collect(),
            facts: Fields {
                address: text(|it| &it.address),
                price: text(|it| &it.price),
                details: text(|it| &it.details),
                name: text(|it| &it.name),
                phone: text(|it| &it.phone),
                website: text(|it| &it.website),
                logo: logo.is_some(),
            },
            logo: logo.map(|url| asset("template.logo_url", url)),
            soundtrack: music.map(|music| asset("music.url", &music.url)),
            length: self.length(),
            frame_rate: self.frame_rate as u32,
        }
    }

    fn warnings(&self, specs: &[VideoSpec]) -> Vec<String> {
        let mut warnings = Vec::new();
        let told: f64 = self.photos.iter().filter_map(|photo| photo.duration).sum();
        let length = self.length();
        if told > length + 1e-9 {
            warnings.push(format!(
                "the durations of the photos are {told} s together, which is more than the {length} s of the video: \
                 all photos are shown for a shorter time"
            ));
        }
        // Those of templates are short, and of no one's choosing.
        if self.transition.is_some() {
            let shortened = specs.iter().find_map(pipeline::shortened_transition);
            warnings.extend(shortened.map(|(asked, shortest)| {
                format!(
                    "transitions of {asked} s are too long for the photos beside them, and are shortened, to {shortest:.2} s \
                     at least"
                )
            }));
        }
        warnings
    }
}

impl Photo {
    fn apply(&self, scene: &mut Scene) {
        scene.fit = self.fit;
        scene.focus = self.focus.into();
        scene.motion = self.motion.into();
        if self.duration.is_some() {
            scene.seconds = self.duration;
        }
    }
}

impl Output {
    fn variant<'a>(&self, template: Option<&'a Template>) -> Variant<'a> {
        let ratio = self.aspect_ratio.as_deref().and_then(AspectRatio::named);
        Variant {
            aspect_ratio: ratio.unwrap_or_default(),
            template: template.filter(|_| self.titles),
            is_branded: self.branded,
            max_bytes: self.max_bytes.map(|bytes| bytes as u64),
        }
    }
}
