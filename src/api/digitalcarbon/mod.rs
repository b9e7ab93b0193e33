//! DigitalCarbon's `/v1-beta`: listing videos, made while the client asks how they stand.

mod order;
mod templates;

use std::io;
use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jsonschema::Validator;
use log::{error, warn};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::ApiError;
use super::{Service, body, schema};
use crate::errors::chain;
use crate::job::{Finish, Job, JobId, JobState, Lane, Request, Timestamp, Video};
use crate::jobs::{Standing, UploadError};
use order::{Echo, Order};
pub use templates::templates;

/// What its jobs are known by.
const ENDPOINT: &str = "/v1-beta/generate-video";

/// Bytes: room for a hundred presigned URLs.
const MAX_BODY_BYTES: usize = 1 << 20;

static UPLOAD_SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| schema::compile(include_str!("../../../schemas/upload-video.json")));

#[derive(Serialize)]
struct Generating {
    job_id: JobId,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
    /// From 0 to 1.
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

#[derive(Serialize)]
struct Results<'a> {
    job_id: JobId,
    status: &'static str,
    video_url: &'a str,
    thumbnail_url: Option<&'a str>,
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

pub async fn generate_video(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let body = body::read(payload, MAX_BODY_BYTES, service.request_timeout).await;
    service.key.check(&request)?;
    let payload = body::json(&request, &body?)?;
    let Order {
        listing,
        echo,
        warnings,
    } = Order::read(payload, &service.jobs, &service.templates)?;
    let job = Request {
        endpoint: ENDPOINT.to_owned(),
        client_id: None,
        webhook_url: None,
        lane: Lane::Normal,
        spec: listing.spec(service.templates.get(&echo.template_id)),
        echo: Some(json!(echo)),
    };
    let full = |_, bound| {
        let detail = format!("The queue is full: {bound} jobs are waiting; try again shortly");
        json!({ "detail": detail }).to_string()
    };
    let accepted = service.jobs.submit(job).await;
    let accepted = accepted.map_err(|error| ApiError::refused(error, full))?;
    Ok(HttpResponse::Ok().json(Generating {
        job_id: accepted.id,
        warnings,
    }))
}

pub async fn status(
    request: HttpRequest,
    id: Path<String>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    service.key.check(&request)?;
    let Standing {
        job,
        progress,
        queue_position,
    } = find(&service, &id).await?;
    let (status, error_message) = match (&job.state, job.finish) {
        (JobState::Queued, _) => ("queued", None),
        (JobState::Running, _) => ("processing", None),
        (JobState::Done, Some(finish)) => match finish.outcome {
            Ok(_) => ("completed", None),
            Err(failure) => ("failed", Some(failure.message)),
        },
        (JobState::Done, None) => ("failed", None),
    };
    Ok(HttpResponse::Ok().json(Status {
        status,
        progress: (progress * 1000.0).round() / 1000.0,
        queue_position,
        error_message,
    }))
}

pub async fn results(
    request: HttpRequest,
    id: Path<String>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    service.key.check(&request)?;
    let job = find(&service, &id).await?.job;
    let (video, completed_at) = completed(&job)?;
    if !service.jobs.has_video(job.id).await.map_err(unreadable)? {
        return Err(ApiError::VideoGone);
    }
    let echo = job.request.echo.as_ref();
    let echo = echo.and_then(|echo| Echo::deserialize(echo).ok());
    let (template_id, aspect_ratio) = echo
        .map(|echo| (echo.template_id, echo.aspect_ratio))
        .unzip();
    Ok(HttpResponse::Ok().json(Results {
        job_id: job.id,
        status: "completed",
        video_url: &video.url,
        thumbnail_url: video.thumbnail_url.as_deref(),
        width: video.size.width,
        height: video.size.height,
        duration: video.duration(),
        frame_rate: video.frame_rate,
        size_bytes: video.bytes,
        template_id,
        aspect_ratio,
        created_at: rfc3339(job.created_at),
        completed_at: rfc3339(completed_at),
    }))
}

pub async fn upload_video(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let body = body::read(payload, body::USUAL_LIMIT, service.request_timeout).await;
    service.key.check(&request)?;
    let job = find(&service, &id).await?.job;
    completed(&job)?;
    let payload = body::json(&request, &body?)?;
    schema::validate(&UPLOAD_SCHEMA, &payload)?;
    let url = payload["upload_url"].as_str().unwrap_or_default();
    let uploaded = service.jobs.upload_video(job.id, url).await;
    uploaded.map_err(|error| not_uploaded(job.id, error))?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Video uploaded successfully" })))
}

/// The job of this id, if it is one of this dialect's.
async fn find(service: &Service, id: &str) -> Result<Standing, ApiError> {
    let id: JobId = id
        .parse()
        .map_err(|_| ApiError::invalid("", "Invalid job ID format"))?;
    let standing = service.jobs.standing(id).await?;
    standing
        .filter(|standing| standing.job.request.endpoint == ENDPOINT)
        .ok_or(ApiError::NotFound("job"))
}

/// The video of a job that has one, and since when.
fn completed(job: &Job) -> Result<(&Video, Timestamp), ApiError> {
    match &job.finish {
        None => Err(ApiError::NotCompleted(None)),
        Some(Finish { outcome, at, .. }) => match outcome {
            Ok(video) => Ok((video, *at)),
            Err(failure) => Err(ApiError::NotCompleted(Some(failure.clone()))),
        },
    }
}

fn not_uploaded(id: JobId, error: UploadError) -> ApiError {
    match error {
        UploadError::Gone => ApiError::VideoGone,
        UploadError::Unreadable(error) => unreadable(error),
        UploadError::Url(error) => ApiError::invalid("/upload_url", error.to_string()),
        UploadError::Status(_) | UploadError::Unsent(_) => {
            warn!(
                "the video of job {id} was not uploaded: upload_url {}",
                chain(&error)
            );
            ApiError::UploadFailed(format!("the video was not uploaded: upload_url {error}"))
        }
    }
}

fn unreadable(error: io::Error) -> ApiError {
    error!("a video could not be read: {error}");
    ApiError::Internal
}

/// In UTC, to the millisecond.
fn rfc3339(moment: Timestamp) -> String {
    let since = Duration::from_millis(moment.0.max(0).unsigned_abs());
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}
