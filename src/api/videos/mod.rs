//! Kinora's own API, `/api`: all that the program can do.
//!
//! ```text
//! photos ─ what is uploaded for orders; check, preview (with drawing) ─ an order before its videos are made
//! create, read, cancel, events (with watched) ─ the videos of an order
//! templates, webhooks ─ what else there is; page ─ lists of it
//! video, problem ─ what is answered
//! ```

mod cancel;
mod check;
mod create;
mod drawing;
mod events;
mod page;
mod photos;
mod preview;
mod problem;
mod read;
mod templates;
mod video;
mod watched;
mod webhooks;

use std::collections::HashMap;

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::OpenApi;

pub use watched::Watched;

use crate::api::Service;
use crate::api::dialect::Dialect;
use crate::api::endpoint::Endpoint;
use crate::api::error::ApiError;
use crate::api::openapi::Description;
use crate::job::{Job, JobId, PublicState, VideoUrls};
use crate::jobs::{JobStatus, WebhookState};
use crate::listing::template::Templates;
use crate::net::Policy;
use crate::order::{self, AllowedSources, Order};
use crate::schema;
use problem::Problem;
use video::VideoObject;

const NAME: &str = "videos";

pub struct Videos;

/// Whether a payload would become a job.
pub fn accepts(payload: Value, policy: &Policy, templates: &Templates) -> bool {
    let allowed = AllowedSources {
        policy,
        uploads: &HashMap::new(),
        allows_files: false,
    };
    Order::read(payload, &allowed, templates).is_ok()
}

impl Dialect for Videos {
    fn name(&self) -> &'static str {
        NAME
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/api"]
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![
            Endpoint::new("/api/videos")
                .get(read::list)
                .post(create::create),
            // Before what a video's id could be.
            Endpoint::new("/api/videos/check").post(check::check),
            Endpoint::new("/api/videos/preview").post(preview::preview),
            Endpoint::new("/api/videos/contact-sheet").post(preview::contact_sheet),
            Endpoint::new("/api/videos/{id}")
                .get(read::video)
                .delete(cancel::cancel),
            Endpoint::new("/api/videos/{id}/events").get(events::events),
            Endpoint::new("/api/photos").post(photos::upload),
            Endpoint::new("/api/templates").get(templates::templates),
            Endpoint::new("/api/webhooks").get(webhooks::list),
            Endpoint::new("/api/webhooks/{id}/resend").post(webhooks::resend),
        ]
    }

    fn description(&self) -> Description {
        let mut document = json!(Documented::openapi());
        let paths = &mut document["paths"];
        let states = [
            (
                "/api/videos",
                json!(PublicState::ALL.map(PublicState::name)),
            ),
            (
                "/api/webhooks",
                json!(WebhookState::ALL.map(WebhookState::name)),
            ),
        ];
        for (path, names) in states {
            if let Some(Value::Array(parameters)) = paths[path]["get"].get_mut("parameters") {
                for parameter in parameters.iter_mut().filter(|it| it["name"] == "state") {
                    parameter["schema"] = json!({ "enum": names });
                }
            }
        }
        // Each event holds a video object; as a whole, the stream is text.
        let events = &mut paths["/api/videos/{id}/events"]["get"]["responses"]["200"]["content"];
        events["text/event-stream"] = json!({});
        Description {
            title: "Videos",
            text: "Kinora's own API: everything that the service can do.",
            document,
            bodies: vec![("Order", order_schema())],
        }
    }

    fn error_media_type(&self) -> &'static str {
        problem::MEDIA_TYPE
    }

    fn error_body(&self, error: &ApiError) -> Value {
        serde_json::to_value(Problem::of(error)).unwrap_or_default()
    }

    fn webhook_body(&self, job: &Job, urls: &[VideoUrls]) -> Vec<u8> {
        let video = VideoObject::finished(job, urls);
        let body = WebhookBody {
            event: format!("video.{}", video.state().name()),
            video,
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[derive(OpenApi)]
#[openapi(
    paths(
        photos::upload,
        check::check,
        preview::preview,
        preview::contact_sheet,
        create::create,
        read::list,
        read::video,
        events::events,
        cancel::cancel,
        templates::templates,
        webhooks::list,
        webhooks::resend,
    ),
    components(schemas(Problem))
)]
struct Documented;

/// The schema of the checks, in which photos may be addresses alone.
fn order_schema() -> Value {
    let mut order = schema::parse(order::SCHEMA_TEXT);
    let photo = order["properties"]["photos"]["items"].take();
    let address = json!({ "type": "string", "format": "uri" });
    order["properties"]["photos"]["items"] = json!({ "anyOf": [address, photo] });
    order
}

/// The object of a video that has ended, and how.
#[derive(Serialize)]
struct WebhookBody {
    #[serde(rename = "type")]
    event: String,
    #[serde(flatten)]
    video: VideoObject,
}

/// Stored with a job.
#[derive(Debug, Default, Serialize, Deserialize)]
struct DialectData {
    /// The names of the outputs.
    outputs: Vec<String>,
    /// Told at acceptance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl DialectData {
    fn of(job: &Job) -> Self {
        let data = job.request.dialect_data.as_ref();
        let data = data.filter(|_| job.request.dialect == NAME);
        let data = data.and_then(|data| Self::deserialize(data).ok());
        data.unwrap_or_default()
    }
}

impl Service {
    /// The order of a payload. The photos that it names, and that were uploaded, count as used.
    async fn order(&self, payload: Value) -> Result<Order, ApiError> {
        let ids = order::uploads_in(&payload);
        let uploads = match ids.is_empty() {
            true => Vec::new(),
            false => self.jobs.use_photos(&ids).await?,
        };
        let uploads = uploads.into_iter().map(|photo| (photo.id, photo.upload));
        let allowed = AllowedSources {
            policy: self.net.policy(),
            uploads: &uploads.collect(),
            allows_files: false,
        };
        Ok(Order::read(payload, &allowed, &self.templates)?)
    }
}

/// The job of this id, of any dialect.
async fn find(service: &web::Data<Service>, id: &str) -> Result<JobStatus, ApiError> {
    let id: JobId = id
        .parse()
        .map_err(|_| ApiError::invalid("", "the id of a video is a UUID"))?;
    let status = service.jobs.status(id).await?;
    let status = status.ok_or(ApiError::NotFound("video"))?;
    match status.job.deleted_at {
        Some(_) => Err(ApiError::Deleted),
        None => Ok(status),
    }
}
