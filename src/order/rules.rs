//! The rules of orders that a schema cannot tell.

use super::fields::{MotionField, Payload, TemplateField};
use crate::listing::template::{Template, Templates};
use crate::net::Policy;
use crate::schema::{Violation, shorten};

/// Of a video, in seconds.
const LONGEST: f64 = 400.0;

impl Payload {
    pub fn bad_addresses(&self, policy: &Policy) -> Vec<Violation> {
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
