//! The order of videos, in JSON: what is asked for of the own API, and of the command line.
//!
//! ```text
//! fields (with address) ─ what an order can say ▸ rules ─ what the schema cannot check ▸ specs ─ the specifications
//! ```

mod address;
mod fields;
mod rules;
mod specs;

use std::collections::HashSet;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::listing::template::Templates;
use crate::schema::{self, Violation};
use crate::spec::VideoSpec;
use address::is_address;
pub use address::{AllowedSources, UPLOAD, of_file, replace_paths, uploads_in};
use fields::Payload;

pub const SCHEMA_TEXT: &str = include_str!("../../schemas/create-video.json");
static SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| schema::compile_with(SCHEMA_TEXT, is_address));

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

impl Order {
    /// Err: every rule that the payload breaks.
    pub fn read(
        payload: Value,
        allowed: &AllowedSources,
        templates: &Templates,
    ) -> Result<Self, Vec<Violation>> {
        let (payload, short) = with_photo_objects(payload);
        let unless_none = |violations: Vec<Violation>| match violations.is_empty() {
            true => Ok(()),
            false => Err(as_sent(violations, &short)),
        };
        unless_none(schema::violations(&SCHEMA, &payload))?;
        let payload: Payload = serde_json::from_value(payload)
            .map_err(|error| vec![Violation::new("", error.to_string())])?;
        let (sources, mut violations) = payload.sources(allowed);
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
        let specs = payload.specs(template, sources);
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
