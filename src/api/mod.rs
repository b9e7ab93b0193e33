//! HTTP: each dialect parses its requests into a [`VideoSpec`] and prints a
//! [`Job`] in its own form.
//!
//! ```text
//! dialect ─ what an API of ours is; revid, digitalcarbon, videos ─ the APIs
//! server ─▶ connections ─▶ endpoint (with auth, wrong_keys) ─▶ handlers (json, body, idempotency, timestamp)
//! payloads ─ the checks of bodies alone, for tests
//! error ─ what can go wrong; error_form ─ how the path's dialect tells it
//! free_space ─ whether anything new is accepted
//! files (with conditional), health, openapi, page and reference (of asset), telemetry ─ what belongs to no dialect
//! ```

mod asset;
pub mod auth;
mod body;
mod conditional;
mod connections;
mod dialect;
mod digitalcarbon;
mod endpoint;
mod error;
mod error_form;
mod files;
mod free_space;
mod health;
mod idempotency;
mod json;
mod openapi;
mod page;
pub mod payloads;
mod reference;
mod revid;
mod server;
mod settings;
mod telemetry;
mod timestamp;
mod videos;
mod wrong_keys;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data, ServiceConfig};
use log::error;

pub use dialect::webhook_body;
pub use free_space::FreeSpace;
pub use server::{NOISY_LOGGER, server};
pub use settings::{Role, Settings};

use crate::encode::Encoder;
use crate::job::{Idempotency, Job, JobId, VideoUrls};
use crate::jobs::{Accepted, Jobs};
use crate::listing::template::Templates;
use crate::net::Net;
use crate::pipeline::{Previewer, Publisher};
use crate::spec::VideoSpec;
use crate::storage::Storage;
use auth::ApiKey;
use dialect::Dialect;
use endpoint::Endpoint;
use error::{ApiError, not_found};
use health::{Needs, Readiness};
use telemetry::Telemetry;
use videos::Watched;
use wrong_keys::WrongKeys;

/// The APIs. To add one is to add a folder here and a line.
static DIALECTS: [&dyn Dialect; 3] = [
    &revid::Revid,
    &digitalcarbon::DigitalCarbon,
    &videos::Videos,
];

/// What the handlers share.
pub struct Service {
    pub jobs: Jobs,
    pub templates: Templates,
    pub net: Net,
    pub publisher: Publisher,
    key: ApiKey,
    wrong_keys: WrongKeys,
    telemetry: Telemetry,
    pub readiness: Readiness,
    watched: Watched,
    previewer: Previewer,
    free_space: Arc<FreeSpace>,
    /// Uploaded photos that are kept at once.
    max_photos: u32,
    request_timeout: Duration,
    role: Role,
}

impl Service {
    pub fn new(
        jobs: Jobs,
        templates: Templates,
        net: Net,
        publisher: Publisher,
        key: String,
        free_space: FreeSpace,
        settings: &Settings,
    ) -> Self {
        let free_space = Arc::new(free_space);
        Self {
            readiness: Readiness::new(Needs {
                encoder: (settings.role != Role::Api).then(|| publisher.pipeline.encoder.clone()),
                jobs: jobs.clone(),
                storage: publisher.storages.current().clone(),
                free_space: free_space.clone(),
            }),
            free_space,
            max_photos: settings.max_photos,
            watched: Watched::default(),
            previewer: Previewer::new(publisher.pipeline.clone(), publisher.work_dir.clone()),
            jobs,
            templates,
            net,
            publisher,
            key: ApiKey::new(key),
            wrong_keys: WrongKeys::default(),
            telemetry: Telemetry::new(settings.metrics_key.clone()),
            request_timeout: settings.request_timeout,
            role: settings.role,
        }
    }

    /// The job of the same request, if it was accepted before. Err: else, nothing new is accepted at the moment.
    async fn accepted_before(
        &self,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<Accepted>, ApiError> {
        let known = match idempotency {
            Some(idempotency) => self.jobs.known(idempotency).await?,
            None => None,
        };
        if known.is_none() {
            self.free_space.check()?;
        }
        Ok(known)
    }

    /// About texts with characters that no font has. The fonts of the system may have to be read for it.
    async fn font_warnings(&self, specs: &[VideoSpec]) -> Result<Vec<String>, ApiError> {
        let (pipeline, specs) = (self.publisher.pipeline.clone(), specs.to_owned());
        let found = web::block(move || {
            let warnings = specs.iter().filter_map(|spec| pipeline.warning(spec));
            let mut warnings: Vec<String> = warnings.collect();
            warnings.dedup();
            warnings
        });
        found.await.map_err(|error| {
            error!("the fonts cannot be searched: {error}");
            ApiError::Internal
        })
    }

    /// The addresses of a finished job's videos; of none, if it has none.
    async fn urls(&self, job: &Job) -> Vec<VideoUrls> {
        match job.finish.as_ref().map(|finish| &finish.outcome) {
            Some(Ok(videos)) => self.publisher.urls_for_answer(job.id, videos).await,
            _ => Vec::new(),
        }
    }

    /// The storage that holds a job's files: the one of today, if it has none yet; the directory that is built in, if
    /// nobody knows the job any more.
    async fn storage_of(&self, id: JobId) -> Result<Arc<dyn Storage>, ApiError> {
        let storages = &self.publisher.storages;
        let Some(job) = self.jobs.job(id).await? else {
            return Ok(storages.named(None)?);
        };
        Ok(match job.finish.map(|finish| finish.outcome) {
            Some(Ok(video)) => storages.named(video.storage.as_deref())?,
            _ => storages.current().clone(),
        })
    }

    /// Looks at what clients listen to, as long as the service runs.
    pub async fn watch(self: Arc<Self>) {
        tokio::join!(
            self.free_space.watch(),
            self.previewer.sweep(),
            self.watched.clone().run(self.clone())
        );
    }

    pub fn encoder(&self) -> &Encoder {
        &self.publisher.pipeline.encoder
    }
}

/// What a service of this role serves: what belongs to no dialect, and the dialects.
fn endpoints(role: Role) -> Vec<Endpoint> {
    let mut endpoints = vec![
        Endpoint::public("/healthz").get(health::healthz),
        Endpoint::public("/readyz").get(health::readyz),
        Endpoint::public("/metrics").get(telemetry::tell),
    ];
    if role != Role::Worker {
        endpoints.extend([
            Endpoint::public("/").get(page::index),
            Endpoint::public("/page/{name:.*}").get(page::file),
            Endpoint::public("/docs").get(reference::index),
            Endpoint::public("/docs/{name}").get(reference::file),
            Endpoint::public("/openapi.json").get(openapi::openapi),
            Endpoint::public("/videos/{name}").get(files::file),
        ]);
        endpoints.extend(DIALECTS.iter().flat_map(|dialect| dialect.endpoints()));
    }
    endpoints
}

/// Each path of a service that has all roles, with its methods.
pub fn routes() -> Vec<(String, Vec<&'static str>)> {
    let endpoints = endpoints(Role::All);
    let route = |endpoint: &Endpoint| (endpoint.path().to_owned(), endpoint.methods().to_owned());
    endpoints.iter().map(route).collect()
}

/// Lets Actix serve them.
fn mount(service: Data<Service>) -> impl FnOnce(&mut ServiceConfig) {
    |app| {
        for endpoint in endpoints(service.role) {
            app.service(endpoint.into_resource());
        }
        app.app_data(service).default_service(web::to(not_found));
    }
}
