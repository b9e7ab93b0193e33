//! The rules of orders that a schema cannot tell.

use super::address::{AllowedSources, Use};
use super::fields::{MotionField, Payload, TemplateField};
use crate::listing::template::{Template, Templates};
use crate::schema::{Violation, shorten};
use crate::spec::Source;

/// Where the assets of an order are.
pub struct Sources {
    pub photos: Vec<Source>,
    pub music: Option<Source>,
    pub logo: Option<Source>,
}

/// Of a video, in seconds.
const LONGEST: f64 = 400.0;

impl Payload {
    /// Where the assets are, and which addresses may not be named.
    pub fn sources(&self, allowed: &AllowedSources) -> (Sources, Vec<Violation>) {
        let mut violations = Vec::new();
        let mut source = |path: String, address: &String, to: Use| {
            let source = allowed.source(address, to);
            let refused = |message| violations.push(Violation::new(path, message));
            source.map_err(refused).ok()
        };
        let photos = self.photos.iter().enumerate();
        let sources = Sources {
            photos: photos
                .filter_map(|(i, photo)| {
                    source(format!("/photos/{i}/url"), &photo.url, Use::Picture)
                })
                .collect(),
            music: self
                .music
                .as_ref()
                .and_then(|music| source("/music/url".to_owned(), &music.url, Use::Sound)),
            logo: self.template.as_ref().and_then(|template| {
                let address = template.logo_url.as_ref()?;
                source("/template/logo_url".to_owned(), address, Use::Picture)
            }),
        };
        let webhook = self.webhook_url.as_ref();
        let refused = webhook.and_then(|address| allowed.web(address).err());
        violations.extend(refused.map(|message| Violation::new("/webhook_url", message)));
        (sources, violations)
    }

    pub fn bad_views(&self) -> Vec<Violation> {
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

    pub fn repeated_names(&self) -> Vec<Violation> {
        let names: Vec<&str> = self.outputs.iter().map(|it| it.name.as_str()).collect();
        let repeated = (1..names.len()).filter(|&i| names[..i].contains(&names[i]));
        let violation = |i| {
            let message = format!("{:?} is the name of another output", names[i]);
            Violation::of_value(format!("/outputs/{i}/name"), message)
        };
        repeated.map(violation).collect()
    }

    /// As the sum of the photos' durations; what is told is checked before.
    pub fn too_long(&self) -> Option<Violation> {
        let length = self.length();
        (length > LONGEST).then(|| {
            let message = format!(
                "is left out, and the durations of the photos are {length} s together, which is more than {LONGEST} s"
            );
            Violation::new("/duration", message)
        })
    }

    pub fn too_many_photos(&self) -> Option<Violation> {
        let frames = self.length() * self.frame_rate;
        let photos = self.photos.len();
        (frames < photos as f64).then(|| {
            let message = format!("is too short to show all {photos} photos");
            Violation::new("/duration", message)
        })
    }

    pub fn template<'a>(
        &self,
        templates: &'a Templates,
    ) -> Result<Option<&'a Template>, Violation> {
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
}
