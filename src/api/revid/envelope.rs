//! The envelope: the one form of all answers about jobs.

use serde::Serialize;
use utoipa::ToSchema;

use super::BUILD_NUMBER;
use crate::job::{Job, JobId, Lane, ProcessInfo, VideoUrls};
use crate::jobs::Jobs;

/// The answer about a job, whole or failed, in the reference's order of keys.
#[derive(Clone, Serialize, ToSchema)]
pub struct Envelope {
    /// Not in the answers on `/paid/…`, where the reference has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    pub code: u16,
    pub id: Option<String>,
    #[schema(value_type = String, format = "uuid")]
    pub job_id: JobId,
    /// The URL of the video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    pub message: String,
    #[serde(flatten)]
    #[schema(value_type = Times)]
    pub times: Option<Times>,
    pub pid: u32,
    pub queue_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_queue_length: Option<QueueBound>,
    pub queue_length: usize,
    pub build_number: &'static str,
}

/// In seconds, to the millisecond.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub struct Times {
    #[schema(required = false)]
    pub run_time: f64,
    #[schema(required = false)]
    pub queue_time: f64,
    #[schema(required = false)]
    pub total_time: f64,
}

#[derive(Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum QueueBound {
    Jobs(usize),
    Unlimited(&'static str),
}

impl Envelope {
    fn new(
        code: u16,
        id: Option<String>,
        job_id: JobId,
        message: String,
        process: ProcessInfo,
    ) -> Self {
        Self {
            endpoint: None,
            code,
            id,
            job_id,
            response: None,
            message,
            times: None,
            pid: process.pid,
            queue_id: process.queue_id,
            max_queue_length: None,
            queue_length: process.queue_length,
            build_number: BUILD_NUMBER,
        }
    }

    pub async fn accepted(jobs: &Jobs, client_id: Option<String>, id: JobId) -> Self {
        let bound = jobs
            .max_queue_length()
            .map_or(QueueBound::Unlimited("unlimited"), QueueBound::Jobs);
        let envelope = Self::new(
            202,
            client_id,
            id,
            "processing".into(),
            jobs.process_info().await,
        );
        Self {
            max_queue_length: Some(bound),
            ..envelope
        }
    }

    pub async fn queue_full(
        jobs: &Jobs,
        client_id: Option<String>,
        lane: Lane,
        bound: usize,
    ) -> Self {
        let message = format!("{} ({bound}) reached", bound_name(lane));
        Self::new(
            429,
            client_id,
            JobId::random(),
            message,
            jobs.process_info().await,
        )
    }

    /// About a finished job, with the addresses of its videos; `None` for another.
    pub fn finished(job: &Job, urls: &[VideoUrls]) -> Option<Self> {
        let finish = job.finish.as_ref()?;
        let answer = |code, message: &str| {
            Self::new(
                code,
                job.request.client_id.clone(),
                job.id,
                message.to_owned(),
                finish.process.clone(),
            )
        };
        let envelope = match &finish.outcome {
            Ok(_) => Self {
                response: urls.first().map(|urls| urls.video.clone()),
                times: Times::of(job),
                ..answer(200, "success")
            },
            Err(failure) => answer(500, &failure.message),
        };
        Some(Self {
            endpoint: Some(job.request.endpoint.clone()),
            ..envelope
        })
    }

    /// As it is answered to the request itself: `/paid/…` has no `endpoint`.
    pub fn for_caller(self) -> Self {
        let endpoint = self.endpoint.filter(|path| !path.starts_with("/paid/"));
        Self { endpoint, ..self }
    }
}

impl Times {
    fn of(job: &Job) -> Option<Self> {
        let (started, finished) = (job.started_at?, job.finish.as_ref()?.at);
        Some(Self {
            run_time: finished.seconds_since(started),
            queue_time: started.seconds_since(job.created_at),
            total_time: finished.seconds_since(job.created_at),
        })
    }
}

/// The setting that bounds a lane, as the peer's message names it.
fn bound_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Normal => "MAX_QUEUE_LENGTH",
        Lane::Express => "MAX_EXPRESS_QUEUE_LENGTH",
    }
}
