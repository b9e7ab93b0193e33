//! What is told of the service and its requests: `/metrics`, and the id of each request.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse};
use log::{debug, warn};
use uuid::Uuid;

use super::Service;
use super::auth::{self, ApiKey};
use super::error::ApiError;
use super::revid::RevidError;
use crate::errors::chain;
use crate::job::Lane;
use crate::jobs::LaneLoad;
use crate::metrics::{MEDIA_TYPE, metrics};
use crate::request_id;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 128;

/// How long what was read from the job store is told.
const FRESH: Duration = Duration::from_secs(2);

/// Who may read the metrics, and when they were last brought up to date.
pub struct Telemetry {
    /// `None`: anybody.
    key: Option<ApiKey>,
    read: Mutex<Option<Instant>>,
}

impl Telemetry {
    pub fn new(key: Option<String>) -> Self {
        Self {
            key: key.map(ApiKey::new),
            read: Mutex::default(),
        }
    }

    /// In the header of the other keys, or as a bearer token, as Prometheus sends it.
    fn admits(&self, request: &HttpRequest) -> bool {
        let Some(key) = &self.key else {
            return true;
        };
        let bearer = request.headers().get(AUTHORIZATION);
        let bearer = bearer.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let given = request.headers().get(auth::HEADER);
        let given = given.map(HeaderValue::as_bytes).or(bearer);
        given.is_some_and(|given| key.is(given))
    }

    /// Whether the job store is to be asked again.
    fn is_due(&self) -> bool {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = read.is_none_or(|at| at.elapsed() >= FRESH);
        if is_due {
            *read = Some(Instant::now());
        }
        is_due
    }
}

/// Tells the metrics of this process.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    security((), ("key" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "In the text format of Prometheus", body = String, content_type = "text/plain"),
        (status = 401, description = "`metrics.key` is set, and is missing or wrong", body = RevidError)
    ),
)]
pub async fn tell(request: HttpRequest, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    if !service.telemetry.admits(&request) {
        return Err(ApiError::Unauthorized);
    }
    if service.telemetry.is_due() {
        match service.jobs.load().await {
            Ok(loads) => loads.iter().for_each(note_load),
            // The other metrics are told all the same.
            Err(error) => warn!("the queue is not known: {}", chain(&error)),
        }
    }
    Ok(HttpResponse::Ok()
        .content_type(MEDIA_TYPE)
        .body(metrics().text()))
}

fn note_load(load: &LaneLoad) {
    let lane = match load.lane {
        Lane::Normal => "normal",
        Lane::Express => "express",
    };
    let metrics = metrics();
    for (state, count) in [("queued", load.waiting), ("running", load.running)] {
        let gauge = metrics.jobs.with_label_values(&[state, lane]);
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let oldest = load.oldest.unwrap_or_default().as_secs_f64();
    metrics
        .oldest_waiting
        .with_label_values(&[lane])
        .set(oldest);
}

/// Middleware that gives each request an id, the client's own if it sends one, and counts it.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = request_id_of(request.request());
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let began = Instant::now();
    let mut response = request_id::with(id.clone(), next.call(request)).await?;
    let status = response.status();
    let seconds = began.elapsed().as_secs_f64();
    metrics().http_seconds.observe(seconds);
    let method = if method.as_str().len() > 7 {
        "other"
    } else {
        method.as_str()
    };
    metrics()
        .http_requests
        .with_label_values(&[method, status.as_str()])
        .inc();
    debug!("request {id}: {method} {path:?} was answered {status} after {seconds:.3} s");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}

fn request_id_of(request: &HttpRequest) -> String {
    let sent = request.headers().get(REQUEST_ID);
    let sent = sent.and_then(|value| value.to_str().ok());
    let is_plain = |id: &&str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_plain)
    };
    sent.filter(is_plain)
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}
