//! Whether the service can do its work.

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
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl Health {
    pub fn new(jobs: Jobs) -> Self {
        Self {
            jobs,
            last: Mutex::new(None),
        }
    }

    async fn check(&self) -> Result<(), String> {
        // Held while the encoder is asked: callers in the meantime share the answer.
        let mut last = self.last.lock().await;
        match &*last {
            Some((at, answer)) if at.elapsed() < FRESH => answer.clone(),
            _ => {
                let answer = self.jobs.probe_encoder().await;
                *last = Some((Instant::now(), answer.clone()));
                answer
            }
        }
    }
}

pub async fn healthz(service: Data<Service>) -> HttpResponse {
    match service.health.check().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ok" })),
        Err(why) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "unavailable", "message": why })),
    }
}
