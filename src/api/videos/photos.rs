//! Photos are uploaded, to be named in orders.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use log::error;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use super::drawing::{Purpose, drawing};
use crate::api::error::ApiError;
use crate::api::openapi::{BodyErrors, CommonErrors, OrderErrors, QueueErrors};
use crate::api::{Service, body};
use crate::job::Failure;
use crate::jobs::UploadedPhoto;
use crate::order::UPLOAD;
use crate::pipeline::{ArrivedPhoto, ArrivingPhoto, UploadError};

/// A photo that can be named in orders.
#[derive(Serialize, ToSchema)]
struct PhotoObject {
    /// SHA-256 of its bytes, in hex: the same photo has the same id.
    id: String,
    /// What an order calls it.
    #[schema(pattern = "^photo:[0-9a-f]{64}$")]
    url: String,
    /// Pixels, of the upright photo; of SVG, as it is drawn.
    width: u32,
    height: u32,
}

/// Takes a photo's bytes.
#[utoipa::path(
    post,
    path = "/api/photos",
    operation_id = "upload_photo",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The bytes of a picture file: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF; for a logo also SVG"),
    responses(
        (status = 200, description = "It was here before", body = PhotoObject),
        (status = 201, description = "It is kept for a day, and for a day after it was last named in an order", body = PhotoObject),
        CommonErrors<Problem>, BodyErrors<Problem>, OrderErrors<Problem>, QueueErrors<Problem>
    ),
)]
pub async fn upload(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    service.free_space.check()?;
    let limit = service.net.max_download_bytes();
    check_headers(&request, limit)?;
    let arriving = ArrivingPhoto::begin(service.publisher.work_dir.clone()).await;
    let mut arriving = arriving.map_err(refused)?;
    let write = async |chunk: &[u8]| arriving.write(chunk).await.map_err(refused);
    body::read(&request, payload.into_inner(), limit, write).await?;
    let photo = arriving.finish().await.map_err(refused)?;
    if let Some(known) = known(&service, &photo.id).await? {
        return Ok(answer(StatusCode::OK, &known));
    }
    let service = service.into_inner();
    // A task of its own: a client who hangs up must not leave half a photo in the storage.
    let storing = tokio::spawn(async move { store(&service, photo).await });
    let photo = storing.await.map_err(|panic| {
        error!("an upload was cut off: {panic}");
        ApiError::Internal
    })??;
    Ok(answer(StatusCode::CREATED, &photo))
}

/// The same photo, if it was uploaded before and its file is there.
async fn known(service: &Service, id: &str) -> Result<Option<UploadedPhoto>, ApiError> {
    for photo in service.jobs.use_photos(&[id.to_owned()]).await? {
        if service.publisher.has_photo(&photo.upload).await? {
            return Ok(Some(photo));
        }
        let files = [photo.upload.file];
        service.jobs.remove_photos(&files).await?;
    }
    Ok(None)
}

/// Refuses what can be told before the body.
fn check_headers(request: &HttpRequest, limit: u64) -> Result<(), ApiError> {
    let header = |name| request.headers().get(name)?.to_str().ok();
    let media_type = header(CONTENT_TYPE).unwrap_or_default();
    if media_type.to_ascii_lowercase().starts_with("multipart/") {
        return Err(ApiError::Multipart);
    }
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    match length.is_some_and(|length| length > limit) {
        true => Err(ApiError::BodyTooLarge { limit }),
        false => Ok(()),
    }
}

/// Stores a photo out of which something can be made.
async fn store(service: &Service, photo: ArrivedPhoto) -> Result<UploadedPhoto, ApiError> {
    let path = photo.file.path().to_owned();
    let is_drawing = photo.is_drawing;
    let size = drawing(service, Purpose::Upload, move |previewer, cancel| {
        previewer.photo_size(&path, is_drawing, cancel)
    });
    let uploaded = UploadedPhoto {
        size: size.await?,
        upload: service.publisher.place_for_photo(),
        id: photo.id,
        bytes: photo.bytes,
    };
    let most = service.max_photos;
    if !service.jobs.begin_photo(&uploaded, most).await? {
        return Err(ApiError::TooManyPhotos(most));
    }
    // Whatever becomes of it: a photo that is not recorded as stored is retired after a while, with its file.
    let stored = service.publisher.store_photo(&uploaded.upload, &photo.file);
    stored.await?;
    match service.jobs.photo_stored(&uploaded.upload.file).await? {
        true => Ok(uploaded),
        false => Err(ApiError::StorageFailed),
    }
}

fn answer(status: StatusCode, photo: &UploadedPhoto) -> HttpResponse {
    HttpResponse::build(status).json(PhotoObject {
        id: photo.id.clone(),
        url: format!("{UPLOAD}{}", photo.id),
        width: photo.size.width,
        height: photo.size.height,
    })
}

fn refused(error: UploadError) -> ApiError {
    error.log("an upload");
    ApiError::Unprocessable(Failure::new(error.code(), format!("the photo {error}")))
}
