//! Videos are looked at: one, or a page of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::find;
use super::page::{self, Page};
use super::video::VideoObject;
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::{CommonErrors, ItemErrors};
use crate::job::ToldState;
use crate::jobs::JobQuery;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    state: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of an earlier page.
    #[param(pattern = "^[0-9]{1,19}$")]
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct VideoPage {
    items: Vec<VideoObject>,
    next_cursor: Option<String>,
}

/// Tells of one video.
#[utoipa::path(
    get,
    path = "/api/videos/{id}",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = VideoObject), CommonErrors, ItemErrors),
)]
pub async fn video(id: Path<String>, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let status = find(&service, &id).await?;
    Ok(HttpResponse::Ok().json(VideoObject::of(&status, &service).await))
}

/// Lists videos of all dialects, newest first.
#[utoipa::path(
    get,
    path = "/api/videos",
    params(ListQuery),
    responses((status = 200, body = VideoPage), CommonErrors),
)]
pub async fn list(
    query: Result<Query<ListQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let query = query
        .map_err(|error| ApiError::invalid("", error.to_string()))?
        .0;
    let names = ToldState::ALL.map(ToldState::name);
    let state = page::choice("/state", query.state, ToldState::named, &names)?;
    let Page { before, limit } = Page::read(query.limit, query.cursor)?;
    let query = JobQuery {
        state,
        before,
        // One more, which shows that there is a next page.
        limit: limit + 1,
    };
    let jobs = service.jobs.list(&query).await?;
    let (shown, next_cursor) = page::cut(&jobs, limit, |job| job.seq);
    let mut items = Vec::with_capacity(shown.len());
    for job in shown {
        items.push(VideoObject::of(&job.status, &service).await);
    }
    Ok(HttpResponse::Ok().json(VideoPage { items, next_cursor }))
}
