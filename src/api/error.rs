//! Errors of the handlers, each with its status.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use super::free_space::NearlyFull;
use crate::errors::chain;
use crate::job::{Failure, FailureCode, JobId};
use crate::jobs::{AcceptError, BackendError, SubmitError};
use crate::metrics::metrics;
use crate::schema::Violation;
use crate::storage::StorageError;

#[derive(Debug)]
pub enum ApiError {
    Unauthorized,
    /// The payload breaks the rules, each at its place.
    InvalidPayload(Vec<Violation>),
    UnsupportedMediaType,
    BodyTooLarge {
        limit: u64,
    },
    BodyTooSlow,
    /// What Actix says of something that is no HTTP request.
    Malformed(String),
    /// With the size of the file, in bytes.
    RangeNotSatisfiable(u64),
    PreconditionFailed,
    NotFound(&'static str),
    /// The client has deleted it.
    Deleted,
    MethodNotAllowed {
        allow: Cow<'static, str>,
    },
    /// With the bound of the lane.
    QueueFull(usize),
    /// The service is stopping. A job that was accepted stays stored.
    Stopping(Option<JobId>),
    /// There is no video yet; or never, for this reason.
    NotCompleted(Option<Failure>),
    /// There was a video, and it is gone.
    VideoGone,
    /// Bytes of a file were sent as a form.
    Multipart,
    /// With the bound.
    TooManyPhotos(u32),
    TooManyPreviews,
    NearlyFull(NearlyFull),
    /// The job store does not answer.
    JobStoreAway,
    /// The idempotency key was used for another request.
    KeyReused,
    /// Nothing can be made of what was asked for.
    Unprocessable(Failure),
    /// The storage does not answer, or refuses access.
    StorageFailed,
    /// With the reason, as a sentence.
    UploadFailed(String),
    Internal,
}

impl ApiError {
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidPayload(vec![Violation::new(path, message)])
    }

    /// Fails if there are any.
    pub fn unless_none(violations: Vec<Violation>) -> Result<(), Self> {
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Self::InvalidPayload(violations))
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("Unauthorized"),
            Self::InvalidPayload(violations) => {
                let violations: Vec<String> = violations.iter().map(Violation::to_string).collect();
                write!(f, "Invalid payload: {}", violations.join("; "))
            }
            Self::UnsupportedMediaType => f.write_str("Content-Type must be application/json"),
            Self::BodyTooLarge { limit } => write!(f, "the body is larger than {limit} bytes"),
            Self::BodyTooSlow => f.write_str("the body did not arrive in time"),
            Self::Malformed(reason) => f.write_str(reason),
            Self::RangeNotSatisfiable(_) => f.write_str("the range is not in the file"),
            Self::PreconditionFailed => f.write_str("the precondition does not hold"),
            Self::Deleted => f.write_str("its files were deleted"),
            Self::NotFound(what) => write!(f, "{what} not found"),
            Self::MethodNotAllowed { allow } => write!(f, "method not allowed; use {allow}"),
            Self::QueueFull(bound) => write!(
                f,
                "the queue is full: {bound} jobs are waiting; try again shortly"
            ),
            Self::Stopping(None) => f.write_str("the service is stopping; try again shortly"),
            Self::Stopping(Some(_)) => f.write_str(
                "the service is stopping; the job is kept, and runs after the next start or on another node",
            ),
            Self::NotCompleted(_) => f.write_str("job is not completed yet"),
            Self::VideoGone => f.write_str("job completed but no results found"),
            Self::Unprocessable(failure) => f.write_str(&failure.message),
            Self::KeyReused => f.write_str("the Idempotency-Key was used for another request"),
            Self::Multipart => f.write_str("send the bytes of the file as the body, and not as a form"),
            Self::TooManyPhotos(most) => write!(
                f,
                "{most} photos are kept already; each is removed some time after its last use"
            ),
            Self::TooManyPreviews => {
                f.write_str("too many previews are being drawn; try again shortly")
            }
            Self::NearlyFull(error) => error.fmt(f),
            Self::JobStoreAway => f.write_str("the job store does not answer; try again shortly"),
            Self::StorageFailed => f.write_str("the storage does not answer; try again shortly"),
            Self::UploadFailed(why) => f.write_str(why),
            Self::Internal => f.write_str("an internal error occurred"),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidPayload(_) | Self::NotCompleted(_) | Self::Malformed(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Deleted => StatusCode::GONE,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RangeNotSatisfiable(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::UnsupportedMediaType | Self::Multipart => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable(failure) if failure.code == FailureCode::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Unprocessable(failure) if is_ours(failure.code) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::KeyReused | Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::QueueFull(_) | Self::TooManyPhotos(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Stopping(_)
            | Self::JobStoreAway
            | Self::StorageFailed
            | Self::TooManyPreviews
            | Self::NearlyFull(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::VideoGone | Self::UploadFailed(_) | Self::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// Without a body, which the middleware adds in the form of the path's dialect.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// Whether the service itself is to blame, for now.
fn is_ours(code: FailureCode) -> bool {
    matches!(code, FailureCode::StorageFailed | FailureCode::DiskFull)
}

impl From<NearlyFull> for ApiError {
    fn from(error: NearlyFull) -> Self {
        Self::NearlyFull(error)
    }
}

impl From<Vec<Violation>> for ApiError {
    fn from(violations: Vec<Violation>) -> Self {
        Self::InvalidPayload(violations)
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Accept(AcceptError::Full { bound, .. }) => Self::QueueFull(bound),
            SubmitError::Accept(AcceptError::Closed) => Self::Stopping(None),
            SubmitError::Accept(AcceptError::KeyReused) => Self::KeyReused,
            SubmitError::Accept(AcceptError::Backend(error)) => error.into(),
            SubmitError::CutOff => Self::Internal,
        }
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        SubmitError::Accept(error).into()
    }
}

impl From<BackendError> for ApiError {
    fn from(error: BackendError) -> Self {
        log::error!("a request failed: {}", chain(&error));
        match error {
            BackendError::Failed(_) => Self::Internal,
            BackendError::Unavailable(_) => Self::JobStoreAway,
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        metrics().storage_errors.inc();
        log::error!("a request failed: {}", chain(&error));
        Self::StorageFailed
    }
}

pub async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound("page"))
}

pub fn method_not_allowed(allow: impl Into<Cow<'static, str>>) -> Result<HttpResponse, ApiError> {
    Err(ApiError::MethodNotAllowed {
        allow: allow.into(),
    })
}
