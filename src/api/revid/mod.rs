//! RevidAPI's `POST /paid/image/convert/video`, the same at the path where its open-source ancestor
//! serves it, and the ancestor's toolkit.

mod convert;
mod envelope;
mod request;
mod toolkit;

use actix_web::web::ServiceConfig;
use serde_json::{Value, json};

use crate::api::dialect::Dialect;
use crate::api::error::ApiError;
use crate::api::routes::{get, post};
use crate::job::{Job, VideoUrls};
use crate::net::Policy;
use crate::schema::Violation;
use envelope::Envelope;
use request::ImageToVideo;

const NAME: &str = "revid";
const BUILD_NUMBER: &str = env!("CARGO_PKG_VERSION");

pub struct Revid;

/// Whether a payload would become a job at the first path.
pub fn accepts(payload: Value, policy: &Policy) -> bool {
    ImageToVideo::read(payload, &convert::PAID_SCHEMA, policy).is_ok()
}

impl Dialect for Revid {
    fn name(&self) -> &'static str {
        NAME
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/paid", "/v1"]
    }

    fn routes(&self, app: &mut ServiceConfig) {
        app.service(post("/paid/image/convert/video", convert::paid))
            .service(post("/v1/image/convert/video", convert::v1))
            .service(post("/paid/get/job/status", toolkit::job_status))
            .service(get(
                "/paid/get/job/status/{job_id}",
                toolkit::job_status_by_path,
            ))
            .service(post("/v1/toolkit/job/status", toolkit::job_status))
            .service(post("/v1/toolkit/jobs/status", toolkit::jobs_status))
            .service(get("/v1/toolkit/test", toolkit::test))
            .service(get("/v1/toolkit/authenticate", toolkit::authenticate));
    }

    /// `{"message": …}`, and what else there is to say in fields of its own.
    fn error_body(&self, error: &ApiError) -> Value {
        let mut body = json!({ "message": error.to_string() });
        match error {
            ApiError::InvalidPayload(violations) => {
                let errors = violations.iter().map(
                    |Violation { path, message, .. }| json!({ "path": path, "message": message }),
                );
                body["errors"] = errors.collect();
            }
            ApiError::Stopping(Some(id)) => body["job_id"] = json!(id),
            _ => {}
        }
        body
    }

    fn webhook_body(&self, job: &Job, urls: &[VideoUrls]) -> Vec<u8> {
        serde_json::to_vec(&Envelope::finished(job, urls)).unwrap_or_default()
    }
}
