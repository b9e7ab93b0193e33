//! The sender: claims due webhooks and posts them, for as long as the service runs.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use log::{error, info, warn};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::schedule::Schedule;
use super::{Secret, Settings};
use crate::errors::chain;
use crate::job::Timestamp;
use crate::jobs::Backend;
use crate::jobs::backend::{Delivery, DueWebhook, JobEvent};
use crate::metrics::metrics;
use crate::net::{Net, Reply, SendError};

/// Concurrent deliveries, in all and to one host: a slow receiver delays nobody else.
const MAX_CONCURRENT: u32 = 256;
const MAX_CONCURRENT_PER_HOST: u32 = 8;
/// The longest sleep, so that a clock that was set is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(30);
/// Between attempts to read the outbox while it fails.
const CLAIM_AGAIN: Duration = Duration::from_secs(3);
/// Between attempts to record a delivery while the job store fails.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

pub struct WebhookSender {
    backend: Arc<dyn Backend>,
    net: Net,
    /// The one of today first.
    secrets: Vec<Secret>,
    schedule: Schedule,
    timeout: Duration,
}

/// What is being posted.
struct Deliveries {
    sender: Arc<WebhookSender>,
    tasks: JoinSet<(String, Delivery)>,
    /// Of the webhooks: a claim that has lapsed meanwhile is no reason to send one twice.
    ids: HashSet<String>,
}

impl WebhookSender {
    pub fn new(backend: Arc<dyn Backend>, net: Net, secret: Secret, settings: &Settings) -> Self {
        Self {
            backend,
            net,
            secrets: std::iter::once(secret)
                .chain(settings.previous_secret.clone())
                .collect(),
            schedule: Schedule::new(settings.retries.clone()),
            timeout: settings.timeout,
        }
    }

    /// Sends what is due, until `closing` is cancelled; then what is due at that moment, and ends once all of it is
    /// delivered or to be retried.
    pub async fn run(self, closing: CancellationToken) {
        let mut events = self.backend.events();
        let mut deliveries = Deliveries {
            sender: Arc::new(self),
            tasks: JoinSet::new(),
            ids: HashSet::new(),
        };
        let mut next_claim = Instant::now();
        while !closing.is_cancelled() {
            if next_claim <= Instant::now() {
                next_claim = Instant::now() + deliveries.start_due().await;
            }
            tokio::select! {
                () = closing.cancelled() => {}
                event = events.recv() => match event {
                    Ok(JobEvent::Finished(_) | JobEvent::CancelRequested(_)) => {}
                    _ => next_claim = Instant::now(),
                },
                () = tokio::time::sleep_until(next_claim) => {}
                Some(ended) = deliveries.tasks.join_next() => {
                    next_claim = next_claim.min(Instant::now() + deliveries.next_after(ended));
                }
            }
        }
        deliveries.start_due().await;
        while deliveries.tasks.join_next().await.is_some() {}
    }

    /// What is due, and how long to sleep until the next is.
    async fn claim(&self) -> (Vec<DueWebhook>, Duration) {
        let claimed = self
            .backend
            .claim_webhooks(MAX_CONCURRENT_PER_HOST, MAX_CONCURRENT);
        match claimed.await {
            Ok(claimed) => (
                claimed.due,
                claimed.next_in.unwrap_or(MAX_SLEEP).min(MAX_SLEEP),
            ),
            Err(error) => {
                error!("the outbox could not be read: {}", chain(&error));
                (Vec::new(), CLAIM_AGAIN)
            }
        }
    }

    /// One attempt, and the record of its result.
    async fn deliver(&self, webhook: &DueWebhook) -> Delivery {
        let DueWebhook { id, attempt, .. } = webhook;
        let posted = AssertUnwindSafe(self.post(webhook)).catch_unwind().await;
        let delivery = match posted {
            Ok(answer) => self.schedule.delivery(*attempt, answer),
            // The hook for panics has logged it.
            Err(_) => self
                .schedule
                .retry(*attempt, "its delivery failed".into(), None),
        };
        let result = match &delivery {
            Delivery::Delivered => "delivered",
            Delivery::RetryAt(..) => "retry",
            Delivery::GivenUp(_) => "given_up",
        };
        metrics()
            .webhook_attempts
            .with_label_values(&[result])
            .inc();
        match &delivery {
            Delivery::Delivered => info!("webhook {id} was delivered"),
            Delivery::RetryAt(_, why) => info!("webhook {id} will be tried again: {why}"),
            Delivery::GivenUp(why) => warn!("webhook {id} is given up: {why}"),
        }
        self.record(webhook, &delivery).await;
        delivery
    }

    async fn post(&self, webhook: &DueWebhook) -> Result<Reply, SendError> {
        let timestamp = Timestamp::now().0 / 1000;
        let signatures = self.secrets.iter();
        let signatures = signatures.map(|it| it.sign(&webhook.id, timestamp, &webhook.body));
        let signatures: Vec<String> = signatures.collect();
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", webhook.id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signatures.join(" ")),
        ];
        let body = webhook.body.clone();
        self.net
            .post(&webhook.url, &headers, body, self.timeout)
            .await
    }

    /// Tries until it is recorded: else the webhook would never be claimed again.
    async fn record(&self, DueWebhook { id, attempt, .. }: &DueWebhook, delivery: &Delivery) {
        while let Err(error) = self.backend.record_delivery(id, *attempt, delivery).await {
            error!(
                "the delivery of webhook {id} could not be recorded: {}",
                chain(&error)
            );
            tokio::time::sleep(RECORD_AGAIN).await;
        }
    }
}

impl Deliveries {
    /// Claims what is due and begins to post it. Tells how long to sleep until the next is due.
    async fn start_due(&mut self) -> Duration {
        let (due, sleep) = self.sender.claim().await;
        for webhook in due {
            if self.ids.insert(webhook.id.clone()) {
                let sender = self.sender.clone();
                self.tasks.spawn(async move {
                    let delivery = sender.deliver(&webhook).await;
                    (webhook.id, delivery)
                });
            }
        }
        sleep
    }

    /// How long to sleep at most, after the end of a delivery.
    fn next_after(&mut self, ended: Result<(String, Delivery), JoinError>) -> Duration {
        // Others may have been held back.
        let was_full = self.tasks.len() + 1 >= MAX_CONCURRENT_PER_HOST as usize;
        match ended {
            Ok((id, delivery)) => {
                self.ids.remove(&id);
                match delivery {
                    _ if was_full => Duration::ZERO,
                    Delivery::RetryAt(at, _) => {
                        Duration::from_secs_f64(at.seconds_since(Timestamp::now()))
                    }
                    Delivery::Delivered | Delivery::GivenUp(_) => MAX_SLEEP,
                }
            }
            // Recording it has panicked: it is claimed again once its claim has lapsed.
            Err(_) => {
                self.ids.clear();
                MAX_SLEEP
            }
        }
    }
}
