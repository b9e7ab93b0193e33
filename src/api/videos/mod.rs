//! Kinora's own API, `/api`: all that the program can do.
//!
//! ```text
//! photos ─ what is uploaded for orders; create, read, cancel, events (with watched), preview (with drawing) ─ the videos of an order
//! templates, webhooks ─ what else there is; page ─ lists of it
//! video, problem ─ what is answered
//! ```

pub mod cancel;
pub mod create;
mod drawing;
pub mod events;
mod page;
pub mod photos;
pub mod preview;
mod problem;
pub mod read;
pub mod templates;
mod video;
mod watched;
pub mod webhooks;

use std::collections::HashMap;

use actix_web::web::{self, ServiceConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use watched::Watched;

use crate::api::Service;
use crate::api::dialect::Dialect;
use crate::api::error::ApiError;
use crate::api::routes::{get, post, resource};
use crate::job::{Job, JobId, VideoUrls};
use crate::jobs::JobStatus;
use crate::listing::template::Templates;
use crate::net::Policy;
use crate::order::{self, AllowedSources, Order};
pub use problem::Problem;
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

    fn routes(&self, app: &mut ServiceConfig) {
        app.service(
            resource("/api/videos")
                .get(read::list)
                .post(create::create)
                .finish(),
        )
        .service(post("/api/videos/check", preview::check))
        .service(post("/api/videos/preview", preview::preview))
        .service(post("/api/videos/contact-sheet", preview::contact_sheet))
        .service(get("/api/videos/{id}/events", events::events))
        .service(
            resource("/api/videos/{id}")
                .get(read::video)
                .delete(cancel::cancel)
                .finish(),
        )
        .service(post("/api/photos", photos::upload))
        .service(get("/api/templates", templates::templates))
        .service(get("/api/webhooks", webhooks::list))
        .service(post("/api/webhooks/{id}/resend", webhooks::resend));
    }

    fn error_media_type(&self) -> &'static str {
        "application/problem+json"
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
