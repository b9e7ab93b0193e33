//! An order is checked: its photos are looked at, and nothing is rendered.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use super::create::MAX_BODY_BYTES;
use super::drawing::{Purpose, drawing};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::openapi::{BodyErrors, CommonErrors, OrderErrors};
use crate::job::{Failure, FailureCode};
use crate::order::Order;
use crate::pipeline::{InspectedPhoto, Inspection, SceneFacts};
use crate::spec::{Point, View};

/// What is known of the videos of an order before they are made.
#[derive(Serialize, ToSchema)]
struct Check {
    photos: Vec<PhotoReport>,
    outputs: Vec<OutputReport>,
    warnings: Vec<String>,
    /// For which there would be no video, or photos left out.
    problems: Vec<FoundProblem>,
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
    focus: Option<FocusPoint>,
}

#[derive(Serialize, ToSchema)]
struct FaceBox {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// In fractions of the photo's sides.
#[derive(Serialize, ToSchema)]
struct FocusPoint {
    x: f64,
    y: f64,
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
    from: Option<ViewBox>,
    to: Option<ViewBox>,
}

/// A part of a photo that has the shape of the frame.
#[derive(Serialize, ToSchema)]
struct ViewBox {
    x: f64,
    y: f64,
    width: f64,
}

#[derive(Serialize, ToSchema)]
struct FoundProblem {
    /// Of the photo, if it is one.
    photo: Option<usize>,
    #[schema(value_type = String)]
    code: FailureCode,
    message: String,
}

/// Looks at everything that an order names, and renders nothing.
#[utoipa::path(
    post,
    path = "/api/videos/check",
    operation_id = "check_order",
    request_body = ref("#/components/schemas/Order"),
    responses(
        (status = 200, description = "What there would be", body = Check),
        CommonErrors<Problem>, BodyErrors<Problem>, OrderErrors<Problem>
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
        let problems = bad.chain(others).map(FoundProblem::from);
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
            focus: good.map(|photo| FocusPoint::from(photo.subject.point)),
        }
    }
}

impl From<SceneFacts> for SceneReport {
    fn from(facts: SceneFacts) -> Self {
        Self {
            photo: facts.scene,
            start: facts.start,
            duration: facts.seconds,
            fit: if facts.is_contained {
                "contain"
            } else {
                "cover"
            },
            motion: MotionReport {
                from: facts.from.map(ViewBox::from),
                to: facts.to.map(ViewBox::from),
            },
        }
    }
}

impl From<(Option<usize>, &Failure)> for FoundProblem {
    fn from((photo, failure): (Option<usize>, &Failure)) -> Self {
        Self {
            photo,
            code: failure.code,
            message: failure.message.clone(),
        }
    }
}

impl From<Point> for FocusPoint {
    fn from(Point { x, y }: Point) -> Self {
        Self { x, y }
    }
}

impl From<View> for ViewBox {
    fn from(View { x, y, width }: View) -> Self {
        Self { x, y, width }
    }
}
