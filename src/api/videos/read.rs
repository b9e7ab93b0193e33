//! Videos are looked at: one, or a page of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};

use super::page::{List, ListQuery, Page};
use super::video::VideoObject;
use super::{Problem, find};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::{CommonErrors, DeletedErrors, ItemErrors};
use crate::job::PublicState;
use crate::jobs::JobQuery;

/// Tells of one video.
#[utoipa::path(
    get,
    path = "/api/videos/{id}",
    operation_id = "video",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = VideoObject), CommonErrors<Problem>, ItemErrors<Problem>, DeletedErrors<Problem>),
)]
pub async fn video(id: Path<String>, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let status = find(&service, &id).await?;
    Ok(HttpResponse::Ok().json(VideoObject::of(&status, &service).await))
}

/// Lists videos of all dialects, newest first.
#[utoipa::path(
    get,
    path = "/api/videos",
    operation_id = "list_videos",
    params(ListQuery),
    responses((status = 200, body = List<VideoObject>), CommonErrors<Problem>),
)]
pub async fn list(
    query: Result<Query<ListQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let names = PublicState::ALL.map(PublicState::name);
    let page = Page::read(query, PublicState::named, &names)?;
    let query = JobQuery {
        state: page.state,
        before: page.before,
        limit: page.sought(),
    };
    let mut found = Vec::new();
    for job in service.jobs.list(&query).await? {
        found.push((job.seq, VideoObject::of(&job.status, &service).await));
    }
    Ok(HttpResponse::Ok().json(List::new(found, page.limit)))
}
