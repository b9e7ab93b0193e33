//! The request for a listing video: its fields and their rules.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use super::DialectData;
use crate::api::error::ApiError;
use crate::listing::template::{Fields, Templates};
use crate::listing::{self, AspectRatio, Listing, MOST_PHOTOS};
use crate::net::Policy;
use crate::schema::{self, Violation, dotted, shorten};
use crate::spec::{Asset, Source};

pub const SCHEMA_TEXT: &str = include_str!("../../../schemas/generate-video.json");
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| schema::compile(SCHEMA_TEXT));
/// The same to look fields up in.
static FIELDS: LazyLock<Value> = LazyLock::new(|| schema::parse(SCHEMA_TEXT));

/// A payload may hold very many fields that are not known; a person needs to see a few.
const MAX_WARNINGS: usize = 20;

/// What is asked for.
pub struct GenerateRequest {
    pub listing: Listing,
    pub aspect_ratio: AspectRatio,
    pub data: DialectData,
    /// What was ignored, in sentences.
    pub warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Payload {
    files: Vec<Photo>,
    template_params: TemplateParams,
}

#[derive(Deserialize)]
struct Photo {
    url: String,
}

#[derive(Deserialize)]
struct TemplateParams {
    template_id: String,
    aspect_ratio: Option<String>,
    soundtrack_url: Option<String>,
    logo_url: Option<String>,
    #[serde(default)]
    property_details: PropertyDetails,
    #[serde(default)]
    contact_details: ContactDetails,
}

#[derive(Default, Deserialize)]
struct PropertyDetails {
    address: Option<String>,
    price: Option<String>,
    details: Option<String>,
}

#[derive(Default, Deserialize)]
struct ContactDetails {
    name: Option<String>,
    phone: Option<String>,
    website: Option<String>,
}

impl GenerateRequest {
    pub fn read(
        mut payload: Value,
        policy: &Policy,
        templates: &Templates,
    ) -> Result<Self, ApiError> {
        let warnings = warnings(&payload);
        drop_blanks(&mut payload);
        check_shape(&payload)?;
        let payload: Payload = serde_json::from_value(payload)
            .map_err(|error| ApiError::invalid("", error.to_string()))?;
        check_photos(&payload.files, policy)?;
        let params = payload.template_params;
        let aspect_ratio = check_params(&params, policy, templates)?;
        let photos = payload.files.into_iter().map(|photo| Asset {
            // One of a hundred photos is found by its URL.
            label: photo.url.clone(),
            source: Source::Url(photo.url),
        });
        Ok(Self {
            listing: Listing {
                photos: photos.collect(),
                captions: Vec::new(),
                facts: Fields {
                    address: params.property_details.address,
                    price: params.property_details.price,
                    details: params.property_details.details,
                    name: params.contact_details.name,
                    phone: params.contact_details.phone,
                    website: params.contact_details.website,
                    logo: params.logo_url.is_some(),
                },
                logo: asset("logo_url", params.logo_url),
                soundtrack: asset("soundtrack_url", params.soundtrack_url),
                transition: None,
                length: listing::LENGTH,
                frame_rate: listing::FRAME_RATE,
            },
            aspect_ratio,
            data: DialectData {
                template_id: params.template_id,
                aspect_ratio: aspect_ratio.name().to_owned(),
            },
            warnings,
        })
    }
}

fn asset(label: &str, url: Option<String>) -> Option<Asset> {
    Some(Asset {
        label: label.to_owned(),
        source: Source::Url(url?),
    })
}

/// Removes the fields that hold nothing: automation tools send what was left open as null or as an
/// empty text.
fn drop_blanks(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_blank(value));
            fields.values_mut().for_each(drop_blanks);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_blanks),
        _ => {}
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// Types, lengths, and what must be there.
fn check_shape(payload: &Value) -> Result<(), ApiError> {
    let files = payload.get("files");
    let photos = files.and_then(Value::as_array).map(Vec::len);
    if photos.is_some_and(|photos| photos > MOST_PHOTOS) {
        let message = format!("Maximum of {MOST_PHOTOS} photos allowed");
        return Err(ApiError::invalid("", message));
    }
    let mut violations = schema::violations(&SCHEMA, payload);
    if payload.is_object() && (files.is_none() || photos == Some(0)) {
        violations.push(Violation::new(
            "",
            "At least one photo is required in files",
        ));
    }
    ApiError::unless_none(violations)
}

/// All URLs that are no good, at once.
fn check_photos(photos: &[Photo], policy: &Policy) -> Result<(), ApiError> {
    let is_good = |url: &str| schema::is_http_url(url) && policy.check_url(url).is_ok();
    let urls = photos.iter().map(|photo| photo.url.as_str());
    let bad: Vec<&str> = urls.filter(|url| !is_good(url)).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let message = format!("Invalid image URLs: [{}]", bad.join(", "));
    Err(ApiError::invalid("", message))
}

/// What else a schema cannot say.
fn check_params(
    params: &TemplateParams,
    policy: &Policy,
    templates: &Templates,
) -> Result<AspectRatio, ApiError> {
    let mut violations = Vec::new();
    if templates.get(&params.template_id).is_none() {
        let names: Vec<&str> = templates.names().collect();
        let message = unknown(&params.template_id, "a template", &names);
        violations.push(Violation::of_value("/template_params/template_id", message));
    }
    let ratio = match params.aspect_ratio.as_deref() {
        None => Some(AspectRatio::default()),
        Some(name) => AspectRatio::named(name),
    };
    if let (None, Some(name)) = (ratio, &params.aspect_ratio) {
        let names = AspectRatio::ALL.map(AspectRatio::name);
        let message = unknown(name, "an aspect ratio", &names);
        violations.push(Violation::of_value(
            "/template_params/aspect_ratio",
            message,
        ));
    }
    let urls = [
        ("/template_params/soundtrack_url", &params.soundtrack_url),
        ("/template_params/logo_url", &params.logo_url),
    ];
    violations.extend(urls.into_iter().filter_map(|(path, url)| {
        let error = policy.check_url(url.as_deref()?).err()?;
        Some(Violation::new(path, error.to_string()))
    }));
    ApiError::unless_none(violations)?;
    Ok(ratio.unwrap_or_default())
}

fn unknown(name: &str, what: &str, known: &[&str]) -> String {
    let name = shorten(name);
    format!("{name:?} is not {what}; there are {}", known.join(", "))
}

/// About fields that the schema does not know, lest a typo goes unseen.
fn warnings(payload: &Value) -> Vec<String> {
    let unknown = schema::unknown_fields(&FIELDS, payload);
    let mut warnings: Vec<String> = unknown
        .iter()
        .take(MAX_WARNINGS)
        .map(|path| format!("{} is not known and was ignored", shorten(&dotted(path))))
        .collect();
    if let Some(more @ 1..) = unknown.len().checked_sub(MAX_WARNINGS) {
        warnings.push(format!("{more} more fields are not known and were ignored"));
    }
    warnings
}
