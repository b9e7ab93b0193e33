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
    use super::*;

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
