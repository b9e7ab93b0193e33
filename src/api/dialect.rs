//! A dialect: one HTTP API of the service.

use serde_json::Value;

use super::DIALECTS;
use super::endpoint::Endpoint;
use super::error::ApiError;
use super::openapi::Description;
use crate::job::{Job, VideoUrls};

pub trait Dialect: Sync {
    /// In the rows of its jobs: never changed once released.
    fn name(&self) -> &'static str;

    /// The paths that belong to it, each with everything below. Errors there have its form.
    fn paths(&self) -> &'static [&'static str];

    fn endpoints(&self) -> Vec<Endpoint>;

    /// Of the endpoints, for `/openapi.json`.
    fn description(&self) -> Description;

    /// Of the bodies of errors.
    fn error_media_type(&self) -> &'static str {
        "application/json"
    }

    /// The JSON body of an error.
    fn error_body(&self, error: &ApiError) -> Value;

    /// The body of the webhook about a finished job, with the addresses of its videos.
    fn webhook_body(&self, job: &Job, urls: &[VideoUrls]) -> Vec<u8>;
}

/// The dialect of a path, which may have a query. Paths that belong to none, such as `/healthz`, have
/// the errors of the first.
pub fn of_path(path: &str) -> &'static dyn Dialect {
    let path = path.split('?').next().unwrap_or_default();
    let below = |root: &&str| {
        let rest = path.strip_prefix(*root);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found = DIALECTS
        .iter()
        .find(|dialect| dialect.paths().iter().any(below));
    *found.unwrap_or(&DIALECTS[0])
}

/// The body of the webhook about a finished job, in the form of the job's dialect.
pub fn webhook_body(job: &Job, urls: &[VideoUrls]) -> Vec<u8> {
    let dialect = DIALECTS
        .iter()
        .find(|dialect| dialect.name() == job.request.dialect);
    dialect.unwrap_or(&DIALECTS[0]).webhook_body(job, urls)
}
