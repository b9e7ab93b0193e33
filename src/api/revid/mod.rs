//! RevidAPI's `POST /paid/image/convert/video`, and the same at the path where its open-source
//! ancestor serves it.

pub mod toolkit;

use std::sync::LazyLock;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jsonschema::Validator;
use serde::{Deserialize, Serialize};

use crate::api::error::ApiError;
use crate::api::fault::Fault;
use crate::api::{Service, body, schema};
use crate::job::{Job, JobId, Lane, Request, Stamp};
use crate::jobs::{Accepted, Jobs};
use crate::spec::{Asset, Frame, Motion, Output, Scene, Source, VideoSpec};

pub const BUILD_NUMBER: &str = env!("CARGO_PKG_VERSION");

static PAID_SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| schema::compile(include_str!("../../../schemas/image-to-video.paid.json")));
static V1_SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| schema::compile(include_str!("../../../schemas/image-to-video.v1.json")));

#[derive(Deserialize)]
struct ImageToVideo {
    image_url: String,
    #[serde(default = "default_length")]
    length: f64,
    /// An integer by the schema, for which 30.0 is one too.
    #[serde(default = "default_frame_rate")]
    frame_rate: f64,
    #[serde(default = "default_zoom_speed")]
    zoom_speed: f64,
    webhook_url: Option<String>,
    id: Option<String>,
    #[serde(default)]
    bypass_queue: bool,
}

fn default_length() -> f64 {
    5.0
}

fn default_frame_rate() -> f64 {
    30.0
}

fn default_zoom_speed() -> f64 {
    3.0
}

/// The answer about a job, whole or failed, in the reference's order of keys.
#[derive(Clone, Serialize)]
pub struct Envelope {
    /// Not in the answers on `/paid/…`, where the reference has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    pub code: u16,
    pub id: Option<String>,
    pub job_id: JobId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    pub message: String,
    #[serde(flatten)]
    pub times: Option<Times>,
    pub pid: u32,
    pub queue_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_queue_length: Option<QueueBound>,
    pub queue_length: usize,
    pub build_number: &'static str,
}

/// In seconds, to the millisecond.
#[derive(Clone, Copy, Serialize)]
pub struct Times {
    pub run_time: f64,
    pub queue_time: f64,
    pub total_time: f64,
}

#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum QueueBound {
    Jobs(usize),
    Unlimited(&'static str),
}

impl Envelope {
    fn new(code: u16, id: Option<String>, job_id: JobId, message: String, stamp: Stamp) -> Self {
        Self {
            endpoint: None,
            code,
            id,
            job_id,
            response: None,
            message,
            times: None,
            pid: stamp.pid,
            queue_id: stamp.queue_id,
            max_queue_length: None,
            queue_length: stamp.queue_length,
            build_number: BUILD_NUMBER,
        }
    }

    fn accepted(jobs: &Jobs, client_id: Option<String>, id: JobId) -> Self {
        let bound = jobs
            .max_queue_length()
            .map_or(QueueBound::Unlimited("unlimited"), QueueBound::Jobs);
        let envelope = Self::new(202, client_id, id, "processing".into(), jobs.stamp());
        Self {
            max_queue_length: Some(bound),
            ..envelope
        }
    }

    fn queue_full(jobs: &Jobs, client_id: Option<String>, lane: Lane, bound: usize) -> Self {
        let message = format!("{} ({bound}) reached", bound_name(lane));
        Self::new(429, client_id, JobId::random(), message, jobs.stamp())
    }

    /// About a finished job; `None` for another.
    pub fn finished(job: &Job) -> Option<Self> {
        let finish = job.finish.as_ref()?;
        let answer = |code, message: &str| {
            Self::new(
                code,
                job.request.client_id.clone(),
                job.id,
                message.to_owned(),
                finish.stamp,
            )
        };
        let envelope = match &finish.outcome {
            Ok(video) => {
                let response = Some(video.url.clone());
                Self {
                    response,
                    times: Times::of(job),
                    ..answer(200, "success")
                }
            }
            Err(failure) => answer(500, &failure.message),
        };
        Some(Self {
            endpoint: Some(job.request.endpoint.clone()),
            ..envelope
        })
    }

    /// As it is answered to the request itself: `/paid/…` has no `endpoint`.
    fn for_caller(self) -> Self {
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

/// The webhook's body.
pub fn webhook_body(job: &Job) -> Vec<u8> {
    serde_json::to_vec(&Envelope::finished(job)).unwrap_or_default()
}

pub async fn paid_image_to_video(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    image_to_video(request, payload, service, &PAID_SCHEMA).await
}

pub async fn v1_image_to_video(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    image_to_video(request, payload, service, &V1_SCHEMA).await
}

async fn image_to_video(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
    schema: &Validator,
) -> Result<HttpResponse, ApiError> {
    let body = body::read(payload, body::USUAL_LIMIT, service.request_timeout).await;
    service.key.check(&request)?;
    let payload = body::json(&request, &body?)?;
    schema::validate(schema, &payload)?;
    let wanted: ImageToVideo = serde_json::from_value(payload)
        .map_err(|error| ApiError::invalid("", error.to_string()))?;
    let bypass = wanted.bypass_queue || bypasses(&request)?;
    check_addresses(&service.jobs, &wanted)?;

    let client_id = wanted.id.clone();
    let answer_later = wanted.webhook_url.is_some();
    let accepted = service
        .jobs
        .submit(job_request(request.path(), wanted, bypass))
        .await;
    let full = |lane, bound| {
        let envelope = Envelope {
            endpoint: Some(request.path().to_owned()),
            ..Envelope::queue_full(&service.jobs, client_id.clone(), lane, bound)
        };
        serde_json::to_string(&envelope.for_caller()).unwrap_or_default()
    };
    let Accepted { id, finished } = accepted.map_err(|error| ApiError::refused(error, full))?;
    if answer_later {
        return Ok(HttpResponse::Accepted().json(Envelope::accepted(&service.jobs, client_id, id)));
    }
    let job = finished.await.map_err(|_| ApiError::Stopping(Some(id)))?;
    let envelope = Envelope::finished(&job)
        .ok_or(ApiError::Internal)?
        .for_caller();
    let mut response = match envelope.code {
        200 => HttpResponse::Ok(),
        _ => HttpResponse::InternalServerError(),
    };
    Ok(response.json(envelope))
}

/// `?bypass_queue=true`, which says the same as the field.
fn bypasses(request: &HttpRequest) -> Result<bool, ApiError> {
    let values = url::form_urlencoded::parse(request.query_string().as_bytes());
    match values.filter(|(name, _)| name == "bypass_queue").last() {
        None => Ok(false),
        Some((_, value)) => match value.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" | "" => Ok(false),
            _ => Err(ApiError::invalid(
                "/bypass_queue",
                "is neither true nor false",
            )),
        },
    }
}

/// What the schema cannot say of a URL: no credentials, and no address that is not public.
fn check_addresses(jobs: &Jobs, wanted: &ImageToVideo) -> Result<(), ApiError> {
    let urls = [
        ("/image_url", Some(&wanted.image_url)),
        ("/webhook_url", wanted.webhook_url.as_ref()),
    ];
    let refused = urls.into_iter().filter_map(|(path, url)| {
        let error = jobs.check_url(url?).err()?;
        Some(Fault::new(path, error.to_string()))
    });
    ApiError::unless_none(refused.collect())
}

fn job_request(endpoint: &str, wanted: ImageToVideo, bypass: bool) -> Request {
    Request {
        endpoint: endpoint.to_owned(),
        client_id: wanted.id,
        webhook_url: wanted.webhook_url,
        lane: if bypass { Lane::Express } else { Lane::Normal },
        spec: VideoSpec {
            scenes: vec![Scene {
                photo: Asset {
                    label: "image_url".into(),
                    source: Source::Url(wanted.image_url),
                },
                motion: Motion::CentreZoom {
                    speed: wanted.zoom_speed,
                },
            }],
            crossfade: 0.0,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length: wanted.length,
                frame_rate: wanted.frame_rate as u32,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
            },
        },
        echo: None,
    }
}

/// The setting that bounds a lane, as the peer's message names it.
fn bound_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Normal => "MAX_QUEUE_LENGTH",
        Lane::Express => "MAX_EXPRESS_QUEUE_LENGTH",
    }
}
