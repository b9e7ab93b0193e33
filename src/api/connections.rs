//! How many connections there are at once, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections; cheap to clone.
#[derive(Clone)]
pub struct Connections {
    open: Arc<Mutex<Open>>,
    max: usize,
    max_per_address: Option<usize>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one connection; free again when this is dropped.
pub struct Place {
    connections: Connections,
    address: Option<IpAddr>,
}

impl Connections {
    pub fn new(max: usize, max_per_address: Option<usize>) -> Self {
        Self {
            open: Arc::default(),
            max,
            max_per_address,
        }
    }

    /// `None`: there are too many. `address`: the client's, if it is known.
    pub fn take(&self, address: Option<IpAddr>) -> Option<Place> {
        let mut open = self.lock();
        if open.all >= self.max {
            return None;
        }
        let address = address.filter(|_| self.max_per_address.is_some());
        if let (Some(address), Some(max)) = (address, self.max_per_address) {
            let count = open.by_address.entry(address).or_default();
            if *count >= max {
                return None;
            }
            *count += 1;
        }
        open.all += 1;
        Some(Place {
            connections: self.clone(),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Two numbers are never left half changed for long.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.all -= 1;
        let Some(address) = self.address else {
            return;
        };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}
