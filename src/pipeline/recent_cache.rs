//! Things that were asked for lately, and may be asked for again soon.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Things at most.
const MOST: usize = 32;

/// Cheap to clone.
#[derive(Clone)]
pub struct RecentCache<T> {
    things: Arc<Mutex<HashMap<String, (Instant, T)>>>,
    lifetime: Duration,
}

impl<T: Clone> RecentCache<T> {
    /// `lifetime`: of a thing, whether it is asked for or not.
    pub fn new(lifetime: Duration) -> Self {
        Self {
            things: Arc::default(),
            lifetime,
        }
    }

    pub fn get(&self, key: &str) -> Option<T> {
        let things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept_at, thing) = things.get(key)?;
        (kept_at.elapsed() < self.lifetime).then(|| thing.clone())
    }

    pub fn put(&self, key: String, thing: T) {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        things.retain(|_, (kept_at, _)| kept_at.elapsed() < self.lifetime);
        if things.len() >= MOST {
            let oldest = things.iter().min_by_key(|(_, (kept_at, _))| *kept_at);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                things.remove(&key);
            }
        }
        things.insert(key, (Instant::now(), thing));
    }
}
