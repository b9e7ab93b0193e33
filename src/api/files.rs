//! Videos of the local storage and the pictures that stand for them, served without a key: their names cannot be guessed.

use std::io::ErrorKind;

use actix_files::NamedFile;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use log::error;

use super::Service;
use super::error::ApiError;
use crate::job::JobId;
use crate::pipeline::TEST_FILE;

pub async fn file(
    request: HttpRequest,
    service: Data<Service>,
    name: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let file = known(&name).ok_or(ApiError::NotFound("video"))?;
    let path = service.videos.join(file);
    let opened = web::block(move || NamedFile::open(path)).await;
    let opened = opened
        .map_err(|_| ApiError::Internal)?
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => ApiError::NotFound("video"),
            _ => {
                error!("a video could not be opened: {error}");
                ApiError::Internal
            }
        })?;
    let mut response = opened.into_response(&request);
    match response.status() {
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::BAD_REQUEST => {
            return Err(ApiError::RangeNotSatisfiable);
        }
        StatusCode::PRECONDITION_FAILED => return Err(ApiError::PreconditionFailed),
        _ => {}
    }
    // A video is written once.
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(CACHE_CONTROL, forever);
    Ok(response)
}

/// Only names of our own making come near the file system.
fn known(name: &str) -> Option<String> {
    if name == TEST_FILE {
        return Some(TEST_FILE.to_owned());
    }
    let (id, ending) = name.split_once('.')?;
    let id: JobId = id.parse().ok()?;
    match ending {
        "mp4" => Some(id.video_name()),
        "jpg" => Some(id.thumbnail_name()),
        _ => None,
    }
}
