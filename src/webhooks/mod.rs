//! The outbox's postman: signs webhooks, sends them and tries again.
//!
//! Delivery is at least once, with the same id and the same bytes at every attempt, signed by
//! Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com>).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use log::{error, info, warn};
use sha2::Sha256;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};

use crate::errors::chain;
use crate::job::Timestamp;
use crate::jobs::{Delivery, DueWebhook, Store};
use crate::net::{Net, Reply, SendError};
use crate::setting::{Setting, duration, list, positive_duration, put};

/// Deliveries under way at once, in all and to one host: a slow receiver delays nobody else.
const MAX_UNDER_WAY: u32 = 256;
const MAX_UNDER_WAY_PER_HOST: u32 = 8;
/// The longest wait that a receiver may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// The longest sleep, so that a clock that was set or an outbox that failed is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct Settings {
    /// The wait before each attempt, of which there are as many.
    pub retries: Vec<Duration>,
    /// For one attempt.
    pub timeout: Duration,
    /// Signs every webhook. Made and kept in the data directory if not set.
    pub secret: Option<Secret>,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let seconds = [
            0,
            5,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ];
        Self {
            retries: seconds.map(Duration::from_secs).to_vec(),
            timeout: Duration::from_secs(15),
            secret: None,
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "webhooks.retries",
            env: Some("KINORA_WEBHOOK_RETRIES"),
            accepts: "the waits before each attempt with commas between them, such as 0s,5s,5m,2h",
            set: |s, text| {
                put(
                    &mut s.retries,
                    list(text, duration).filter(|waits| !waits.is_empty()),
                )
            },
        },
        Setting {
            key: "webhooks.timeout",
            env: None,
            accepts: "a time, such as 15s",
            set: |s, text| put(&mut s.timeout, positive_duration(text)),
        },
        Setting {
            key: "webhooks.secret",
            env: Some("KINORA_WEBHOOK_SECRET"),
            accepts: "whsec_ and 24 to 64 bytes in base64",
            set: |s, text| put(&mut s.secret, Secret::parse(text).map(Some)),
        },
    ];
}

/// A symmetric signing key.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    const PREFIX: &str = "whsec_";

    /// Reads the form of the standard: `whsec_` and the key in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let key = BASE64_STANDARD
            .decode(text.trim().strip_prefix(Self::PREFIX)?)
            .ok()?;
        let key = Some(key).filter(|key| (24..=64).contains(&key.len()))?;
        Hmac::new_from_slice(&key).ok().map(Self)
    }

    /// Writes the same form.
    pub fn format(key: &[u8]) -> String {
        format!("{}{}", Self::PREFIX, BASE64_STANDARD.encode(key))
    }

    /// The value of `webhook-signature` for a message.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Carries the outbox's webhooks until it is dropped.
pub struct Postman {
    store: Store,
    net: Net,
    secret: Secret,
    retries: Vec<Duration>,
    timeout: Duration,
    written: Arc<Notify>,
}

impl Postman {
    /// `written` tells that there is new mail.
    pub fn new(
        store: Store,
        net: Net,
        secret: Secret,
        settings: &Settings,
        written: Arc<Notify>,
    ) -> Self {
        let Settings {
            retries, timeout, ..
        } = settings.clone();
        Self {
            store,
            net,
            secret,
            retries,
            timeout,
            written,
        }
    }

    /// Sends what is due, for as long as the service runs.
    pub async fn run(self) {
        let postman = Arc::new(self);
        let mut rounds = JoinSet::new();
        // Task → webhook.
        let mut under_way: HashMap<task::Id, String> = HashMap::new();
        loop {
            // One moment for both questions: what falls due in between would be asked for by none.
            let now = Timestamp::now();
            for webhook in postman.due(now).await {
                if !under_way.values().any(|id| *id == webhook.id) {
                    let (postman, id) = (postman.clone(), webhook.id.clone());
                    let task = rounds.spawn(async move { postman.deliver(webhook).await });
                    under_way.insert(task.id(), id);
                }
            }
            let sleep = postman.until_next(now).await;
            tokio::select! {
                () = postman.written.notified() => {}
                () = tokio::time::sleep(sleep) => {}
                Some(round) = rounds.join_next_with_id() => {
                    let task = match round {
                        Ok((task, ())) => task,
                        Err(panic) => {
                            error!("a webhook's delivery panicked: {panic}");
                            panic.id()
                        }
                    };
                    under_way.remove(&task);
                }
            }
        }
    }

    /// All that should be under way now, what is under way already included.
    async fn due(&self, now: Timestamp) -> Vec<DueWebhook> {
        let due = self
            .store
            .due_webhooks(now, MAX_UNDER_WAY_PER_HOST, MAX_UNDER_WAY);
        due.await.unwrap_or_else(|error| {
            error!("the outbox could not be read: {}", chain(&error));
            Vec::new()
        })
    }

    async fn until_next(&self, now: Timestamp) -> Duration {
        match self.store.next_webhook_at(now).await {
            Ok(Some(next)) => Duration::from_secs_f64(next.seconds_since(now)).min(MAX_SLEEP),
            Ok(None) | Err(_) => MAX_SLEEP,
        }
    }

    /// One attempt, and its record.
    async fn deliver(&self, webhook: DueWebhook) {
        let answer = self.post(&webhook).await;
        let delivery = self.judge(&webhook, answer);
        match &delivery {
            Delivery::Delivered => info!("webhook {} was delivered", webhook.id),
            Delivery::RetryAt(_, why) => info!("webhook {} will be tried again: {why}", webhook.id),
            Delivery::GivenUp(why) => warn!("webhook {} is given up: {why}", webhook.id),
        }
        while let Err(error) = self.store.record_delivery(&webhook.id, &delivery).await {
            // Not recorded, it would be sent again at once.
            error!(
                "the delivery of webhook {} could not be recorded: {}",
                webhook.id,
                chain(&error)
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
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
        self.net
            .post(&webhook.url, &headers, webhook.body.clone(), self.timeout)
            .await
    }

    /// What an answer means: 2xx is success, 410 the end, all else another try.
    fn judge(&self, webhook: &DueWebhook, answer: Result<Reply, SendError>) -> Delivery {
        let (why, retry_after) = match answer {
            Ok(reply) if (200..300).contains(&reply.status) => return Delivery::Delivered,
            Ok(reply) if reply.status == 410 => {
                return Delivery::GivenUp("the receiver answered 410".into());
            }
            Ok(reply) => (
                format!("the receiver answered {}", reply.status),
                reply.retry_after,
            ),
            Err(error) => (format!("the receiver {}", chain(&error)), None),
        };
        let Some(wait) = self.retries.get(webhook.attempt as usize + 1) else {
            return Delivery::GivenUp(why);
        };
        let wait = retry_after
            .unwrap_or_default()
            .min(MAX_RETRY_AFTER)
            .max(*wait);
        Delivery::RetryAt(Timestamp::now().after(wait), why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn signs_as_the_standard_says() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn refuses_a_secret_of_another_form() {
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2hvcnQ=",
            "whsec_!!!",
        ] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }
}
