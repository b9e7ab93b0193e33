//! Orders are accepted.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::video::VideoObject;
use super::{DialectData, NAME, Problem};
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::openapi::{BodyErrors, CommonErrors, DeletedErrors, OrderErrors, QueueErrors};
use crate::api::{Service, idempotency};
use crate::job::{JobRequest, Lane};

const ENDPOINT: &str = "/api/videos";

/// Bytes: room for a hundred presigned URLs, and for what is to be done with each photo.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// What a client can ask us to wait for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Accepts an order.
#[utoipa::path(
    post,
    path = "/api/videos",
    operation_id = "create_video",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The order is accepted once in 24 hours for a key", min_length = 1, max_length = 255),
        ("Prefer" = Option<String>, Header, description = "`wait=30` waits for the video for up to 30 seconds"),
    ),
    request_body = ref("#/components/schemas/Order"),
    responses(
        (status = 200, description = "The video has ended", body = VideoObject, headers(("Location", description = "Of the video"))),
        (status = 202, description = "The order is accepted", body = VideoObject, headers(("Location", description = "Of the video"))),
        CommonErrors<Problem>, BodyErrors<Problem>, OrderErrors<Problem>, QueueErrors<Problem>, DeletedErrors<Problem>
    ),
)]
pub async fn create(
    request: HttpRequest,
    payload: Json<MAX_BODY_BYTES>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let idempotency = idempotency::of(&request, &payload.0)?;
    let accepted = match service.accepted_before(idempotency.as_ref()).await? {
        Some(known) => known,
        None => {
            let job = job(&service, payload.0).await?;
            service.jobs.submit(job, idempotency).await?
        }
    };
    if let Some(wait) = preferred_wait(&request) {
        // Err: neither way has it ended.
        let _ = tokio::time::timeout(wait, accepted.finished).await;
    }
    let status = service.jobs.status(accepted.id).await?;
    let status = status.ok_or(ApiError::Internal)?;
    if status.job.deleted_at.is_some() {
        return Err(ApiError::Deleted);
    }
    let object = VideoObject::of(&status, &service).await;
    let mut response = match object.state().is_end() {
        true => HttpResponse::Ok(),
        false => HttpResponse::Accepted(),
    };
    Ok(response
        .insert_header((LOCATION, format!("{ENDPOINT}/{}", accepted.id)))
        .json(object))
}

/// The job of an order.
async fn job(service: &Service, payload: Value) -> Result<JobRequest, ApiError> {
    let order = service.order(payload).await?;
    let mut warnings = order.warnings;
    warnings.extend(service.font_warnings(&order.specs).await?);
    let data = DialectData {
        outputs: order.outputs,
        warnings,
    };
    Ok(JobRequest {
        dialect: NAME.to_owned(),
        endpoint: ENDPOINT.to_owned(),
        client_id: order.client_id,
        webhook_url: order.webhook_url,
        lane: Lane::Normal,
        specs: order.specs,
        dialect_data: Some(json!(data)),
    })
}

/// How long to wait for the video, in a `Prefer` header (RFC 7240).
fn preferred_wait(request: &HttpRequest) -> Option<Duration> {
    let headers = request.headers().get_all("prefer");
    let texts = headers.filter_map(|header| header.to_str().ok());
    let preferences = texts.flat_map(|text| text.split([',', ';']));
    let mut pairs = preferences.filter_map(|preference| preference.split_once('='));
    let (_, seconds) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))?;
    let seconds = seconds.trim().trim_matches('"').parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
