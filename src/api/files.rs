//! Videos of the local storage, served without a key: their names cannot be guessed.

use actix_files::NamedFile;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::Service;
use super::error::ApiError;
use crate::job::JobId;
use crate::jobs::TEST_FILE;

pub async fn video(
    request: HttpRequest,
    service: Data<Service>,
    name: Path<String>,
) -> Result<HttpResponse, ApiError> {
    // Only names of our own making come near the file system.
    let id = name
        .strip_suffix(".mp4")
        .and_then(|id| id.parse::<JobId>().ok());
    let file = match id {
        Some(id) => format!("{id}.mp4"),
        None if *name == TEST_FILE => TEST_FILE.to_owned(),
        None => return Err(ApiError::NotFound("video")),
    };
    let path = service.videos.join(file);
    let opened = web::block(move || NamedFile::open(path)).await;
    let opened = opened.map_err(|_| ApiError::Internal)?;
    let mut response = opened
        .map_err(|_| ApiError::NotFound("video"))?
        .into_response(&request);
    // A video is written once.
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Ok(response)
}
