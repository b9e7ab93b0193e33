//! DigitalCarbon's `/v1-beta`: listing videos, made while the client polls for their status.

mod error;
mod generate;
mod request;
mod results;
mod templates;
mod upload;

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::api::Service;
use crate::api::dialect::Dialect;
use crate::api::endpoint::Endpoint;
use crate::api::error::ApiError;
use crate::api::openapi::Description;
use crate::job::{Job, JobId, VideoUrls};
use crate::jobs::JobStatus;
use crate::listing::template::Templates;
use crate::net::Policy;
use crate::schema;
use error::ListingError;
use request::GenerateRequest;

const NAME: &str = "digitalcarbon";

pub struct DigitalCarbon;

/// Whether a payload would become a job.
pub fn accepts(payload: Value, policy: &Policy, templates: &Templates) -> bool {
    GenerateRequest::read(payload, policy, templates).is_ok()
}

impl Dialect for DigitalCarbon {
    fn name(&self) -> &'static str {
        NAME
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/v1-beta"]
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        let job = "/v1-beta/generate-video/{job_id}";
        vec![
            Endpoint::new(generate::ENDPOINT).post(generate::generate_video),
            Endpoint::new(format!("{job}/status")).get(results::status),
            Endpoint::new(format!("{job}/results")).get(results::results),
            Endpoint::new(format!("{job}/results/upload-video")).post(upload::upload_video),
            Endpoint::new("/v1-beta/templates").get(templates::templates),
        ]
    }

    fn description(&self) -> Description {
        Description {
            title: "DigitalCarbon",
            text: "Photos of a property become a listing video, in the dialect of DigitalCarbon.",
            document: json!(Documented::openapi()),
            bodies: vec![
                ("ListingOrder", schema::parse(request::SCHEMA_TEXT)),
                ("UploadTarget", schema::parse(upload::SCHEMA_TEXT)),
            ],
        }
    }

    fn error_body(&self, error: &ApiError) -> Value {
        json!(ListingError::from(error))
    }

    /// Its clients poll; none can name a webhook.
    fn webhook_body(&self, _: &Job, _: &[VideoUrls]) -> Vec<u8> {
        Vec::new()
    }
}

#[derive(OpenApi)]
#[openapi(
    paths(
        generate::generate_video,
        results::status,
        results::results,
        upload::upload_video,
        templates::templates,
    ),
    components(schemas(ListingError))
)]
struct Documented;

/// Stored with a job, for its results.
#[derive(Debug, Serialize, Deserialize)]
struct DialectData {
    template_id: String,
    aspect_ratio: String,
}

/// The job of this id, if it is one of this dialect's.
async fn find(service: &web::Data<Service>, id: &str) -> Result<JobStatus, ApiError> {
    let id: JobId = id
        .parse()
        .map_err(|_| ApiError::invalid("", "Invalid job ID format"))?;
    let status = service.jobs.status(id).await?;
    status
        .filter(|status| status.job.request.dialect == NAME)
        .ok_or(ApiError::NotFound("job"))
}
