//! Requests without the key: logged once a minute, and slowed if one address tries many keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::warn;

use super::connections::client_of;

/// The time over which they are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// How many wrong keys of an address are answered at once.
const FREE: u32 = 10;

/// How much longer each further one waits for its answer, up to the longest.
const DELAY_STEP: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(1);

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
    /// Counts a request with a wrong key, or with none, and tells how long its answer should wait.
    pub fn count(&self, address: Option<IpAddr>, is_wrong: bool) -> Duration {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.since.elapsed() > WINDOW {
            counts.begin_again();
        }
        if counts.all == 0 {
            warn!("a request without the API key, or with a wrong one; more are told in a minute");
        }
        counts.all += 1;
        if !is_wrong {
            return Duration::ZERO;
        }
        let address = address.map(client_of);
        let known =
            counts.by_address.len() < MAX_ADDRESSES || counts.by_address.contains_key(&address);
        let count = counts
            .by_address
            .entry(address.filter(|_| known))
            .or_default();
        *count = count.saturating_add(1);
        MAX_DELAY.min(DELAY_STEP.saturating_mul(count.saturating_sub(FREE)))
    }
}

impl Counts {
    fn begin_again(&mut self) {
        if self.all > 1 {
            let keys: u32 = self.by_address.values().sum();
            warn!(
                "{} requests without the API key, {keys} of them with a wrong one from {} addresses",
                self.all,
                self.by_address.len()
            );
        }
        *self = Self::default();
    }
}
