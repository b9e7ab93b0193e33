//! RevidAPI's `POST /paid/image/convert/video`, the same at the path where its open-source ancestor
//! serves it, and the ancestor's toolkit.

mod convert;
mod envelope;
mod error;
mod request;
mod toolkit;

use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::api::dialect::Dialect;
use crate::api::endpoint::Endpoint;
use crate::api::error::ApiError;
use crate::api::openapi::Description;
use crate::job::{Job, VideoUrls};
use crate::net::Policy;
use crate::schema;
use envelope::Envelope;
pub use error::RevidError;
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

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![
            Endpoint::new("/paid/image/convert/video").post(convert::paid),
            Endpoint::new("/v1/image/convert/video").post(convert::v1),
            Endpoint::new("/paid/get/job/status").post(toolkit::paid_job_status),
            Endpoint::new("/paid/get/job/status/{job_id}").get(toolkit::job_status_by_path),
            Endpoint::new("/v1/toolkit/job/status").post(toolkit::v1_job_status),
            Endpoint::new("/v1/toolkit/jobs/status").post(toolkit::jobs_status),
            Endpoint::new("/v1/toolkit/test").get(toolkit::test),
            Endpoint::new("/v1/toolkit/authenticate").get(toolkit::authenticate),
        ]
    }

    fn description(&self) -> Description {
        let mut document = json!(Documented::openapi());
        document["paths"]["/v1/toolkit/jobs/status"]["post"]["requestBody"]["required"] =
            json!(false);
        // An envelope has all that an error has.
        let failed = &mut document["components"]["schemas"]["FailedAnswer"];
        *failed = json!({ "anyOf": failed["oneOf"] });
        Description {
            title: "RevidAPI",
            text: "One photo becomes a zoom, in the dialect of RevidAPI.",
            document,
            bodies: vec![
                ("ImageToVideo", schema::parse(convert::PAID_SCHEMA_TEXT)),
                ("ImageToVideoV1", schema::parse(convert::V1_SCHEMA_TEXT)),
                (
                    "JobQuestion",
                    schema::parse(toolkit::JOB_STATUS_SCHEMA_TEXT),
                ),
                (
                    "JobsQuestion",
                    schema::parse(toolkit::JOBS_STATUS_SCHEMA_TEXT),
                ),
            ],
        }
    }

    fn error_body(&self, error: &ApiError) -> Value {
        json!(RevidError::from(error))
    }

    fn webhook_body(&self, job: &Job, urls: &[VideoUrls]) -> Vec<u8> {
        serde_json::to_vec(&Envelope::finished(job, urls)).unwrap_or_default()
    }
}

#[derive(OpenApi)]
#[openapi(
    paths(
        convert::paid,
        convert::v1,
        toolkit::paid_job_status,
        toolkit::job_status_by_path,
        toolkit::v1_job_status,
        toolkit::jobs_status,
        toolkit::test,
        toolkit::authenticate,
    ),
    components(schemas(Envelope, RevidError, convert::FailedAnswer))
)]
struct Documented;
