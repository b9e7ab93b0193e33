//! Videos are looked at: one, or a page of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::find;
use super::video::VideoObject;
use crate::api::Service;
use crate::api::error::ApiError;
use crate::job::ToldState;
use crate::jobs::JobQuery;

const USUAL_LIMIT: u32 = 20;
const MOST: u32 = 100;

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
    let query = query.map_err(|error| ApiError::invalid("", error.to_string()))?;
    let mut query = query.0.read()?;
    let limit = query.limit as usize;
    // One more, which shows that there is a next page.
    query.limit += 1;
    let listed = service.jobs.list(&query).await?;
    let has_more = listed.len() > limit;
    let next_cursor = listed[..listed.len().min(limit)].last();
    let next_cursor = next_cursor
        .filter(|_| has_more)
        .map(|last| last.seq.to_string());
    let mut items = Vec::with_capacity(limit);
    for job in listed.iter().take(limit) {
        items.push(VideoObject::of(&job.status, &service).await);
    }
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next_cursor": next_cursor })))
}

impl ListQuery {
    fn read(self) -> Result<JobQuery, ApiError> {
        let limit = self.limit.unwrap_or(USUAL_LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(ApiError::invalid(
                "/limit",
                format!("is not from 1 to {MOST}"),
            ));
        }
        let cursor = self.cursor.map(|cursor| cursor.parse());
        let cursor = cursor.transpose().map_err(|_| {
            ApiError::invalid("/cursor", "is not the next_cursor of an earlier page")
        })?;
        Ok(JobQuery {
            state: self.state.map(|name| state(&name)).transpose()?,
            before: cursor,
            limit,
        })
    }
}

fn state(name: &str) -> Result<ToldState, ApiError> {
    let named = ToldState::ALL
        .into_iter()
        .find(|state| state.name() == name);
    named.ok_or_else(|| {
        let names = ToldState::ALL.map(ToldState::name).join(", ");
        ApiError::invalid("/state", format!("is not one of {names}"))
    })
}
