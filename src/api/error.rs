//! Errors on the wire: always JSON, each with its status.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ContentType, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Value, json};

use crate::job::JobId;
use crate::jobs::StoreError;

/// Seconds after which a queue that was full may well have a place.
const QUEUE_RETRY_AFTER: u32 = 5;

#[derive(Debug)]
pub enum ApiError {
    Unauthorized,
    /// The payload breaks the rules, each at its place.
    InvalidPayload(Vec<Fault>),
    UnsupportedMediaType,
    BodyTooLarge {
        limit: usize,
    },
    BodyTooSlow,
    /// A file's range or precondition, which only a client that asked for it can break.
    RangeNotSatisfiable,
    PreconditionFailed,
    NotFound(&'static str),
    MethodNotAllowed {
        allow: &'static str,
    },
    /// With the dialect's own body, in JSON.
    QueueFull(String),
    /// The job is safe, if there is one.
    Stopping(Option<JobId>),
    Internal,
}

/// One broken rule.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Where, as a JSON pointer; empty for the body as a whole.
    pub path: String,
    pub message: String,
}

impl Fault {
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.trim_start_matches('/') {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

impl ApiError {
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidPayload(vec![Fault::new(path, message)])
    }

    fn body(&self) -> Value {
        let mut body = json!({ "message": self.to_string() });
        match self {
            Self::InvalidPayload(faults) => {
                let errors = faults
                    .iter()
                    .map(|Fault { path, message }| json!({ "path": path, "message": message }));
                body["errors"] = errors.collect();
            }
            Self::Stopping(Some(id)) => body["job_id"] = json!(id),
            _ => {}
        }
        body
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("Unauthorized"),
            Self::InvalidPayload(faults) => {
                let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
                write!(f, "Invalid payload: {}", faults.join("; "))
            }
            Self::UnsupportedMediaType => f.write_str("Content-Type must be application/json"),
            Self::BodyTooLarge { limit } => write!(f, "the body is larger than {limit} bytes"),
            Self::BodyTooSlow => f.write_str("the body did not arrive in time"),
            Self::RangeNotSatisfiable => f.write_str("the range is not in the file"),
            Self::PreconditionFailed => f.write_str("the precondition does not hold"),
            Self::NotFound(what) => write!(f, "{what} not found"),
            Self::MethodNotAllowed { allow } => write!(f, "method not allowed; use {allow}"),
            Self::QueueFull(_) => f.write_str("the queue is full"),
            Self::Stopping(None) => f.write_str("the service is stopping; try again shortly"),
            Self::Stopping(Some(_)) => f.write_str(
                "the service is stopping; the job is kept and will run after the next start",
            ),
            Self::Internal => f.write_str("an internal error occurred"),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidPayload(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::QueueFull(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Stopping(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::MethodNotAllowed { allow } => drop(response.insert_header((ALLOW, *allow))),
            Self::QueueFull(_) => drop(response.insert_header((RETRY_AFTER, QUEUE_RETRY_AFTER))),
            // Not with a job that is kept: sent again, it would be made twice.
            Self::Stopping(None) => drop(response.insert_header((RETRY_AFTER, QUEUE_RETRY_AFTER))),
            // What is left of the body would be taken for the next request.
            Self::BodyTooSlow | Self::BodyTooLarge { .. } => drop(response.force_close()),
            _ => {}
        }
        match self {
            Self::QueueFull(body) => response
                .content_type(ContentType::json())
                .body(body.clone()),
            _ => response.json(self.body()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        log::error!("a request failed: {}", crate::errors::chain(&error));
        Self::Internal
    }
}

pub async fn not_found() -> HttpResponse {
    ApiError::NotFound("page").error_response()
}

pub fn method_not_allowed(allow: &'static str) -> HttpResponse {
    ApiError::MethodNotAllowed { allow }.error_response()
}
