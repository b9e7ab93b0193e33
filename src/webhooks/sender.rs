//! The sender: claims due webhooks and posts them, for as long as the service runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use log::{error, info, warn};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::Instant;

use super::schedule::Schedule;
use super::{Secret, Settings};
use crate::errors::chain;
use crate::job::Timestamp;
use crate::jobs::Backend;
use crate::jobs::backend::{Delivery, DueWebhook, JobEvent};
use crate::net::{Net, Reply, SendError};

/// Concurrent deliveries, in all and to one host: a slow receiver delays nobody else.
const MAX_CONCURRENT: u32 = 256;
const MAX_CONCURRENT_PER_HOST: u32 = 8;
/// The longest sleep, so that a clock that was set or an outbox that failed is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(30);
/// Between attempts to record a delivery while the job store fails.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

pub struct WebhookSender {
    backend: Arc<dyn Backend>,
    net: Net,
    secret: Secret,
    schedule: Schedule,
    timeout: Duration,
}

impl WebhookSender {
    pub fn new(backend: Arc<dyn Backend>, net: Net, secret: Secret, settings: &Settings) -> Self {
        Self {
            backend,
            net,
            secret,
            schedule: Schedule::new(settings.retries.clone()),
            timeout: settings.timeout,
        }
    }

    /// Sends what is due, until it is aborted.
    pub async fn run(self) {
        let sender = Arc::new(self);
        let mut events = sender.backend.events();
        let mut deliveries = JoinSet::new();
        let mut under_way: HashMap<task::Id, (String, u32)> = HashMap::new();
        let mut next_claim = Instant::now();
        loop {
            if next_claim <= Instant::now() {
                let (due, sleep) = sender.claim().await;
                next_claim = Instant::now() + sleep;
                for webhook in due {
                    let (sender, key) = (sender.clone(), (webhook.id.clone(), webhook.attempt));
                    let task = deliveries.spawn(async move { sender.deliver(webhook).await });
                    under_way.insert(task.id(), key);
                }
            }
            tokio::select! {
                event = events.recv() => match event {
                    Ok(JobEvent::Finished(_) | JobEvent::CancelRequested(_)) => {}
                    _ => next_claim = Instant::now(),
                },
                () = tokio::time::sleep_until(next_claim) => {}
                Some(ended) = deliveries.join_next_with_id() => {
                    // Then others may have been held back.
                    if deliveries.len() + 1 >= MAX_CONCURRENT_PER_HOST as usize {
                        next_claim = Instant::now();
                    }
                    let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
                    let webhook = under_way.remove(&id);
                    let delivery = match (ended, webhook) {
                        (Ok((_, delivery)), _) => delivery,
                        (Err(panic), Some((id, before))) => {
                            error!("the delivery of webhook {id} panicked: {panic}");
                            let why = "its delivery failed".to_owned();
                            let delivery = sender.schedule.retry(before, why, None);
                            sender.record(&id, &delivery).await;
                            delivery
                        }
                        (Err(_), None) => continue,
                    };
                    if let Delivery::RetryAt(at, _) = delivery {
                        let wait = at.seconds_since(Timestamp::now());
                        next_claim = next_claim.min(Instant::now() + Duration::from_secs_f64(wait));
                    }
                }
            }
        }
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
                (Vec::new(), MAX_SLEEP)
            }
        }
    }

    /// One attempt, and the record of its result.
    async fn deliver(&self, webhook: DueWebhook) -> Delivery {
        let answer = self.post(&webhook).await;
        let delivery = self.schedule.delivery(webhook.attempt, answer);
        match &delivery {
            Delivery::Delivered => info!("webhook {} was delivered", webhook.id),
            Delivery::RetryAt(_, why) => info!("webhook {} will be tried again: {why}", webhook.id),
            Delivery::GivenUp(why) => warn!("webhook {} is given up: {why}", webhook.id),
        }
        self.record(&webhook.id, &delivery).await;
        delivery
    }

    async fn post(&self, webhook: &DueWebhook) -> Result<Reply, SendError> {
        let timestamp = Timestamp::now().0 / 1000;
        let signature = self.secret.sign(&webhook.id, timestamp, &webhook.body);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", webhook.id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ];
        let body = webhook.body.clone();
        self.net
            .post(&webhook.url, &headers, body, self.timeout)
            .await
    }

    /// Tries until it is recorded: else the webhook would never be claimed again.
    async fn record(&self, id: &str, delivery: &Delivery) {
        while let Err(error) = self.backend.record_delivery(id, delivery).await {
            error!(
                "the delivery of webhook {id} could not be recorded: {}",
                chain(&error)
            );
            tokio::time::sleep(RECORD_AGAIN).await;
        }
    }
}
