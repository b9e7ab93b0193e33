//! Orders are accepted.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use log::error;
use serde_json::json;

use super::video::VideoObject;
use super::{DialectData, NAME};
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::openapi::{self, BodyErrors, CommonErrors};
use crate::api::{Service, idempotency};
use crate::job::{JobRequest, Lane};
use crate::spec::VideoSpec;

const ENDPOINT: &str = "/api/videos";

/// Bytes: room for a hundred presigned URLs, and for what is to be done with each photo.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// What a client can ask us to wait for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Accepts an order.
#[utoipa::path(
    post,
    path = "/api/videos",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The order is accepted once in 24 hours for a key", min_length = 1, max_length = 255),
        ("Prefer" = Option<String>, Header, description = "`wait=30` waits for the video for up to 30 seconds"),
    ),
    request_body = openapi::Order,
    responses(
        (status = 200, description = "The video has ended", body = VideoObject, headers(("Location", description = "Of the video"))),
        (status = 202, description = "The order is accepted", body = VideoObject, headers(("Location", description = "Of the video"))),
        (status = 410, description = "It was accepted before, and its files were deleted", body = crate::api::videos::Problem, content_type = "application/problem+json"),
        CommonErrors, BodyErrors
    ),
)]
pub async fn create(
    request: HttpRequest,
    payload: Json<MAX_BODY_BYTES>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let idempotency = idempotency::of(&request, &payload.0)?;
    let order = service.order(payload.0).await?;
    let mut warnings = order.warnings;
    warnings.extend(font_warnings(&service, &order.specs).await?);
    let data = DialectData {
        outputs: order.outputs,
        warnings,
    };
    let job = JobRequest {
        dialect: NAME.to_owned(),
        endpoint: ENDPOINT.to_owned(),
        client_id: order.client_id,
        webhook_url: order.webhook_url,
        lane: Lane::Normal,
        specs: order.specs,
        dialect_data: Some(json!(data)),
    };
    let accepted = service.submit(job, idempotency).await?;
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

/// About titles with characters that no font has. The fonts of the system may have to be read for it.
async fn font_warnings(service: &Service, specs: &[VideoSpec]) -> Result<Vec<String>, ApiError> {
    let (pipeline, specs) = (service.publisher.pipeline.clone(), specs.to_owned());
    let found = web::block(move || {
        let warnings = specs.iter().filter_map(|spec| pipeline.warning(spec));
        let mut warnings: Vec<String> = warnings.collect();
        warnings.dedup();
        warnings
    });
    found.await.map_err(|error| {
        error!("the fonts cannot be searched: {error}");
        ApiError::Internal
    })
}
