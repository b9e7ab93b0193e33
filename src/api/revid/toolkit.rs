//! The toolkit: the status of one job and of many, a test of the storage, and a test of the key.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Instant;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use jsonschema::Validator;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::envelope::{Envelope, Times};
use super::{BUILD_NUMBER, RevidError};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::json::{Json, OptionalJson};
use crate::api::openapi::{BodyErrors, CommonErrors, ItemErrors};
use crate::job::{FailureCode, Job, JobId, JobState, Timestamp, VideoUrls};
use crate::schema;

pub const JOB_STATUS_SCHEMA_TEXT: &str = include_str!("../../../schemas/job-status.json");
static JOB_STATUS_SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| schema::compile(JOB_STATUS_SCHEMA_TEXT));
pub const JOBS_STATUS_SCHEMA_TEXT: &str = include_str!("../../../schemas/jobs-status.json");
static JOBS_STATUS_SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| schema::compile(JOBS_STATUS_SCHEMA_TEXT));

/// How far back `jobs/status` looks, in seconds, unless told.
const DEFAULT_SINCE: f64 = 600.0;

/// An answer that is not about making a video, in the same envelope.
#[derive(Serialize, ToSchema)]
struct Answer<T> {
    endpoint: String,
    code: u16,
    id: Option<String>,
    #[schema(value_type = String, format = "uuid")]
    job_id: JobId,
    response: T,
    message: &'static str,
    #[serde(flatten)]
    times: Times,
    pid: u32,
    queue_id: u64,
    queue_length: usize,
    build_number: &'static str,
}

/// The status of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = RevidJobStatus)]
struct JobStatus {
    /// `queued`, `running` or `done`.
    job_status: &'static str,
    #[schema(value_type = String, format = "uuid")]
    job_id: JobId,
    queue_id: u64,
    process_id: u32,
    /// Of a failed job; not in the peer's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    error_code: Option<FailureCode>,
    response: Option<Envelope>,
}

#[derive(Serialize, ToSchema)]
struct JobStatusAnswer {
    #[serde(flatten)]
    answer: Answer<JobStatus>,
    /// The same as in `response`, so that an automation can branch without digging.
    job_status: &'static str,
}

/// Tells the status of a job.
#[utoipa::path(
    post,
    path = "/paid/get/job/status",
    operation_id = "job_status",
    request_body = ref("#/components/schemas/JobQuestion"),
    responses(
        (status = 200, description = "The status", body = JobStatusAnswer),
        CommonErrors<RevidError>, BodyErrors<RevidError>, ItemErrors<RevidError>
    ),
)]
pub async fn paid_job_status(
    payload: Json,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    job_status("/paid/get/job/status", payload.0, &service).await
}

/// Tells the status of a job.
#[utoipa::path(
    post,
    path = "/v1/toolkit/job/status",
    operation_id = "job_status_v1",
    request_body = ref("#/components/schemas/JobQuestion"),
    responses(
        (status = 200, description = "The status", body = JobStatusAnswer),
        CommonErrors<RevidError>, BodyErrors<RevidError>, ItemErrors<RevidError>
    ),
)]
pub async fn v1_job_status(
    payload: Json,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    job_status("/v1/toolkit/job/status", payload.0, &service).await
}

async fn job_status(
    endpoint: &str,
    payload: Value,
    service: &Service,
) -> Result<HttpResponse, ApiError> {
    ApiError::unless_none(schema::violations(&JOB_STATUS_SCHEMA, &payload))?;
    let id = payload["job_id"].as_str().unwrap_or_default();
    answer_job_status(service, id, endpoint).await
}

/// Tells the status of a job.
#[utoipa::path(
    get,
    path = "/paid/get/job/status/{job_id}",
    operation_id = "job_status_by_path",
    params(("job_id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The status", body = JobStatusAnswer),
        CommonErrors<RevidError>, ItemErrors<RevidError>
    ),
)]
pub async fn job_status_by_path(
    id: Path<String>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    answer_job_status(&service, &id, "/paid/get/job/status").await
}

async fn answer_job_status(
    service: &Service,
    id: &str,
    endpoint: &str,
) -> Result<HttpResponse, ApiError> {
    let begun = Instant::now();
    let id: JobId = id
        .parse()
        .map_err(|_| ApiError::invalid("/job_id", "is not a UUID"))?;
    let job = service
        .jobs
        .job(id)
        .await?
        .ok_or(ApiError::NotFound("job"))?;
    let urls = service.urls(&job).await;
    let status = JobStatus::of(&job, &urls, service).await;
    let job_status = status.job_status;
    let answer = Answer::new(endpoint, id, status, service, begun).await;
    Ok(HttpResponse::Ok().json(JobStatusAnswer { answer, job_status }))
}

/// Tells the states of all jobs that changed lately.
#[utoipa::path(
    post,
    path = "/v1/toolkit/jobs/status",
    operation_id = "jobs_status",
    request_body = ref("#/components/schemas/JobsQuestion"),
    responses(
        (status = 200, description = "The state of each job, by its id", body = Answer<BTreeMap<String, String>>),
        CommonErrors<RevidError>, BodyErrors<RevidError>
    ),
)]
pub async fn jobs_status(
    request: HttpRequest,
    payload: OptionalJson,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let begun = Instant::now();
    let payload = payload.0.unwrap_or_else(|| json!({}));
    ApiError::unless_none(schema::violations(&JOBS_STATUS_SCHEMA, &payload))?;
    let since = payload["since_seconds"].as_f64().unwrap_or(DEFAULT_SINCE);
    let since = Timestamp(Timestamp::now().0.saturating_sub((since * 1000.0) as i64));
    let states: BTreeMap<String, &str> = service
        .jobs
        .states_since(since)
        .await?
        .into_iter()
        .map(|(id, state)| (id.to_string(), state_name(state)))
        .collect();
    Ok(HttpResponse::Ok()
        .json(Answer::new(request.path(), JobId::random(), states, &service, begun).await))
}

/// Stores a small text file, and tells its URL.
#[utoipa::path(
    get,
    path = "/v1/toolkit/test",
    operation_id = "test_storage",
    responses((status = 200, description = "Videos can be stored", body = Answer<String>), CommonErrors<RevidError>),
)]
pub async fn test(request: HttpRequest, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let begun = Instant::now();
    let url = service.publisher.test_storage().await.map_err(|error| {
        log::error!(
            "the test file could not be stored: {}",
            crate::errors::chain(&error)
        );
        ApiError::StorageFailed
    })?;
    Ok(HttpResponse::Ok()
        .json(Answer::new(request.path(), JobId::random(), url, &service, begun).await))
}

/// Tells whether the key is right.
#[utoipa::path(
    get,
    path = "/v1/toolkit/authenticate",
    operation_id = "authenticate",
    responses((status = 200, description = "It is", body = Answer<String>), CommonErrors<RevidError>),
)]
pub async fn authenticate(service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let begun = Instant::now();
    Ok(HttpResponse::Ok().json(
        Answer::new(
            "/authenticate",
            JobId::random(),
            "Authorized",
            &service,
            begun,
        )
        .await,
    ))
}

impl<T: Serialize> Answer<T> {
    async fn new(
        endpoint: &str,
        job_id: JobId,
        response: T,
        service: &Service,
        begun: Instant,
    ) -> Self {
        let process = service.jobs.process_info().await;
        let run_time = (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        Self {
            endpoint: endpoint.to_owned(),
            code: 200,
            id: None,
            job_id,
            response,
            message: "success",
            times: Times {
                run_time,
                queue_time: 0.0,
                total_time: run_time,
            },
            pid: process.pid,
            queue_id: process.queue_id,
            queue_length: process.queue_length,
            build_number: BUILD_NUMBER,
        }
    }
}

impl JobStatus {
    async fn of(job: &Job, urls: &[VideoUrls], service: &Service) -> Self {
        let process = match &job.finish {
            Some(finish) => finish.process.clone(),
            None => service.jobs.process_info().await,
        };
        let failure = job.finish.as_ref();
        let failure = failure.and_then(|finish| finish.outcome.as_ref().err());
        Self {
            job_status: state_name(job.state),
            job_id: job.id,
            queue_id: process.queue_id,
            process_id: process.pid,
            error_code: failure.map(|failure| failure.code),
            response: Envelope::finished(job, urls),
        }
    }
}

fn state_name(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::Done => "done",
    }
}
