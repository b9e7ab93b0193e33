//! The order of a listing video, answered once the job is stored.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::request::GenerateRequest;
use super::{ListingError, NAME};
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::openapi::{BodyErrors, CommonErrors, OrderErrors, QueueErrors};
use crate::api::{Service, idempotency};
use crate::job::{JobId, JobRequest, Lane};
use crate::listing::Variant;

pub const ENDPOINT: &str = "/v1-beta/generate-video";

/// Bytes: room for a hundred presigned URLs.
const MAX_BODY_BYTES: usize = 1 << 20;

#[derive(Serialize, ToSchema)]
#[schema(as = ListingAccepted)]
struct Accepted {
    #[schema(value_type = String, format = "uuid")]
    job_id: JobId,
    /// What will not be as it was asked for, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// Makes a listing video of photos.
#[utoipa::path(
    post,
    path = "/v1-beta/generate-video",
    operation_id = "generate_listing_video",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same job in 24 hours for a key", min_length = 1, max_length = 255),
    ),
    request_body = ref("#/components/schemas/ListingOrder"),
    responses(
        (status = 200, description = "The job is accepted", body = Accepted),
        CommonErrors<ListingError>, BodyErrors<ListingError>, OrderErrors<ListingError>, QueueErrors<ListingError>
    ),
)]
pub async fn generate_video(
    request: HttpRequest,
    payload: Json<MAX_BODY_BYTES>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let idempotency = idempotency::of(&request, &payload.0)?;
    let known = service.accepted_before(idempotency.as_ref()).await?;
    let policy = service.net.policy();
    let GenerateRequest {
        listing,
        aspect_ratio,
        data,
        mut warnings,
    } = GenerateRequest::read(payload.0, policy, &service.templates)?;
    let spec = listing.spec(&Variant {
        aspect_ratio,
        template: service.templates.get(&data.template_id),
        is_branded: true,
        max_bytes: None,
    });
    let specs = vec![spec];
    warnings.extend(service.font_warnings(&specs).await?);
    let job = JobRequest {
        dialect: NAME.to_owned(),
        endpoint: ENDPOINT.to_owned(),
        client_id: None,
        webhook_url: None,
        lane: Lane::Normal,
        specs,
        dialect_data: Some(json!(data)),
    };
    let accepted = match known {
        Some(known) => known,
        None => service.jobs.submit(job, idempotency).await?,
    };
    Ok(HttpResponse::Ok().json(Accepted {
        job_id: accepted.id,
        warnings,
    }))
}
