//! Videos are cancelled, and the files of finished ones deleted.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use tokio::time::{Instant, sleep};

use super::video::VideoObject;
use super::{Problem, find};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::{CommonErrors, DeletedErrors, ItemErrors};
use crate::job::{JobId, JobState};
use crate::jobs::{Cancelled, JobStatus};

/// For the end of a job that was running. It is told as running after that.
const PATIENCE: Duration = Duration::from_secs(5);

const LOOK_INTERVAL: Duration = Duration::from_millis(25);

/// Cancels a video, or deletes the files of one that has ended.
#[utoipa::path(
    delete,
    path = "/api/videos/{id}",
    operation_id = "cancel_video",
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "It is cancelled", body = VideoObject),
        (status = 202, description = "It will be cancelled", body = VideoObject),
        (status = 204, description = "Its files are deleted"),
        CommonErrors<Problem>, ItemErrors<Problem>, DeletedErrors<Problem>
    ),
)]
pub async fn cancel(id: Path<String>, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let status = find(&service, &id).await?;
    let id = status.job.id;
    let has_ended = status.job.state == JobState::Done;
    if !has_ended && let Some(answer) = cancelled(&service, id).await? {
        return Ok(answer);
    }
    delete(&service, id).await
}

/// Cancels a job, and waits for its end. `None`: it was done before it heard.
async fn cancelled(service: &Data<Service>, id: JobId) -> Result<Option<HttpResponse>, ApiError> {
    if service.jobs.cancel(id).await? == Cancelled::TooLate {
        return Ok(None);
    }
    let status = ended(service, id).await?;
    let mut answer = match &status.job.finish {
        None => HttpResponse::Accepted(),
        Some(finish) if finish.outcome.is_err() => HttpResponse::Ok(),
        Some(_) => return Ok(None),
    };
    let object = VideoObject::of(&status, service).await;
    Ok(Some(answer.json(object)))
}

/// The job, once it has ended; or as it is when nobody waits any more.
async fn ended(service: &Data<Service>, id: JobId) -> Result<JobStatus, ApiError> {
    let began = Instant::now();
    loop {
        let status = service.jobs.status(id).await?;
        let status = status.ok_or(ApiError::NotFound("video"))?;
        if status.job.state == JobState::Done || began.elapsed() > PATIENCE {
            return Ok(status);
        }
        sleep(LOOK_INTERVAL).await;
    }
}

/// The files of a finished job.
async fn delete(service: &Data<Service>, id: JobId) -> Result<HttpResponse, ApiError> {
    let job = service.jobs.job(id).await?;
    let job = job.ok_or(ApiError::NotFound("video"))?;
    if let Some(Ok(videos)) = job.finish.map(|finish| finish.outcome) {
        service.publisher.delete_stored(id, &videos).await?;
    }
    // Last: until the files are gone, it can be asked for again.
    service.jobs.mark_deleted(id).await?;
    Ok(HttpResponse::NoContent().finish())
}
