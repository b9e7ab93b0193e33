//! Webhooks of all dialects: a page of them, and one that is sent again.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use super::page::{List, ListQuery, Page};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::{CommonErrors, DeletedErrors, ItemErrors};
use crate::api::timestamp::rfc3339;
use crate::job::JobId;
use crate::jobs::{ListedWebhook, WebhookQuery, WebhookState};

#[derive(Serialize, ToSchema)]
struct WebhookObject {
    id: String,
    #[schema(value_type = Option<String>)]
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

/// Lists webhooks of all dialects, newest first.
#[utoipa::path(
    get,
    path = "/api/webhooks",
    params(ListQuery),
    operation_id = "list_webhooks",
    responses((status = 200, body = List<WebhookObject>), CommonErrors<Problem>),
)]
pub async fn list(
    query: Result<Query<ListQuery>, actix_web::Error>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let names = WebhookState::ALL.map(WebhookState::name);
    let page = Page::read(query, WebhookState::named, &names)?;
    let query = WebhookQuery {
        state: page.state,
        before: page.before,
        limit: page.sought(),
        ..WebhookQuery::default()
    };
    let found = service.jobs.webhooks(&query).await?;
    let found = found
        .iter()
        .map(|webhook| (webhook.seq, WebhookObject::from(webhook)));
    Ok(HttpResponse::Ok().json(List::new(found.collect(), page.limit)))
}

/// Sends a new webhook about the same video, with addresses of today.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/resend",
    operation_id = "resend_webhook",
    params(("id" = String, Path)),
    responses((status = 202, body = WebhookObject), CommonErrors<Problem>, ItemErrors<Problem>, DeletedErrors<Problem>),
)]
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
    if !id.chars().all(|c| c.is_ascii_graphic()) {
        return Err(ApiError::NotFound("webhook"));
    }
    let query = WebhookQuery {
        id: Some(id),
        limit: 1,
        ..WebhookQuery::default()
    };
    let found = service.jobs.webhooks(&query).await?.pop();
    found.ok_or(ApiError::NotFound("webhook"))
}
