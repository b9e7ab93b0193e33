//! The sender: claims due webhooks and posts them, for as long as the service runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use log::{error, info, warn};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::receivers::Receivers;
use super::schedule::Schedule;
use super::{Secret, Settings};
use crate::errors::chain;
use crate::job::Timestamp;
use crate::jobs::Backend;
use crate::jobs::backend::{Delivery, DueWebhook, JobEvent, WebhookClaim};
use crate::metrics::metrics;
use crate::net::{Net, Reply, SendError};

/// The part of the time that claims may take when many webhooks are pending.
const CLAIM_SHARE: u32 = 5;
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
    tasks: JoinSet<(String, bool)>,
    receivers: Receivers,
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
            receivers: Receivers::default(),
        };
        let mut next_claim = Instant::now();
        let mut earliest = next_claim;
        while !closing.is_cancelled() {
            if next_claim.max(earliest) <= Instant::now() {
                let began = Instant::now();
                let sleep = deliveries.start_due().await;
                earliest = Instant::now() + began.elapsed() * (CLAIM_SHARE - 1);
                next_claim = Instant::now() + sleep;
            }
            tokio::select! {
                () = closing.cancelled() => {}
                event = events.recv() => match event {
                    Ok(JobEvent::Finished(_) | JobEvent::CancelRequested(_)) => {}
                    _ => next_claim = Instant::now(),
                },
                () = tokio::time::sleep_until(next_claim.max(earliest)) => {}
                Some(ended) = deliveries.tasks.join_next() => {
                    deliveries.end(ended);
                    // Others may have been held back.
                    next_claim = Instant::now();
                }
            }
        }
        deliveries.start_due().await;
        while deliveries.tasks.join_next().await.is_some() {}
    }

    /// What is due, and how long to sleep until the next is.
    async fn claim(&self, claim: WebhookClaim<'_>) -> (Vec<DueWebhook>, Duration) {
        match self.backend.claim_webhooks(claim).await {
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

    /// One attempt, and the record of its result. Whether the receiver answered.
    async fn deliver(&self, webhook: &DueWebhook) -> bool {
        let DueWebhook { id, attempt, .. } = webhook;
        let posted = AssertUnwindSafe(self.post(webhook)).catch_unwind().await;
        let answered = matches!(posted, Ok(Ok(_)));
        let delivery = match posted {
            Ok(answer) => self.schedule.delivery(*attempt, answer),
            // The hook for panics has logged it.
            Err(_) => self
                .schedule
                .retry(*attempt, "its delivery failed".into(), None),
        };
        let result = match &delivery {
            Delivery::Delivered => "delivered",
            Delivery::RetryIn(..) => "retry",
            Delivery::GivenUp(_) => "given_up",
        };
        metrics()
            .webhook_attempts
            .with_label_values(&[result])
            .inc();
        match &delivery {
            Delivery::Delivered => info!("webhook {id} was delivered"),
            Delivery::RetryIn(_, why) => info!("webhook {id} will be tried again: {why}"),
            Delivery::GivenUp(why) => warn!("webhook {id} is given up: {why}"),
        }
        self.record(webhook, &delivery).await;
        answered
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
        let mut sleep = MAX_SLEEP;
        for share in self.receivers.shares() {
            let (due, next) = self.sender.claim(share.claim()).await;
            sleep = sleep.min(next);
            due.into_iter().for_each(|webhook| self.start(webhook));
        }
        let next_slow = self.receivers.next_slow_at();
        let next_slow = next_slow.map(|at| at.saturating_duration_since(Instant::now()));
        sleep.min(next_slow.unwrap_or(MAX_SLEEP))
    }

    fn start(&mut self, webhook: DueWebhook) {
        if self.receivers.begin(&webhook.id, &webhook.receiver) {
            let sender = self.sender.clone();
            self.tasks.spawn(async move {
                let answered = sender.deliver(&webhook).await;
                (webhook.id, answered)
            });
        }
    }

    fn end(&mut self, ended: Result<(String, bool), JoinError>) {
        match ended {
            Ok((id, answered)) => self.receivers.end(&id, answered),
            // Recording it has panicked: it is claimed again once its claim has lapsed.
            Err(_) => self.receivers.forget_in_flight(),
        }
    }
}
