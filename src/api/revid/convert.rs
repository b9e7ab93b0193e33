//! The conversion of a photo to a video: answered when it is done, or at once if there is a webhook.

use std::sync::LazyLock;

use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use jsonschema::Validator;
use serde_json::Value;
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::RevidError;
use super::envelope::Envelope;
use super::request::{ImageToVideo, bypasses, job_request};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::error_form::QUEUE_RETRY_AFTER;
use crate::api::idempotency;
use crate::api::json::Json;
use crate::api::openapi::{BodyErrors, CommonErrors, OrderErrors};
use crate::jobs::{AcceptError, Accepted, SubmitError};
use crate::schema;

pub const PAID_SCHEMA_TEXT: &str = include_str!("../../../schemas/image-to-video.paid.json");
pub static PAID_SCHEMA: LazyLock<Validator> = LazyLock::new(|| schema::compile(PAID_SCHEMA_TEXT));
pub const V1_SCHEMA_TEXT: &str = include_str!("../../../schemas/image-to-video.v1.json");
static V1_SCHEMA: LazyLock<Validator> = LazyLock::new(|| schema::compile(V1_SCHEMA_TEXT));

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `bypasses` reads")]
struct ConvertQuery {
    /// The same as in the body.
    bypass_queue: Option<bool>,
}

#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
enum ConvertAnswer {
    #[response(status = 200, description = "The video is made")]
    Done(Envelope),
    #[response(
        status = 202,
        description = "The job is accepted; its end is told to `webhook_url`"
    )]
    Accepted(Envelope),
    #[response(status = 429, description = "The queue is full")]
    QueueFull(Envelope),
    #[response(
        status = 500,
        description = "The job failed, or there was an error inside the service"
    )]
    Failed(FailedAnswer),
}

#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes answers")]
pub enum FailedAnswer {
    Job(Envelope),
    Service(RevidError),
}

/// Makes a video of a photo.
#[utoipa::path(
    post,
    path = "/paid/image/convert/video",
    operation_id = "image_to_video",
    params(
        ConvertQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same job in 24 hours for a key", min_length = 1, max_length = 255),
    ),
    request_body = ref("#/components/schemas/ImageToVideo"),
    responses(CommonErrors<RevidError>, BodyErrors<RevidError>, OrderErrors<RevidError>, ConvertAnswer),
)]
pub async fn paid(
    request: HttpRequest,
    payload: Json,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    convert(request, payload.0, service, &PAID_SCHEMA).await
}

/// Makes a video of a photo, also a long one.
#[utoipa::path(
    post,
    path = "/v1/image/convert/video",
    operation_id = "image_to_video_v1",
    params(
        ConvertQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same job in 24 hours for a key", min_length = 1, max_length = 255),
    ),
    request_body = ref("#/components/schemas/ImageToVideoV1"),
    responses(CommonErrors<RevidError>, BodyErrors<RevidError>, OrderErrors<RevidError>, ConvertAnswer),
)]
pub async fn v1(
    request: HttpRequest,
    payload: Json,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    convert(request, payload.0, service, &V1_SCHEMA).await
}

async fn convert(
    request: HttpRequest,
    payload: Value,
    service: Data<Service>,
    schema: &Validator,
) -> Result<HttpResponse, ApiError> {
    let idempotency = idempotency::of(&request, &payload)?;
    let payload = ImageToVideo::read(payload, schema, service.net.policy())?;
    let bypass = payload.bypass_queue || bypasses(&request)?;
    let known = service.accepted_before(idempotency.as_ref()).await?;

    let jobs = &service.jobs;
    let client_id = payload.id.clone();
    let has_webhook = payload.webhook_url.is_some();
    let job = job_request(request.path(), payload, bypass);
    let accepted = match known {
        Some(known) => Ok(known),
        None => jobs.submit(job, idempotency).await,
    };
    let Accepted { id, finished } = match accepted {
        Err(SubmitError::Accept(AcceptError::Full { lane, bound })) => {
            let mut envelope = Envelope::queue_full(jobs, client_id, lane, bound).await;
            envelope.endpoint = Some(request.path().to_owned());
            return Ok(HttpResponse::TooManyRequests()
                .insert_header((RETRY_AFTER, QUEUE_RETRY_AFTER))
                .json(envelope.for_caller()));
        }
        accepted => accepted?,
    };
    if has_webhook {
        return Ok(HttpResponse::Accepted().json(Envelope::accepted(jobs, client_id, id).await));
    }
    let job = finished.await.map_err(|_| ApiError::Stopping(Some(id)))?;
    let urls = service.urls(&job).await;
    let envelope = Envelope::finished(&job, &urls)
        .ok_or(ApiError::Internal)?
        .for_caller();
    let mut response = match envelope.code {
        200 => HttpResponse::Ok(),
        _ => HttpResponse::InternalServerError(),
    };
    Ok(response.json(envelope))
}
