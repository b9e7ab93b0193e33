//! Videos are looked at: one, or a page of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::find;
use super::page::{self, Page};
use super::video::VideoObject;
use crate::api::Service;
use crate::api::error::ApiError;
use crate::job::ToldState;
use crate::jobs::JobQuery;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    state: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

pub async fn video(id: Path<String>, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let status = find(&service, &id).await?;
    Ok(HttpResponse::Ok().json(VideoObject::of(&status, &service).await))
}

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
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next_cursor": next_cursor })))
}
