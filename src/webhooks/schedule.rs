//! When a webhook is tried again, and when it is given up.

use std::time::Duration;

use uuid::Uuid;

use super::Settings;
use crate::errors::chain;
use crate::jobs::backend::Delivery;
use crate::net::{Reply, SendError};

/// The longest wait that a receiver may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Of a wait.
const SCATTER: f64 = 0.2;

/// How long a webhook is retried at most, if its receiver does not ask for more.
pub fn lifetime(settings: &Settings) -> Duration {
    let waits: Duration = settings.retries.iter().sum();
    waits.mul_f64(1.0 + SCATTER)
}

pub struct Schedule {
    /// The wait before each attempt.
    waits: Vec<Duration>,
}

impl Schedule {
    pub fn new(waits: Vec<Duration>) -> Self {
        Self { waits }
    }

    /// What follows from the answer to an attempt, of which there were `before` others: 2xx is success,
    /// 410 ends it, anything else is retried.
    pub fn delivery(&self, before: u32, answer: Result<Reply, SendError>) -> Delivery {
        match answer {
            Ok(reply) if (200..300).contains(&reply.status) => Delivery::Delivered,
            Ok(reply) if reply.status == 410 => {
                Delivery::GivenUp("the receiver answered 410".into())
            }
            Ok(reply) => {
                let why = format!("the receiver answered {}", reply.status);
                self.retry(before, why, reply.retry_after)
            }
            Err(error) => self.retry(before, format!("the receiver {}", chain(&error)), None),
        }
    }

    /// Another attempt, if there is one left.
    pub fn retry(&self, before: u32, why: String, retry_after: Option<Duration>) -> Delivery {
        let Some(wait) = self.waits.get(before as usize + 1) else {
            return Delivery::GivenUp(why);
        };
        let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        let wait = asked.max(scattered(*wait));
        Delivery::RetryIn(wait, why)
    }
}

/// Up to a fifth shorter or longer: what failed together is not tried again together.
fn scattered(wait: Duration) -> Duration {
    let random = f64::from(Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX);
    wait.mul_f64(1.0 - SCATTER + 2.0 * SCATTER * random)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_webhook_is_delivered_given_up_or_tried_as_often_as_there_are_waits(
            waits in vec(0_u64..100_000, 1..12),
            before in 0_u32..20,
            status in 100_u16..600,
            asked in option::of(0_u64..1_000_000),
        ) {
            let waits: Vec<Duration> = waits.into_iter().map(Duration::from_secs).collect();
            let schedule = Schedule::new(waits.clone());
            let retry_after = asked.map(Duration::from_secs);
            let next = waits.get(before as usize + 1);
            match schedule.delivery(before, Ok(Reply { status, retry_after })) {
                Delivery::Delivered => prop_assert!((200..300).contains(&status)),
                Delivery::GivenUp(_) => prop_assert!(status == 410 || next.is_none()),
                Delivery::RetryIn(wait, _) => {
                    prop_assert!(!(200..300).contains(&status) && status != 410);
                    let planned = next.expect("a wait for each retry");
                    let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
                    prop_assert!(wait >= asked && wait >= planned.mul_f64(1.0 - SCATTER));
                    prop_assert!(wait <= asked.max(planned.mul_f64(1.0 + SCATTER)));
                }
            }
        }
    }

    #[test]
    fn waits_are_scattered_around_the_schedule() {
        let waits: Vec<f64> = (0..200)
            .map(|_| scattered(Duration::from_secs(100)).as_secs_f64())
            .collect();
        assert!(waits.iter().all(|wait| (80.0..=120.0).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 90.0) && waits.iter().any(|wait| *wait > 110.0));
        assert_eq!(scattered(Duration::ZERO), Duration::ZERO);
    }
}
