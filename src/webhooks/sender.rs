//! The sender: claims due webhooks and posts them, for as long as the service runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use log::{error, info, warn};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::receivers::{Kind, Outcome, Receivers};
use super::schedule::Schedule;
use super::{Secret, Settings};
use crate::errors::chain;
use crate::job::Timestamp;
use crate::jobs::Backend;
use crate::jobs::backend::{Delivery, DueWebhook, JobEvent, WebhookClaim};
use crate::metrics::metrics;
use crate::net::{Net, Reply, SendError};

/// The part of the time that claims may take when many webhooks are pending, and the longest pause for it.
const CLAIM_SHARE: u32 = 5;
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Between claims for receivers that are not known to be prompt: they cost more, the more of them there are.
const PATIENT_INTERVAL: Duration = Duration::from_millis(500);
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

/// What is in flight: it is posted first, and recorded then.
struct Deliveries {
    sender: Arc<WebhookSender>,
    posts: JoinSet<Posted>,
    records: JoinSet<String>,
    receivers: Receivers,
    /// When receivers that are not known to be prompt have their next turn.
    next_turn: Instant,
}

/// A webhook that was posted.
struct Posted {
    webhook: DueWebhook,
    delivery: Delivery,
    outcome: Outcome,
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

    /// Sends what is due, until `closing` is cancelled; then what is due at that moment to receivers that are prompt, and
    /// what is new, and ends once all of it is delivered or to be retried.
    pub async fn run(self, closing: CancellationToken) {
        let mut events = self.backend.events();
        let mut deliveries = Deliveries {
            sender: Arc::new(self),
            posts: JoinSet::new(),
            records: JoinSet::new(),
            receivers: Receivers::default(),
            next_turn: Instant::now(),
        };
        let mut next_claim = Instant::now();
        let mut earliest = next_claim;
        while !closing.is_cancelled() {
            if next_claim.max(earliest) <= Instant::now() {
                let began = Instant::now();
                let sleep = deliveries.start_due().await;
                let pause = began.elapsed() * (CLAIM_SHARE - 1);
                earliest = Instant::now() + pause.min(MAX_PAUSE);
                next_claim = Instant::now() + sleep;
            }
            tokio::select! {
                () = closing.cancelled() => {}
                event = events.recv() => match event {
                    Ok(JobEvent::Finished(_) | JobEvent::CancelRequested(_)) => {}
                    _ => next_claim = Instant::now(),
                },
                () = tokio::time::sleep_until(next_claim.max(earliest)) => {}
                Some(posted) = deliveries.posts.join_next() => {
                    deliveries.record(posted);
                    // Others may have been held back.
                    next_claim = Instant::now();
                }
                Some(recorded) = deliveries.records.join_next() => deliveries.forget(recorded),
            }
        }
        // The others wait for the next start.
        deliveries.next_turn = Instant::now() + MAX_SLEEP;
        deliveries.start_due().await;
        while let Some(posted) = deliveries.posts.join_next().await {
            deliveries.record(posted);
        }
        while deliveries.records.join_next().await.is_some() {}
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

    /// One attempt.
    async fn deliver(&self, webhook: DueWebhook) -> Posted {
        let began = Instant::now();
        let posted = AssertUnwindSafe(self.post(&webhook)).catch_unwind().await;
        let outcome = Outcome {
            answered: matches!(posted, Ok(Ok(_))),
            took: began.elapsed(),
        };
        let delivery = match posted {
            Ok(answer) => self.schedule.delivery(webhook.attempt, answer),
            // The hook for panics has logged it.
            Err(_) => {
                let why = "its delivery failed".into();
                self.schedule.retry(webhook.attempt, why, None)
            }
        };
        note(&webhook.id, &delivery);
        Posted {
            webhook,
            delivery,
            outcome,
        }
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
    async fn record(&self, webhook: DueWebhook, delivery: &Delivery) -> String {
        let DueWebhook { id, attempt, .. } = webhook;
        while let Err(error) = self.backend.record_delivery(&id, attempt, delivery).await {
            error!(
                "the delivery of webhook {id} could not be recorded: {}",
                chain(&error)
            );
            tokio::time::sleep(RECORD_AGAIN).await;
        }
        id
    }
}

impl Deliveries {
    /// Claims what is due and begins to post it. Tells how long to sleep until the next is due.
    async fn start_due(&mut self) -> Duration {
        let mut sleep = MAX_SLEEP;
        let now = Instant::now();
        let is_turn = self.next_turn <= now;
        if is_turn {
            self.next_turn = now + PATIENT_INTERVAL;
        }
        for share in self.receivers.shares() {
            if !is_turn && matches!(share.kind, Kind::Unknown | Kind::Slow) {
                sleep = sleep.min(self.next_turn - now);
                continue;
            }
            let (due, next) = self.sender.claim(share.claim()).await;
            sleep = sleep.min(next);
            due.into_iter()
                .for_each(|webhook| self.start(webhook, share.kind));
        }
        let next_slow = self.receivers.next_slow_at();
        let next_slow = next_slow.map(|at| at.saturating_duration_since(Instant::now()));
        sleep.min(next_slow.unwrap_or(MAX_SLEEP))
    }

    fn start(&mut self, webhook: DueWebhook, kind: Kind) {
        if self.receivers.begin(&webhook.id, &webhook.receiver, kind) {
            let sender = self.sender.clone();
            self.posts
                .spawn(async move { sender.deliver(webhook).await });
        }
    }

    fn record(&mut self, posted: Result<Posted, JoinError>) {
        // Err: never, as its panics are caught.
        if let Ok(posted) = posted {
            let Posted {
                webhook,
                delivery,
                outcome,
            } = posted;
            self.receivers.sent(&webhook.id, outcome);
            let sender = self.sender.clone();
            self.records
                .spawn(async move { sender.record(webhook, &delivery).await });
        }
    }

    fn forget(&mut self, recorded: Result<String, JoinError>) {
        // Err: recording it has panicked. It stays in flight until the next start.
        if let Ok(id) = recorded {
            self.receivers.forget(&id);
        }
    }
}

/// Counts an attempt, and logs it.
fn note(id: &str, delivery: &Delivery) {
    let result = match delivery {
        Delivery::Delivered => "delivered",
        Delivery::RetryIn(..) => "retry",
        Delivery::GivenUp(_) => "given_up",
    };
    metrics()
        .webhook_attempts
        .with_label_values(&[result])
        .inc();
    match delivery {
        Delivery::Delivered => info!("webhook {id} was delivered"),
        Delivery::RetryIn(_, why) => info!("webhook {id} will be tried again: {why}"),
        Delivery::GivenUp(why) => warn!("webhook {id} is given up: {why}"),
    }
}
