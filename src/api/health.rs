//! Whether the process is alive, and whether it can do its work.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use log::{error, info};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::{FreeSpace, Service};
use crate::encode::Encoder;
use crate::errors::chain;
use crate::jobs::Jobs;
use crate::storage::{Storage, StorageError};

/// How long an answer holds, so that asking costs next to nothing.
const FRESH: Duration = Duration::from_secs(10);
/// After a failure, which may be over soon.
const FRESH_FAILURE: Duration = Duration::from_secs(2);

/// For each probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(8);

/// Probes what the service needs, now and then.
pub struct Readiness {
    needs: Needs,
    last: Arc<Mutex<Option<Answer>>>,
}

#[derive(Clone)]
pub struct Needs {
    /// `None`: no videos are made here.
    pub encoder: Option<Encoder>,
    pub jobs: Jobs,
    pub storage: Arc<dyn Storage>,
    pub free_space: Arc<FreeSpace>,
}

struct Answer {
    at: Instant,
    failed: Vec<Failed>,
}

/// Whether all works.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok` or `unavailable`.
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failed>,
}

impl Health {
    fn of(failed: Vec<Failed>) -> Self {
        let status = match failed.is_empty() {
            true => "ok",
            false => "unavailable",
        };
        Self { status, failed }
    }
}

/// What does not work, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FailedCheck)]
pub struct Failed {
    pub check: &'static str,
    pub message: String,
    /// For the log: may name files.
    #[serde(skip)]
    cause: String,
}

impl Failed {
    fn stopping() -> Self {
        Self {
            check: "process",
            message: "the service is stopping".to_owned(),
            cause: String::new(),
        }
    }

    fn new(check: &'static str, message: String, error: &dyn Error) -> Self {
        let cause = chain(error);
        Self {
            check,
            message,
            cause,
        }
    }
}

impl Needs {
    async fn probe(&self) -> Vec<Failed> {
        let encoder = async {
            let Some(encoder) = &self.encoder else {
                return Ok(());
            };
            let checked = encoder.check().await;
            checked.map_err(|error| Failed::new("ffmpeg", error.to_string(), &error))
        };
        let jobs = async {
            let probed = self.jobs.probe().await;
            probed.map_err(|error| Failed::new("jobs", error.to_string(), &error))
        };
        let storage = async {
            let probed = self.storage.probe().await;
            probed.map_err(|error| Failed::new("storage", storage_message(&error), &error))
        };
        let checked = self.free_space.check();
        let disk = checked.map_err(|error| Failed::new("disk", error.to_string(), &error));
        let (encoder, jobs, storage) = tokio::join!(
            in_time("ffmpeg", encoder),
            in_time("jobs", jobs),
            in_time("storage", storage)
        );
        let results = [encoder, jobs, storage, disk];
        results.into_iter().filter_map(Result::err).collect()
    }
}

impl Readiness {
    pub fn new(needs: Needs) -> Self {
        Self {
            needs,
            last: Arc::default(),
        }
    }

    /// What does not work.
    pub async fn check(&self) -> Vec<Failed> {
        // Held during the probe: callers in the meantime share the answer.
        let mut last = self.last.clone().lock_owned().await;
        if let Some(Answer { at, failed }) = &*last {
            let fresh = if failed.is_empty() {
                FRESH
            } else {
                FRESH_FAILURE
            };
            if at.elapsed() < fresh {
                return failed.clone();
            }
        }
        let needs = self.needs.clone();
        // A task of its own: a caller who gives up must not make room for a second probe.
        let probe = tokio::spawn(async move {
            let failed = needs.probe().await;
            let before = last.as_ref().map(|answer| answer.failed.as_slice());
            log_change(before.unwrap_or_default(), &failed);
            *last = Some(Answer {
                at: Instant::now(),
                failed: failed.clone(),
            });
            failed
        });
        probe.await.unwrap_or_else(|panic| {
            let message = "the probe failed".to_owned();
            vec![Failed::new("probe", message, &panic)]
        })
    }
}

async fn in_time(
    check: &'static str,
    probe: impl Future<Output = Result<(), Failed>>,
) -> Result<(), Failed> {
    let probed = tokio::time::timeout(PROBE_TIMEOUT, probe).await;
    probed.unwrap_or_else(|late| Err(Failed::new(check, "it does not answer".into(), &late)))
}

/// The cure is in the cause: of an object store, and not of a directory, whose cause names files.
fn storage_message(error: &StorageError) -> String {
    error.cure().unwrap_or_else(|| error.to_string())
}

/// Says once that something has stopped working, and once that it works again.
fn log_change(before: &[Failed], now: &[Failed]) {
    let is_in = |list: &[Failed], check| list.iter().any(|failed| failed.check == check);
    for failed in now.iter().filter(|failed| !is_in(before, failed.check)) {
        error!(
            "not ready, jobs will fail or wait: {}: {}",
            failed.check, failed.cause
        );
    }
    for failed in before.iter().filter(|failed| !is_in(now, failed.check)) {
        info!("{} works again", failed.check);
    }
}

/// Tells that the process serves requests, and so is alive.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    security(()),
    responses((status = 200, description = "It does", body = Health)),
)]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health::of(Vec::new()))
}

/// Tells whether videos can be made: ffmpeg can encode, the job store answers, and the storage can be written.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    security(()),
    responses(
        (status = 200, description = "They can", body = Health),
        (status = 503, description = "They cannot, at the moment", body = Health)
    ),
)]
pub async fn readyz(service: Data<Service>) -> HttpResponse {
    let failed = match service.jobs.is_closing() {
        true => vec![Failed::stopping()],
        false => service.readiness.check().await,
    };
    let mut response = match failed.is_empty() {
        true => HttpResponse::Ok(),
        false => HttpResponse::ServiceUnavailable(),
    };
    response.json(Health::of(failed))
}
