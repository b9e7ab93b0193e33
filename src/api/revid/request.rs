//! The request for a video: its fields, what a schema cannot check, and the job that it becomes.

use actix_web::HttpRequest;
use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use super::NAME;
use crate::api::error::ApiError;
use crate::job::{JobRequest, Lane};
use crate::net::Policy;
use crate::schema::{self, Violation};
use crate::spec::{Asset, BadPhotos, Frame, Motion, Output, Scene, Source, Transition, VideoSpec};

#[derive(Deserialize)]
pub struct ImageToVideo {
    pub image_url: String,
    #[serde(default = "default_length")]
    length: f64,
    /// An integer by the schema, for which 30.0 is one too.
    #[serde(default = "default_frame_rate")]
    frame_rate: f64,
    #[serde(default = "default_zoom_speed")]
    zoom_speed: f64,
    pub webhook_url: Option<String>,
    pub id: Option<String>,
    #[serde(default)]
    pub bypass_queue: bool,
}

impl ImageToVideo {
    /// Checks a payload by its schema, and the addresses in it.
    pub fn read(payload: Value, schema: &Validator, policy: &Policy) -> Result<Self, ApiError> {
        ApiError::unless_none(schema::violations(schema, &payload))?;
        let payload: Self = serde_json::from_value(payload)
            .map_err(|error| ApiError::invalid("", error.to_string()))?;
        check_addresses(policy, &payload)?;
        Ok(payload)
    }
}

fn default_length() -> f64 {
    5.0
}

fn default_frame_rate() -> f64 {
    30.0
}

fn default_zoom_speed() -> f64 {
    3.0
}

/// `?bypass_queue=true`, which says the same as the field.
pub fn bypasses(request: &HttpRequest) -> Result<bool, ApiError> {
    let values = url::form_urlencoded::parse(request.query_string().as_bytes());
    match values.filter(|(name, _)| name == "bypass_queue").last() {
        None => Ok(false),
        Some((_, value)) => match value.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" | "" => Ok(false),
            _ => Err(ApiError::invalid(
                "/bypass_queue",
                "is neither true nor false",
            )),
        },
    }
}

/// What the schema cannot say of a URL: no credentials, and no address that is not public.
fn check_addresses(policy: &Policy, payload: &ImageToVideo) -> Result<(), ApiError> {
    let urls = [
        ("/image_url", Some(&payload.image_url)),
        ("/webhook_url", payload.webhook_url.as_ref()),
    ];
    let refused = urls.into_iter().filter_map(|(path, url)| {
        let error = policy.check_url(url?).err()?;
        Some(Violation::new(path, error.to_string()))
    });
    ApiError::unless_none(refused.collect())
}

pub fn job_request(endpoint: &str, payload: ImageToVideo, bypass: bool) -> JobRequest {
    let photo = Asset {
        label: "image_url".into(),
        source: Source::Url(payload.image_url),
    };
    let motion = Motion::CentreZoom {
        speed: payload.zoom_speed,
    };
    JobRequest {
        dialect: NAME.to_owned(),
        endpoint: endpoint.to_owned(),
        client_id: payload.id,
        webhook_url: payload.webhook_url,
        lane: if bypass { Lane::Express } else { Lane::Normal },
        specs: vec![VideoSpec {
            scenes: vec![Scene::new(photo, motion)],
            transition: Transition::CUT,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length: payload.length,
                frame_rate: payload.frame_rate as u32,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
                max_bytes: None,
            },
            cut_on_beat: false,
            music_volume: 1.0,
            bad_photos: BadPhotos::Fail,
        }],
        dialect_data: None,
    }
}
