//! Whether the service can do its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;
use tokio::sync::Mutex;

use super::Service;
use crate::encode::Encoder;

/// How long an answer holds, so that asking costs next to nothing.
const FRESH: Duration = Duration::from_secs(10);

/// Probes the encoder now and then.
pub struct Health {
    encoder: Encoder,
    last: Arc<Mutex<Option<Answer>>>,
}

struct Answer {
    at: Instant,
    ready: Result<(), String>,
}

impl Health {
    pub fn new(encoder: Encoder) -> Self {
        Self {
            encoder,
            last: Arc::default(),
        }
    }

    async fn check(&self) -> Result<(), String> {
        // Held during the probe: callers in the meantime share the answer.
        let mut last = self.last.clone().lock_owned().await;
        if let Some(answer) = &*last
            && answer.at.elapsed() < FRESH
        {
            return answer.ready.clone();
        }
        let encoder = self.encoder.clone();
        // A task of its own: a caller who gives up must not make room for a second probe.
        let probe = actix_web::rt::spawn(async move {
            let ready = encoder.check().await;
            *last = Some(Answer {
                at: Instant::now(),
                ready: ready.clone(),
            });
            ready
        });
        probe.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }
}

pub async fn healthz(service: Data<Service>) -> HttpResponse {
    match service.health.check().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ok" })),
        Err(why) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "unavailable", "message": why })),
    }
}
