//! Webhooks of all dialects: a page of them, and one that is sent again.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::page::{self, Page};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::timestamp::rfc3339;
use crate::job::JobId;
use crate::jobs::{ListedWebhook, WebhookQuery, WebhookState};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    state: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct WebhookObject {
    id: String,
    video_id: Option<JobId>,
    url: String,
    state: &'static str,
    attempts: u32,
    last_error: Option<String>,
    next_at: Option<String>,
}

impl From<&ListedWebhook> for WebhookObject {
    fn from(webhook: &ListedWebhook) -> Self {
        Self {
            id: webhook.id.clone(),
            video_id: webhook.job(),
            url: webhook.url.clone(),
            state: webhook.state.name(),
            attempts: webhook.attempts,
            last_error: webhook.last_error.clone(),
            next_at: webhook.next_at.map(rfc3339),
        }
    }
}

pub async fn list(
    query: Result<Query<ListQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let query = query
        .map_err(|error| ApiError::invalid("", error.to_string()))?
        .0;
    let names = WebhookState::ALL.map(WebhookState::name);
    let state = page::choice("/state", query.state, WebhookState::named, &names)?;
    let Page { before, limit } = Page::read(query.limit, query.cursor)?;
    let query = WebhookQuery {
        state,
        before,
        // One more, which shows that there is a next page.
        limit: limit + 1,
        ..WebhookQuery::default()
    };
    let webhooks = service.jobs.webhooks(&query).await?;
    let (shown, next_cursor) = page::cut(&webhooks, limit, |webhook| webhook.seq);
    let items: Vec<WebhookObject> = shown.iter().map(WebhookObject::from).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next_cursor": next_cursor })))
}

/// A new webhook about the same job, with addresses of today.
pub async fn resend(id: Path<String>, service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let webhook = find(&service, id.into_inner()).await?;
    let job = match webhook.job() {
        Some(job) => service.jobs.job(job).await?,
        None => None,
    };
    let job = job.ok_or(ApiError::NotFound("video"))?;
    let urls = match job.deleted_at {
        Some(_) => return Err(ApiError::Deleted),
        None => service.urls(&job).await,
    };
    let sent = service.jobs.tell_again(&job, &urls).await?;
    let sent = find(&service, sent.ok_or(ApiError::NotFound("webhook"))?).await?;
    Ok(HttpResponse::Accepted().json(WebhookObject::from(&sent)))
}

async fn find(service: &Service, id: String) -> Result<ListedWebhook, ApiError> {
    let query = WebhookQuery {
        id: Some(id),
        limit: 1,
        ..WebhookQuery::default()
    };
    let found = service.jobs.webhooks(&query).await?.pop();
    found.ok_or(ApiError::NotFound("webhook"))
}
