//! The upload of a finished video to an address of the client's.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jsonschema::Validator;
use log::warn;
use serde::Serialize;
use utoipa::ToSchema;

use super::results::completed;
use super::{ListingError, find};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::openapi::{BodyErrors, CommonErrors, ItemErrors};
use crate::errors::chain;
use crate::job::JobId;
use crate::net::SendError;
use crate::schema;

pub const SCHEMA_TEXT: &str = include_str!("../../../schemas/upload-video.json");
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| schema::compile(SCHEMA_TEXT));

#[derive(Serialize, ToSchema)]
struct Uploaded {
    message: &'static str,
}

/// Uploads the video of a completed job to an address of the client's, by PUT.
#[utoipa::path(
    post,
    path = "/v1-beta/generate-video/{job_id}/results/upload-video",
    operation_id = "upload_listing_video",
    params(("job_id" = String, Path, format = "uuid")),
    request_body = ref("#/components/schemas/UploadTarget"),
    responses(
        (status = 200, description = "The video is there", body = Uploaded),
        CommonErrors<ListingError>, BodyErrors<ListingError>, ItemErrors<ListingError>
    ),
)]
pub async fn upload_video(
    payload: Result<Json, ApiError>,
    id: Path<String>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let job = find(&service, &id).await?.job;
    completed(&job)?;
    let payload = payload?.0;
    ApiError::unless_none(schema::violations(&SCHEMA, &payload))?;
    let url = payload["upload_url"].as_str().unwrap_or_default();
    upload(&service, job.id, url).await?;
    Ok(HttpResponse::Ok().json(Uploaded {
        message: "Video uploaded successfully",
    }))
}

async fn upload(service: &Service, id: JobId, url: &str) -> Result<(), ApiError> {
    let storage = service.storage_of(id).await?;
    let video = storage.read(&id.video(0).file_name(), None).await?;
    let video = video.ok_or(ApiError::VideoGone)?;
    let length = video.metadata.size;
    let sent = service
        .net
        .put(url, "video/mp4", length, video.stream)
        .await;
    let why = match sent {
        Ok(200..300) => return Ok(()),
        Ok(status) => {
            warn!("the video of job {id} was not uploaded: upload_url answered {status}");
            format!("answered {status}")
        }
        Err(SendError::Url(error)) => {
            return Err(ApiError::invalid("/upload_url", error.to_string()));
        }
        Err(error) => {
            let cause = chain(&error);
            warn!("the video of job {id} was not uploaded: upload_url {cause}");
            error.to_string()
        }
    };
    let why = format!("the video was not uploaded: upload_url {why}");
    Err(ApiError::UploadFailed(why))
}
