//! Orders that are looked at before they are made: frames of their videos, and a check of their photos.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::create::MAX_BODY_BYTES;
use super::drawing::{Purpose, drawing};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::openapi::{self, BodyErrors, CommonErrors};
use crate::job::{Failure, FailureCode};
use crate::order::Order;
use crate::pipeline::{InspectedPhoto, Inspection, SceneFacts};
use crate::spec::{BadPhotos, Point, View};

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

/// What is known of the videos of an order before they are made.
#[derive(Serialize, ToSchema)]
struct Check {
    photos: Vec<PhotoReport>,
    outputs: Vec<OutputReport>,
    warnings: Vec<String>,
    /// For which there would be no video, or photos left out.
    problems: Vec<Problem>,
}

#[derive(Serialize, ToSchema)]
struct PhotoReport {
    /// Among the photos of the order, from 0.
    index: usize,
    /// Pixels, of the upright photo; null if nothing can be made of it.
    width: Option<u32>,
    height: Option<u32>,
    /// In fractions of the photo's sides; the largest first.
    faces: Vec<FaceBox>,
    #[schema(value_type = Option<openapi::Point>)]
    focus: Option<Point>,
}

#[derive(Serialize, ToSchema)]
struct FaceBox {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

#[derive(Serialize, ToSchema)]
struct OutputReport {
    name: String,
    /// Seconds.
    duration: f64,
    scenes: Vec<SceneReport>,
}

#[derive(Serialize, ToSchema)]
struct SceneReport {
    /// The index of its photo.
    photo: usize,
    /// Seconds, with its transitions.
    start: f64,
    duration: f64,
    fit: &'static str,
    motion: MotionReport,
}

/// The parts of the photo in the first and the last frame, in fractions of its sides.
#[derive(Serialize, ToSchema)]
struct MotionReport {
    #[schema(value_type = Option<openapi::View>)]
    from: Option<View>,
    #[schema(value_type = Option<openapi::View>)]
    to: Option<View>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CheckProblem)]
struct Problem {
    /// Of the photo, if it is one.
    photo: Option<usize>,
    #[schema(value_type = String)]
    code: FailureCode,
    message: String,
}

/// Draws the frame that a video will have at a time.
#[utoipa::path(
    post,
    path = "/api/videos/preview",
    params(PreviewQuery),
    request_body = openapi::Order,
    responses(
        (status = 200, description = "A JPEG picture", content_type = "image/jpeg", body = String),
        CommonErrors, BodyErrors
    ),
)]
pub async fn preview(
    payload: Json<MAX_BODY_BYTES>,
    query: Result<Query<PreviewQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let PreviewQuery { time, output } = query.map_err(|error| bad_query(&error))?.0;
    let order = service.order(payload.0).await?;
    let index = index_of(&order, output.as_deref())?;
    let length = order.specs[index].output.seconds();
    if time.is_some_and(|time| !(0.0..=length).contains(&time)) {
        return Err(ApiError::invalid(
            "/time",
            format!("is not from 0 to {length}"),
        ));
    }
    let photos = photos_at_once(&order, FRAME_PHOTOS);
    let jpeg = drawing(
        &service,
        Purpose::Preview { photos },
        move |previewer, cancel| previewer.frame(&order.specs, index, time, cancel),
    );
    Ok(picture(jpeg.await?))
}

/// Draws twelve frames of a video, evenly over its time.
#[utoipa::path(
    post,
    path = "/api/videos/contact-sheet",
    params(SheetQuery),
    request_body = openapi::Order,
    responses(
        (status = 200, description = "A JPEG picture", content_type = "image/jpeg", body = String),
        CommonErrors, BodyErrors
    ),
)]
pub async fn contact_sheet(
    payload: Json<MAX_BODY_BYTES>,
    query: Result<Query<SheetQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let SheetQuery { output } = query.map_err(|error| bad_query(&error))?.0;
    let order = service.order(payload.0).await?;
    let index = index_of(&order, output.as_deref())?;
    let photos = photos_at_once(&order, SHEET_PHOTOS);
    let jpeg = drawing(
        &service,
        Purpose::Preview { photos },
        move |previewer, cancel| previewer.contact_sheet(&order.specs, index, cancel),
    );
    Ok(picture(jpeg.await?))
}

/// Looks at everything that an order names, and renders nothing.
#[utoipa::path(
    post,
    path = "/api/videos/check",
    request_body = openapi::Order,
    responses(
        (status = 200, description = "What there would be", body = Check),
        CommonErrors, BodyErrors
    ),
)]
pub async fn check(
    payload: Json<MAX_BODY_BYTES>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let order = service.order(payload.0).await?;
    let specs = order.specs.clone();
    let photos = specs[0].scenes.len();
    let inspection = drawing(
        &service,
        Purpose::Preview { photos },
        move |previewer, cancel| previewer.inspect(&specs, cancel),
    );
    Ok(HttpResponse::Ok().json(Check::of(order, inspection.await?)))
}

/// Of an order without bad photos, at most.
fn photos_at_once(order: &Order, shown: usize) -> usize {
    let spec = &order.specs[0];
    match spec.bad_photos {
        BadPhotos::Fail => spec.scenes.len().min(shown),
        // All are looked at first.
        BadPhotos::Skip => spec.scenes.len(),
    }
}

/// Which output is asked for; the first, if none is.
fn index_of(order: &Order, name: Option<&str>) -> Result<usize, ApiError> {
    let Some(name) = name else {
        return Ok(0);
    };
    let found = order.outputs.iter().position(|output| output == name);
    found.ok_or_else(|| {
        let names = order.outputs.join(", ");
        ApiError::invalid(
            "/output",
            format!("is not the name of an output; there are {names}"),
        )
    })
}

fn bad_query(error: &actix_web::Error) -> ApiError {
    ApiError::invalid("", error.to_string())
}

fn picture(jpeg: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("image/jpeg")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(jpeg)
}

impl Check {
    fn of(order: Order, inspection: Inspection) -> Self {
        let Inspection {
            photos,
            videos,
            warnings,
            problems,
        } = inspection;
        let bad = photos.iter().enumerate();
        let bad = bad.filter_map(|(index, photo)| Some((Some(index), photo.as_ref().err()?)));
        let others = problems.iter().map(|failure| (None, failure));
        let problems = bad.chain(others).map(Problem::from);
        let outputs = order.outputs.into_iter().zip(&order.specs).zip(videos);
        Self {
            problems: problems.collect(),
            photos: photos.iter().enumerate().map(PhotoReport::from).collect(),
            outputs: outputs
                .map(|((name, spec), scenes)| OutputReport {
                    name,
                    duration: spec.output.seconds(),
                    scenes: scenes.into_iter().map(SceneReport::from).collect(),
                })
                .collect(),
            warnings: order.warnings.into_iter().chain(warnings).collect(),
        }
    }
}

impl From<(usize, &InspectedPhoto)> for PhotoReport {
    fn from((index, photo): (usize, &InspectedPhoto)) -> Self {
        let good = photo.as_ref().ok();
        let size = good.map(|photo| photo.size);
        let faces = good.into_iter().flat_map(|photo| &photo.subject.faces);
        Self {
            index,
            width: size.map(|size| size.width),
            height: size.map(|size| size.height),
            faces: faces
                .map(|face| FaceBox {
                    x: face.left,
                    y: face.top,
                    width: face.right - face.left,
                    height: face.bottom - face.top,
                })
                .collect(),
            focus: good.map(|photo| photo.subject.point),
        }
    }
}

impl From<SceneFacts> for SceneReport {
    fn from(facts: SceneFacts) -> Self {
        Self {
            photo: facts.scene,
            start: facts.start,
            duration: facts.seconds,
            fit: if facts.is_whole { "contain" } else { "cover" },
            motion: MotionReport {
                from: facts.from,
                to: facts.to,
            },
        }
    }
}

impl From<(Option<usize>, &Failure)> for Problem {
    fn from((photo, failure): (Option<usize>, &Failure)) -> Self {
        Self {
            photo,
            code: failure.code,
            message: failure.message.clone(),
        }
    }
}
