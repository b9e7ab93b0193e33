//! HTTP: each dialect parses its own words into a [`VideoSpec`](crate::spec::VideoSpec) and prints
//! a [`Job`](crate::job::Job) in its own words. Frames are none of its business.

mod bare_errors;
mod body;
pub mod digitalcarbon;
mod error;
mod fault;
mod files;
mod health;
pub mod key;
pub mod revid;
mod schema;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::web::{self, Data, ServiceConfig};

use crate::jobs::Jobs;
use crate::listing::template::Templates;
use crate::setting::{Setting, positive_duration, put};
use error::{method_not_allowed, not_found};
use health::Health;
use key::ApiKey;
pub use server::server;

#[derive(Clone, Debug)]
pub struct Settings {
    pub bind: SocketAddr,
    /// Where the world reaches this service; the bound address if not set.
    pub public_url: Option<String>,
    /// Made and kept in the data directory if not set.
    pub api_key: Option<String>,
    /// For a request's body to arrive.
    pub request_timeout: Duration,
    /// For running jobs to finish when the service is stopped.
    pub stop_grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            api_key: None,
            request_timeout: Duration::from_secs(10),
            stop_grace: Duration::from_secs(30),
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "server.bind",
            env: Some("KINORA_BIND"),
            accepts: "an IP address and a port, such as 127.0.0.1:8080",
            set: |s, text| put(&mut s.bind, text.parse().ok()),
        },
        Setting {
            key: "server.public_url",
            env: Some("KINORA_PUBLIC_URL"),
            accepts: "an http(s) URL without a query, such as https://videos.example.com",
            set: |s, text| put(&mut s.public_url, public_url(text).map(Some)),
        },
        Setting {
            key: "server.api_key",
            env: Some("API_KEY"),
            accepts: "a key of visible ASCII characters without spaces",
            set: |s, text| {
                put(
                    &mut s.api_key,
                    key::acceptable(text).then(|| Some(text.to_owned())),
                )
            },
        },
        Setting {
            key: "server.request_timeout",
            env: None,
            accepts: "a time, such as 10s",
            set: |s, text| put(&mut s.request_timeout, positive_duration(text)),
        },
        Setting {
            key: "server.stop_grace",
            env: None,
            accepts: "a time, such as 30s",
            set: |s, text| put(&mut s.stop_grace, crate::setting::duration(text)),
        },
    ];
}

fn public_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    (plain && url.fragment().is_none()).then(|| text.trim_end_matches('/').to_owned())
}

/// What the handlers share.
pub struct Service {
    pub jobs: Jobs,
    pub templates: Templates,
    key: ApiKey,
    health: Health,
    /// The directory of videos that are served from here.
    videos: PathBuf,
    request_timeout: Duration,
}

impl Service {
    pub fn new(
        jobs: Jobs,
        templates: Templates,
        key: String,
        videos: PathBuf,
        settings: &Settings,
    ) -> Self {
        Self {
            health: Health::new(jobs.clone()),
            jobs,
            templates,
            key: ApiKey::new(key),
            videos,
            request_timeout: settings.request_timeout,
        }
    }
}

/// The route table.
fn routes(service: Data<Service>) -> impl FnOnce(&mut ServiceConfig) {
    |app| {
        app.app_data(service)
            .service(post(
                "/paid/image/convert/video",
                revid::paid_image_to_video,
            ))
            .service(post("/v1/image/convert/video", revid::v1_image_to_video))
            .service(post("/paid/get/job/status", revid::toolkit::job_status))
            .service(get(
                "/paid/get/job/status/{job_id}",
                revid::toolkit::job_status_by_path,
            ))
            .service(post("/v1/toolkit/job/status", revid::toolkit::job_status))
            .service(post("/v1/toolkit/jobs/status", revid::toolkit::jobs_status))
            .service(get("/v1/toolkit/test", revid::toolkit::test))
            .service(get(
                "/v1/toolkit/authenticate",
                revid::toolkit::authenticate,
            ))
            .service(post(
                "/v1-beta/generate-video",
                digitalcarbon::generate_video,
            ))
            .service(get(
                "/v1-beta/generate-video/{job_id}/status",
                digitalcarbon::status,
            ))
            .service(get(
                "/v1-beta/generate-video/{job_id}/results",
                digitalcarbon::results,
            ))
            .service(post(
                "/v1-beta/generate-video/{job_id}/results/upload-video",
                digitalcarbon::upload_video,
            ))
            .service(get("/v1-beta/templates", digitalcarbon::templates))
            .service(get("/videos/{name}", files::file))
            .service(get("/healthz", health::healthz))
            .default_service(web::to(not_found));
    }
}

fn post<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let refuse = web::to(|| async { method_not_allowed("POST") });
    web::resource(path.to_owned())
        .route(web::post().to(handler))
        .default_service(refuse)
}

fn get<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let refuse = web::to(|| async { method_not_allowed("GET, HEAD") });
    web::resource(path.to_owned())
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(refuse)
}
