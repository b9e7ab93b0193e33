//! Requests with a wrong key: slowed if one address sends many, and logged once a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::warn;

/// The time over which they are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// How many of an address are answered at once.
const FREE: u32 = 10;

/// How long the others wait for their answer.
const DELAY: Duration = Duration::from_secs(1);

/// Addresses that are counted apart. The rest are counted together.
const MAX_ADDRESSES: usize = 10_000;

#[derive(Default)]
pub struct WrongKeys(Mutex<Counts>);

struct Counts {
    since: Instant,
    all: u32,
    by_address: HashMap<Option<IpAddr>, u32>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            all: 0,
            by_address: HashMap::new(),
        }
    }
}

impl WrongKeys {
    /// Counts a request, and tells how long its answer should wait.
    pub fn count(&self, address: Option<IpAddr>) -> Duration {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.since.elapsed() > WINDOW {
            counts.begin_again();
        }
        if counts.all == 0 {
            warn!("a request without the API key, or with a wrong one; more are told in a minute");
        }
        counts.all += 1;
        let known =
            counts.by_address.len() < MAX_ADDRESSES || counts.by_address.contains_key(&address);
        let count = counts
            .by_address
            .entry(address.filter(|_| known))
            .or_default();
        *count = count.saturating_add(1);
        if *count > FREE { DELAY } else { Duration::ZERO }
    }
}

impl Counts {
    fn begin_again(&mut self) {
        if self.all > 1 {
            let addresses = self.by_address.len();
            warn!(
                "{} requests without the API key, or with a wrong one, from {addresses} addresses",
                self.all
            );
        }
        *self = Self::default();
    }
}
