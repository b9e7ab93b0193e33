//! Errors on the wire: always JSON, each with its status, in the form of the dialect that is spoken.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ContentType, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};
use serde_json::{Value, json};

use super::fault::{self, Fault};
use crate::job::{Failure, JobId, Lane};
use crate::jobs::{NoSlot, StoreError, SubmitError};

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
    /// There is no video yet; or never, for this reason.
    NotCompleted(Option<Failure>),
    /// There was a video, and it is gone.
    VideoGone,
    /// With the reason, as a sentence.
    UploadFailed(String),
    Internal,
}

/// How a dialect tells an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{"message": …}`, and what else there is to say in fields of its own.
    Message,
    /// `{"detail": …}`: a sentence.
    Detail,
}

impl Form {
    /// Told by the path alone: some errors are there before any handler is found.
    pub fn of(path: &str) -> Self {
        let begins = path.strip_prefix("/v1-beta");
        if begins.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])) {
            Self::Detail
        } else {
            Self::Message
        }
    }

    /// The field that holds the text.
    pub fn field(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Detail => "detail",
        }
    }
}

impl ApiError {
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidPayload(vec![Fault::new(path, message)])
    }

    /// Errs if there are any.
    pub fn unless_none(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self::InvalidPayload(faults))
        }
    }

    /// Why a job was not taken in. `full` prints the dialect's body about a lane and its bound.
    pub fn refused(error: SubmitError, full: impl FnOnce(Lane, usize) -> String) -> Self {
        match error {
            SubmitError::NoSlot(NoSlot::Full { lane, bound }) => Self::QueueFull(full(lane, bound)),
            SubmitError::NoSlot(NoSlot::Closed) => Self::Stopping(None),
            SubmitError::Store(error) => error.into(),
            SubmitError::CutOff => Self::Internal,
        }
    }

    /// The answer that tells of it.
    fn response(&self, form: Form) -> HttpResponse {
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
            _ => response.json(self.body(form)),
        }
    }

    fn body(&self, form: Form) -> Value {
        let text = match form {
            Form::Message => self.to_string(),
            Form::Detail => self.detail(),
        };
        let mut body = json!({ form.field(): text });
        match self {
            Self::InvalidPayload(faults) if form == Form::Message => {
                let errors = faults
                    .iter()
                    .map(|Fault { path, message, .. }| json!({ "path": path, "message": message }));
                body["errors"] = errors.collect();
            }
            Self::Stopping(Some(id)) => body["job_id"] = json!(id),
            Self::NotCompleted(Some(failure)) => {
                body["status"] = json!("failed");
                body["error_message"] = json!(failure.message);
            }
            _ => {}
        }
        body
    }

    /// The text as a sentence, in the words of the reference where it has some.
    fn detail(&self) -> String {
        match self {
            Self::Unauthorized => "API Key is missing or invalid".to_owned(),
            Self::InvalidPayload(faults) => {
                let sentences: Vec<String> = faults.iter().map(Fault::sentence).collect();
                sentences.join("; ")
            }
            other => fault::capitalised(&other.to_string()),
        }
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
            Self::NotCompleted(_) => f.write_str("job is not completed yet"),
            Self::VideoGone => f.write_str("job completed but no results found"),
            Self::UploadFailed(why) => f.write_str(why),
            Self::Internal => f.write_str("an internal error occurred"),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidPayload(_) | Self::NotCompleted(_) => StatusCode::BAD_REQUEST,
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
            Self::VideoGone | Self::UploadFailed(_) | Self::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.response(Form::Message)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        log::error!("a request failed: {}", crate::errors::chain(&error));
        Self::Internal
    }
}

/// A layer around all handlers that tells their errors in the form of the path.
pub async fn in_form(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let form = Form::of(request.path());
    let response = next.call(request).await?;
    let told = response.response().error();
    let told = told.and_then(|error| error.as_error::<ApiError>());
    match told.map(|error| error.response(form)) {
        Some(told) => Ok(response.into_response(told)),
        None => Ok(response),
    }
}

pub async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound("page"))
}

pub fn method_not_allowed(allow: &'static str) -> Result<HttpResponse, ApiError> {
    Err(ApiError::MethodNotAllowed { allow })
}
