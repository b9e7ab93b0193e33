//! Errors in the form of the reference: a sentence, in its words where it has some.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::api::openapi::ErrorBody;
use crate::job::JobId;
use crate::schema::{Violation, capitalised};

#[derive(Serialize, ToSchema)]
pub struct ListingError {
    detail: String,
    /// Of a job that was accepted all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    job_id: Option<JobId>,
    /// `failed`, of a job that has no results because it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

impl ErrorBody for ListingError {
    const SCHEMA: &'static str = "ListingError";
}

impl From<&ApiError> for ListingError {
    fn from(error: &ApiError) -> Self {
        let failure = match error {
            ApiError::NotCompleted(failure) => failure.as_ref(),
            _ => None,
        };
        Self {
            detail: detail(error),
            job_id: match error {
                ApiError::Stopping(id) => *id,
                _ => None,
            },
            status: failure.map(|_| "failed"),
            error_message: failure.map(|failure| failure.message.clone()),
        }
    }
}

fn detail(error: &ApiError) -> String {
    match error {
        ApiError::Unauthorized => "API Key is missing or invalid".to_owned(),
        ApiError::InvalidPayload(violations) => {
            let sentences: Vec<String> = violations.iter().map(Violation::sentence).collect();
            sentences.join("; ")
        }
        other => capitalised(&other.to_string()),
    }
}
