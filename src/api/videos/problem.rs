//! Errors in the form of RFC 9457.

use actix_web::ResponseError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::api::openapi::ErrorBody;
use crate::job::{FailureCode, JobId};
use crate::schema::Violation;

pub const MEDIA_TYPE: &str = "application/problem+json";

/// The body of an error.
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem, and is no address.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    /// Every fault of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// Of a job that was accepted all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<JobId>,
    /// Why nothing can be made, as in the error of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    code: Option<FailureCode>,
}

impl ErrorBody for Problem {
    const SCHEMA: &'static str = "Problem";
    const MEDIA_TYPE: &'static str = MEDIA_TYPE;
}

#[derive(Serialize, ToSchema)]
struct Fault {
    /// A JSON pointer (RFC 6901) as a URI fragment.
    pointer: String,
    detail: String,
}

impl Problem {
    pub fn of(error: &ApiError) -> Self {
        let (name, title) = name_and_title(error);
        let violations: &[Violation] = match error {
            ApiError::InvalidPayload(violations) => violations,
            _ => &[],
        };
        let detail = match violations {
            [] => error.to_string(),
            violations => {
                let sentences: Vec<String> = violations.iter().map(Violation::sentence).collect();
                sentences.join("; ")
            }
        };
        Self {
            kind: format!("urn:kinora:problem:{name}"),
            title,
            status: error.status_code().as_u16(),
            detail,
            errors: violations.iter().map(Fault::of).collect(),
            id: match error {
                ApiError::Stopping(id) => *id,
                _ => None,
            },
            code: match error {
                ApiError::Unprocessable(failure) => Some(failure.code),
                _ => None,
            },
        }
    }
}

impl Fault {
    fn of(violation: &Violation) -> Self {
        Self {
            pointer: format!("#{}", violation.path),
            detail: violation.sentence(),
        }
    }
}

fn name_and_title(error: &ApiError) -> (&'static str, &'static str) {
    match error {
        ApiError::Unauthorized => ("unauthorized", "The key is missing or wrong"),
        ApiError::InvalidPayload(_) => ("invalid-request", "The request is not valid"),
        ApiError::Malformed(_) => ("malformed-request", "The request is not HTTP"),
        ApiError::UnsupportedMediaType => ("unsupported-media-type", "The body is not JSON"),
        ApiError::BodyTooLarge { .. } => ("too-large", "The body is too large"),
        ApiError::BodyTooSlow => ("too-slow", "The body did not arrive in time"),
        ApiError::RangeNotSatisfiable(_) => ("range", "The range is not in the file"),
        ApiError::PreconditionFailed => ("precondition", "The precondition does not hold"),
        ApiError::NotFound(_) => ("not-found", "Not found"),
        ApiError::Deleted => ("deleted", "The files were deleted"),
        ApiError::MethodNotAllowed { .. } => ("method-not-allowed", "The method is not allowed"),
        ApiError::KeyReused => (
            "idempotency-key-reused",
            "The idempotency key was used before",
        ),
        ApiError::Unprocessable(_) => ("unmakeable", "Nothing can be made of this"),
        ApiError::QueueFull(_) => ("queue-full", "The queue is full"),
        ApiError::Stopping(_) => ("stopping", "The service is stopping"),
        ApiError::NotCompleted(_) => ("not-completed", "There is no video yet"),
        ApiError::VideoGone => ("video-gone", "The video is gone"),
        ApiError::Multipart => ("unsupported-media-type", "The body is a form"),
        ApiError::TooManyPhotos(_) => ("too-many-photos", "Too many photos are kept"),
        ApiError::TooManyPreviews => ("too-many-previews", "Too many previews are being drawn"),
        ApiError::NearlyFull(_) => ("disk-nearly-full", "The disk is nearly full"),
        ApiError::JobStoreAway => ("job-store-away", "The job store does not answer"),
        ApiError::StorageFailed => ("storage-failed", "The storage does not answer"),
        ApiError::UploadFailed(_) => ("upload-failed", "The upload failed"),
        ApiError::Internal => ("internal", "An internal error occurred"),
    }
}
