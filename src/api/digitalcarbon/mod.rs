//! DigitalCarbon's `/v1-beta`: listing videos, made while the client polls for their status.

mod generate;
mod request;
mod results;
mod templates;
mod upload;

use actix_web::web::{self, ServiceConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Service;
use crate::api::dialect::Dialect;
use crate::api::error::ApiError;
use crate::api::routes::{get, post};
use crate::job::{Job, JobId, VideoUrls};
use crate::jobs::JobStatus;
use crate::listing::template::Templates;
use crate::net::Policy;
use crate::schema::{Violation, capitalised};
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

    fn routes(&self, app: &mut ServiceConfig) {
        let job = "/v1-beta/generate-video/{job_id}";
        app.service(post(generate::ENDPOINT, generate::generate_video))
            .service(get(&format!("{job}/status"), results::status))
            .service(get(&format!("{job}/results"), results::results))
            .service(post(
                &format!("{job}/results/upload-video"),
                upload::upload_video,
            ))
            .service(get("/v1-beta/templates", templates::templates));
    }

    /// `{"detail": …}`: a sentence, in the words of the reference where it has some.
    fn error_body(&self, error: &ApiError) -> Value {
        let detail = match error {
            ApiError::Unauthorized => "API Key is missing or invalid".to_owned(),
            ApiError::InvalidPayload(violations) => {
                let sentences: Vec<String> = violations.iter().map(Violation::sentence).collect();
                sentences.join("; ")
            }
            other => capitalised(&other.to_string()),
        };
        let mut body = json!({ "detail": detail });
        match error {
            ApiError::Stopping(Some(id)) => body["job_id"] = json!(id),
            ApiError::NotCompleted(Some(failure)) => {
                body["status"] = json!("failed");
                body["error_message"] = json!(failure.message);
            }
            _ => {}
        }
        body
    }

    /// Its clients poll; none can name a webhook.
    fn webhook_body(&self, _: &Job, _: &[VideoUrls]) -> Vec<u8> {
        Vec::new()
    }
}

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
