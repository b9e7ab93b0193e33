//! Videos and their thumbnails, streamed from any storage without a key: their names cannot be
//! guessed. Ranges (RFC 9110, 14) and conditional requests (13) are supported.

use std::io;
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt, stream};

use super::Service;
use super::conditional::{Outcome, Validators};
use super::error::ApiError;
use super::openapi::CommonErrors;
use super::revid::RevidError;
use crate::job::{JobId, VideoKey};
use crate::pipeline::TEST_FILE;
use crate::storage::{Metadata, Storage, StorageError, media_type};

/// A video is written once.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Gives a video or a thumbnail.
#[utoipa::path(
    get,
    path = "/videos/{name}",
    operation_id = "video_file",
    params(
        ("name" = String, Path, description = "`{id}.mp4` or `{id}.jpg`; of a further output `{id}-2.mp4`, and so on"),
        ("Range" = Option<String>, Header, description = "One part, in bytes"),
    ),
    security(()),
    responses(
        (status = 200, description = "The file", content((Vec<u8> = "video/mp4"), (Vec<u8> = "image/jpeg"), (String = "text/plain"))),
        (status = 206, description = "A part of it", content((Vec<u8> = "video/mp4"), (Vec<u8> = "image/jpeg"), (String = "text/plain"))),
        (status = 304, description = "It has not changed"),
        (status = 404, description = "There is none of this name", body = RevidError),
        (status = 412, description = "The precondition does not hold", body = RevidError),
        (status = 416, description = "The range is not in the file", body = RevidError),
        CommonErrors<RevidError>
    ),
)]
pub async fn file(
    request: HttpRequest,
    service: Data<Service>,
    name: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (key, id) = known(&name).ok_or(ApiError::NotFound("video"))?;
    let (storage, metadata) = find(&service, &key, id).await?;
    let validators = Validators::of(&metadata);
    let outcome = validators.evaluate(&request)?;
    let mut response = HttpResponse::build(outcome.status());
    validators.insert(&mut response);
    response.insert_header((CACHE_CONTROL, FOREVER));
    let range = match outcome {
        Outcome::NotModified => return Ok(response.finish()),
        Outcome::Whole => 0..metadata.size,
        Outcome::Part(range) => {
            let part = format!("bytes {}-{}/{}", range.start, range.end - 1, metadata.size);
            response.insert_header((CONTENT_RANGE, part));
            range
        }
    };
    let length = range.end - range.start;
    response
        .content_type(media_type(&key))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{key}\"")));
    if request.method() == Method::HEAD {
        let nothing = stream::empty::<io::Result<_>>();
        return Ok(response.body(SizedStream::new(length, nothing)));
    }
    let file = storage.read(&key, Some(range)).await?;
    let file = file.ok_or(ApiError::NotFound("video"))?;
    Ok(response.body(SizedStream::new(length, file.stream.fuse())))
}

/// A file in the storage of today, or else in the one where its job's video was stored.
async fn find(
    service: &Service,
    key: &str,
    id: Option<JobId>,
) -> Result<(Arc<dyn Storage>, Metadata), ApiError> {
    let current = service.publisher.storages.current();
    // An error, if it is not of another storage.
    let looked_up = current.metadata(key).await;
    if let Ok(Some(metadata)) = looked_up {
        return Ok((current.clone(), metadata));
    }
    if let Some(id) = id {
        let storage = service.storage_of(id).await?;
        if !Arc::ptr_eq(&storage, current) {
            let metadata = storage.metadata(key).await?;
            let metadata = metadata.ok_or(ApiError::NotFound("video"))?;
            return Ok((storage, metadata));
        }
    }
    match looked_up {
        // Stores answer so for what is not there, to those who may not list.
        Ok(_) | Err(StorageError::Refused { .. }) => Err(ApiError::NotFound("video")),
        Err(error) => Err(error.into()),
    }
}

/// The key of a name, and its job. Only names of our own making reach the storage.
fn known(name: &str) -> Option<(String, Option<JobId>)> {
    if name == TEST_FILE {
        return Some((TEST_FILE.to_owned(), None));
    }
    let (key, ending) = name.split_once('.')?;
    let key: VideoKey = key.parse().ok()?;
    match ending {
        "mp4" => Some((key.file_name(), Some(key.job))),
        "jpg" => Some((key.thumbnail_name(), Some(key.job))),
        _ => None,
    }
}
