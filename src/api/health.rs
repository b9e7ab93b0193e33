//! Whether the service can do its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;
use tokio::sync::Mutex;

use super::Service;
use crate::jobs::Jobs;

/// How long an answer holds, so that asking costs next to nothing.
const FRESH: Duration = Duration::from_secs(10);

/// Asks the encoder now and then.
pub struct Health {
    jobs: Jobs,
    last: Arc<Mutex<Option<Answer>>>,
}

struct Answer {
    at: Instant,
    ready: Result<(), String>,
}

impl Health {
    pub fn new(jobs: Jobs) -> Self {
        Self {
            jobs,
            last: Arc::default(),
        }
    }

    async fn check(&self) -> Result<(), String> {
        // Held while the encoder is asked: callers in the meantime share the answer.
        let mut last = self.last.clone().lock_owned().await;
        if let Some(answer) = &*last
            && answer.at.elapsed() < FRESH
        {
            return answer.ready.clone();
        }
        let jobs = self.jobs.clone();
        // A task of its own: a caller who gives up must not leave room for a second question.
        let asked = actix_web::rt::spawn(async move {
            let ready = jobs.probe_encoder().await;
            *last = Some(Answer {
                at: Instant::now(),
                ready: ready.clone(),
            });
            ready
        });
        asked.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }
}

pub async fn healthz(service: Data<Service>) -> HttpResponse {
    match service.health.check().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ok" })),
        Err(why) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "unavailable", "message": why })),
    }
}
