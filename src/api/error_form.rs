//! Errors on the wire: always JSON, in the form of the path's dialect.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, CONTENT_RANGE, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};

use super::dialect::{self, Dialect};
use super::error::ApiError;

/// Seconds after which a queue that was full may well have a place.
pub const QUEUE_RETRY_AFTER: u32 = 5;

/// Middleware around all handlers, which gives their errors the form of the path's dialect.
pub async fn in_dialect(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let dialect = dialect::of_path(request.path());
    let response = next.call(request).await?;
    let error = response.response().error();
    let error = error.and_then(|error| error.as_error::<ApiError>());
    let Some(told) = error.map(|error| answer(error, dialect)) else {
        return Ok(response);
    };
    Ok(response.into_response(told))
}

fn answer(error: &ApiError, dialect: &dyn Dialect) -> HttpResponse {
    let mut response = HttpResponse::build(error.status_code());
    match error {
        ApiError::MethodNotAllowed { allow } => drop(response.insert_header((ALLOW, &**allow))),
        ApiError::RangeNotSatisfiable(size) => {
            response.insert_header((CONTENT_RANGE, format!("bytes */{size}")));
        }
        // Not with a job that is stored: sent again, it would be made twice.
        ApiError::QueueFull(_)
        | ApiError::Stopping(None)
        | ApiError::JobStoreAway
        | ApiError::NearlyFull(_)
        | ApiError::TooManyPreviews => {
            response.insert_header((RETRY_AFTER, QUEUE_RETRY_AFTER));
        }
        _ => {}
    }
    response
        .content_type(dialect.error_media_type())
        .json(dialect.error_body(error))
}
