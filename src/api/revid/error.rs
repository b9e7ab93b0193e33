//! Errors in the form of the reference: a message, and what else there is to say in fields of its own.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::api::openapi::ErrorBody;
use crate::job::JobId;
use crate::schema::Violation;

#[derive(Serialize, ToSchema)]
pub struct RevidError {
    message: String,
    /// Every fault of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<RevidFault>>,
    /// Of a job that was accepted all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    job_id: Option<JobId>,
}

#[derive(Serialize, ToSchema)]
struct RevidFault {
    /// A JSON pointer (RFC 6901).
    path: String,
    message: String,
}

impl ErrorBody for RevidError {
    const SCHEMA: &'static str = "RevidError";
}

impl From<&ApiError> for RevidError {
    fn from(error: &ApiError) -> Self {
        Self {
            message: error.to_string(),
            errors: match error {
                ApiError::InvalidPayload(violations) => {
                    Some(violations.iter().map(RevidFault::from).collect())
                }
                _ => None,
            },
            job_id: match error {
                ApiError::Stopping(id) => *id,
                _ => None,
            },
        }
    }
}

impl From<&Violation> for RevidFault {
    fn from(Violation { path, message, .. }: &Violation) -> Self {
        Self {
            path: path.clone(),
            message: message.clone(),
        }
    }
}
