//! Webhooks in the outbox: written, listed, claimed and delivered.

use std::time::Duration;

use crate::job::{JobId, Timestamp};

/// A webhook for the outbox.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub url: String,
    pub body: Vec<u8>,
    /// The wait before it is sent.
    pub delay: Duration,
}

impl NewWebhook {
    /// The host, port and path that its URL leads to; the URL itself if it has none.
    pub fn receiver(&self) -> String {
        let parsed = url::Url::parse(&self.url).ok();
        let receiver = parsed.map(|url| format!("{}{}", url.authority(), url.path()));
        receiver.unwrap_or_else(|| self.url.clone())
    }
}

/// How long a webhook counts as new.
pub const NEW: Duration = Duration::from_secs(5);

/// Which webhooks are to be claimed.
#[derive(Clone, Copy, Debug)]
pub struct WebhookClaim<'a> {
    pub limit: u32,
    /// Of each receiver, those that are claimed already included: one with many cannot crowd out the others.
    pub per_receiver: u32,
    /// The same of each host, among the receivers that the claim is for.
    pub per_host: u32,
    pub to: Receivers<'a>,
}

/// Receivers, as [`NewWebhook::receiver`] names them.
#[derive(Clone, Copy, Debug)]
pub enum Receivers<'a> {
    /// In this order.
    Only(&'a [String]),
    AllBut(&'a [String]),
    /// The same, but only webhooks that were never sent, and have been due for less than [`NEW`]: the newest first.
    NewBut(&'a [String]),
}

/// What becomes of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookState {
    Pending,
    Delivered,
    GivenUp,
}

impl WebhookState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::GivenUp];

    /// As it is stored, and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Which webhooks are listed.
#[derive(Clone, Debug, Default)]
pub struct WebhookQuery {
    pub state: Option<WebhookState>,
    pub id: Option<String>,
    /// Webhooks that were written before this one of an earlier page.
    pub before: Option<u64>,
    pub limit: u32,
}

/// A webhook in a list.
#[derive(Clone, Debug)]
pub struct ListedWebhook {
    pub id: String,
    pub url: String,
    pub state: WebhookState,
    pub attempts: u32,
    pub last_error: Option<String>,
    /// Of a pending one.
    pub next_at: Option<Timestamp>,
    /// Its number in the order in which they were written.
    pub seq: u64,
}

impl ListedWebhook {
    /// The job that it tells of.
    pub fn job(&self) -> Option<JobId> {
        job_of_webhook(&self.id)
    }
}

/// What is sent as `webhook-id`, of the webhook of a job's end.
pub fn webhook_id(job: JobId) -> String {
    format!("msg_{job}")
}

/// The same of one that is sent later.
pub fn later_webhook_id(job: JobId) -> String {
    format!("msg_{job}_{}", uuid::Uuid::new_v4().simple())
}

fn job_of_webhook(id: &str) -> Option<JobId> {
    let rest = id.strip_prefix("msg_")?;
    rest.split('_').next()?.parse().ok()
}

#[derive(Clone, Debug)]
pub struct ClaimedWebhooks {
    pub due: Vec<DueWebhook>,
    /// Until the next falls due that is not due yet.
    pub next_in: Option<Duration>,
}

/// A claimed webhook.
#[derive(Clone, Debug)]
pub struct DueWebhook {
    /// The same at every attempt.
    pub id: String,
    pub url: String,
    pub receiver: String,
    pub body: Vec<u8>,
    /// How many times it has been sent.
    pub attempt: u32,
}

/// The result of one attempt to deliver a webhook.
#[derive(Clone, Debug)]
pub enum Delivery {
    Delivered,
    /// After so long, for this reason.
    RetryIn(Duration, String),
    GivenUp(String),
}
