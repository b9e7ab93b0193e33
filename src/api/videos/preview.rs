//! Frames of an order's videos are drawn before these are made.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use super::Problem;
use super::create::MAX_BODY_BYTES;
use super::drawing::{Purpose, drawing};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::openapi::{BodyErrors, CommonErrors, OrderErrors};
use crate::pipeline::{PipelineError, Previewer};
use crate::spec::{BadPhotos, VideoSpec};

/// Photos that a frame can show, with those of a transition.
const FRAME_PHOTOS: usize = 2;

/// The same of the frames of a contact sheet together.
const SHEET_PHOTOS: usize = 24;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// Seconds from the start.
    #[param(minimum = 0)]
    time: Option<f64>,
    /// The name of an output.
    output: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SheetQuery {
    /// The name of an output.
    output: Option<String>,
}

/// Draws the frame that a video will have at a time.
#[utoipa::path(
    post,
    path = "/api/videos/preview",
    operation_id = "preview_video",
    params(PreviewQuery),
    request_body = ref("#/components/schemas/Order"),
    responses(
        (status = 200, description = "A JPEG picture", content_type = "image/jpeg", body = String),
        CommonErrors<Problem>, BodyErrors<Problem>, OrderErrors<Problem>
    ),
)]
pub async fn preview(
    payload: Json<MAX_BODY_BYTES>,
    query: Result<Query<PreviewQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let PreviewQuery { time, output } = query.map_err(|error| bad_query(&error))?.0;
    let (specs, index) = outputs_of(&service, payload.0, output.as_deref()).await?;
    let length = specs[index].output.seconds();
    if time.is_some_and(|time| !(0.0..=length).contains(&time)) {
        return Err(ApiError::invalid(
            "/time",
            format!("is not from 0 to {length}"),
        ));
    }
    let ahead = specs.clone();
    let frame = draw(
        &service,
        specs,
        FRAME_PHOTOS,
        move |previewer, specs, cancel| previewer.frame(specs, index, time, cancel),
    );
    let frame = frame.await?;
    service.previewer.look_ahead(ahead);
    Ok(frame)
}

/// Draws twelve frames of a video, evenly over its time.
#[utoipa::path(
    post,
    path = "/api/videos/contact-sheet",
    operation_id = "draw_contact_sheet",
    params(SheetQuery),
    request_body = ref("#/components/schemas/Order"),
    responses(
        (status = 200, description = "A JPEG picture", content_type = "image/jpeg", body = String),
        CommonErrors<Problem>, BodyErrors<Problem>, OrderErrors<Problem>
    ),
)]
pub async fn contact_sheet(
    payload: Json<MAX_BODY_BYTES>,
    query: Result<Query<SheetQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let SheetQuery { output } = query.map_err(|error| bad_query(&error))?.0;
    let (specs, index) = outputs_of(&service, payload.0, output.as_deref()).await?;
    draw(
        &service,
        specs,
        SHEET_PHOTOS,
        move |previewer, specs, cancel| previewer.contact_sheet(specs, index, cancel),
    )
    .await
}

/// The specifications of an order, and which of them an output's name means; the first, if there is none.
async fn outputs_of(
    service: &Service,
    payload: Value,
    name: Option<&str>,
) -> Result<(Vec<VideoSpec>, usize), ApiError> {
    let order = service.order(payload).await?;
    let Some(name) = name else {
        return Ok((order.specs, 0));
    };
    match order.outputs.iter().position(|output| output == name) {
        Some(index) => Ok((order.specs, index)),
        None => {
            let names = order.outputs.join(", ");
            let message = format!("is not the name of an output; there are {names}");
            Err(ApiError::invalid("/output", message))
        }
    }
}

/// Answers a picture of which `shown` photos are a part.
async fn draw(
    service: &Data<Service>,
    specs: Vec<VideoSpec>,
    shown: usize,
    drawn: impl FnOnce(&Previewer, &[VideoSpec], &CancellationToken) -> Result<Vec<u8>, PipelineError>
    + Send
    + 'static,
) -> Result<HttpResponse, ApiError> {
    let photos = photos_at_once(&specs[0], shown);
    let jpeg = drawing(
        service,
        Purpose::Preview { photos },
        move |previewer, cancel| drawn(previewer, &specs, cancel),
    );
    Ok(HttpResponse::Ok()
        .content_type("image/jpeg")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(jpeg.await?))
}

/// Of a video without bad photos, at most.
fn photos_at_once(spec: &VideoSpec, shown: usize) -> usize {
    match spec.bad_photos {
        BadPhotos::Fail => spec.scenes.len().min(shown),
        // All are looked at first.
        BadPhotos::Skip => spec.scenes.len(),
    }
}

fn bad_query(error: &actix_web::Error) -> ApiError {
    ApiError::invalid("", error.to_string())
}
