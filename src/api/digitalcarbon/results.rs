//! The status of a job, and the results of a completed one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use log::debug;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DialectData, ListingError, find};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::{CommonErrors, ItemErrors};
use crate::api::timestamp::rfc3339;
use crate::errors::chain;
use crate::job::{FailureCode, Finish, Job, JobId, JobState, StoredVideos, Timestamp};
use crate::jobs::JobStatus;

#[derive(Serialize, ToSchema)]
#[schema(as = ListingStatus)]
struct Status {
    /// `queued`, `processing`, `completed` or `failed`.
    status: &'static str,
    /// From 0 to 1.
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    error_code: Option<FailureCode>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ListingResults)]
struct Results {
    #[schema(value_type = String, format = "uuid")]
    job_id: JobId,
    status: &'static str,
    video_url: String,
    thumbnail_url: Option<String>,
    /// Pixels.
    width: u32,
    height: u32,
    /// Seconds.
    duration: f64,
    frame_rate: u32,
    size_bytes: u64,
    template_id: Option<String>,
    aspect_ratio: Option<String>,
    created_at: String,
    completed_at: String,
}

/// Tells how far a job is.
#[utoipa::path(
    get,
    path = "/v1-beta/generate-video/{job_id}/status",
    operation_id = "listing_status",
    params(("job_id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "Its status", body = Status),
        CommonErrors<ListingError>, ItemErrors<ListingError>
    ),
)]
pub async fn status(id: Path<String>, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let JobStatus {
        job,
        progress,
        queue_position,
    } = find(&service, &id).await?;
    let outcome = job.finish.map(|finish| finish.outcome);
    let status = match (job.state, &outcome) {
        (JobState::Queued, _) => "queued",
        (JobState::Running, _) => "processing",
        (JobState::Done, Some(Ok(_))) => "completed",
        (JobState::Done, Some(Err(_)) | None) => "failed",
    };
    let failure = outcome.and_then(Result::err);
    Ok(HttpResponse::Ok().json(Status {
        status,
        progress: (progress * 1000.0).round() / 1000.0,
        queue_position,
        error_code: failure.as_ref().map(|failure| failure.code),
        error_message: failure.map(|failure| failure.message),
    }))
}

/// Tells where the video of a completed job is.
#[utoipa::path(
    get,
    path = "/v1-beta/generate-video/{job_id}/results",
    operation_id = "listing_results",
    params(("job_id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "Its results", body = Results),
        CommonErrors<ListingError>, ItemErrors<ListingError>
    ),
)]
pub async fn results(id: Path<String>, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let job = find(&service, &id).await?.job;
    let (videos, completed_at) = completed(&job)?;
    let facts = &videos.first.facts;
    let Some(urls) = service.urls(&job).await.into_iter().next() else {
        return Err(ApiError::VideoGone);
    };
    check_it_is_there(&service, job.id, videos).await?;
    let data = job.request.dialect_data.as_ref();
    let data = data.and_then(|data| DialectData::deserialize(data).ok());
    let (template_id, aspect_ratio) = data
        .map(|data| (data.template_id, data.aspect_ratio))
        .unzip();
    Ok(HttpResponse::Ok().json(Results {
        job_id: job.id,
        status: "completed",
        video_url: urls.video,
        thumbnail_url: urls.thumbnail,
        width: facts.size.width,
        height: facts.size.height,
        duration: facts.duration(),
        frame_rate: facts.frame_rate,
        size_bytes: facts.bytes,
        template_id,
        aspect_ratio,
        created_at: rfc3339(job.created_at),
        completed_at: rfc3339(completed_at),
    }))
}

/// Fails if the storage says that the video is gone. One that does not answer, or that lets us only
/// store files, is no reason to keep the address back.
async fn check_it_is_there(
    service: &Service,
    id: JobId,
    videos: &StoredVideos,
) -> Result<(), ApiError> {
    let Ok(storage) = service.publisher.storages.named(videos.storage.as_deref()) else {
        return Ok(());
    };
    match storage.metadata(&id.video(0).file_name()).await {
        Ok(None) => Err(ApiError::VideoGone),
        Ok(Some(_)) => Ok(()),
        Err(error) => {
            debug!("whether a video is there is not known: {}", chain(&error));
            Ok(())
        }
    }
}

/// The video of a completed job, and when it was completed.
pub fn completed(job: &Job) -> Result<(&StoredVideos, Timestamp), ApiError> {
    match &job.finish {
        None => Err(ApiError::NotCompleted(None)),
        Some(Finish { outcome, at, .. }) => match outcome {
            Ok(videos) => Ok((videos, *at)),
            Err(failure) => Err(ApiError::NotCompleted(Some(failure.clone()))),
        },
    }
}
