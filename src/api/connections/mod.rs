//! Connections: how many there are at once, what each is doing, and which is closed for a newcomer.
//!
//! ```text
//! stream (with bare_errors) ─ the bytes of one, and their deadlines
//! exchange ─ middleware: a request and its answer
//! place ─ what one is doing; descriptors ─ how many the system allows
//! ```

mod bare_errors;
mod descriptors;
mod exchange;
mod place;
mod stream;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use bare_errors::closing_answer;
pub use descriptors::for_connections;
pub use exchange::{exchange, give_way};
pub use place::Place;
pub use stream::{ClientStream, Timeouts};

use place::{Phase, Signal};

/// A client that takes nothing for so long may lose its place to a newcomer.
const STALLED_FOR: Duration = Duration::from_secs(3);

/// The bits of an IPv6 address that one client has as a rule: its network.
const NETWORK_BITS: u128 = u128::MAX << 64;

/// All connections; cheap to clone.
#[derive(Clone)]
pub struct Connections {
    open: Arc<Mutex<Open>>,
    max: usize,
    max_per_address: Option<usize>,
}

#[derive(Default)]
struct Open {
    next_id: u64,
    clients: HashMap<u64, Client>,
    /// Those that can be closed for a newcomer, the first one first. Stalled ones only after a while.
    closable: BTreeSet<(Phase, Instant, u64)>,
    by_address: HashMap<IpAddr, usize>,
    /// Nobody is waited for any more.
    is_closing: bool,
}

struct Client {
    address: Option<IpAddr>,
    phase: Phase,
    since: Instant,
    signal: Arc<Signal>,
}

impl Connections {
    pub fn new(max: usize, max_per_address: Option<usize>) -> Self {
        Self {
            open: Arc::default(),
            max,
            max_per_address,
        }
    }

    /// A place for a new connection, if need be that of another. `None`: all of them are busy, or too many
    /// are from this address. `address`: the client's, if it is known.
    pub fn take(&self, address: Option<IpAddr>) -> Option<Place> {
        let mut open = self.lock();
        let address = address.map(client_of);
        if let (Some(address), Some(max)) = (address, self.max_per_address)
            && open
                .by_address
                .get(&address)
                .is_some_and(|count| *count >= max)
        {
            return None;
        }
        if open.clients.len() >= self.max && !open.close_one() {
            return None;
        }
        let signal = Arc::new(Signal::default());
        let id = open.add(address, signal.clone());
        Some(Place::new(self.clone(), id, signal))
    }

    /// Closes the connections without a request, from now on.
    pub fn close_idle(&self) {
        let mut open = self.lock();
        open.is_closing = true;
        let idle = open.clients.values().filter(|it| it.is_idle());
        idle.for_each(|client| client.signal.close());
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // What is done under the lock cannot panic half way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn add(&mut self, address: Option<IpAddr>, signal: Arc<Signal>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        if let Some(address) = address {
            *self.by_address.entry(address).or_default() += 1;
        }
        let client = Client {
            address,
            phase: Phase::FIRST,
            since: Instant::now(),
            signal,
        };
        self.closable.extend(client.rank(id));
        self.clients.insert(id, client);
        id
    }

    /// `false`: another has the place.
    fn set(&mut self, id: u64, phase: Phase, since: Instant) -> bool {
        let Some(client) = self.clients.get_mut(&id) else {
            return false;
        };
        if let Some(rank) = client.rank(id) {
            self.closable.remove(&rank);
        }
        client.phase = phase;
        client.since = since;
        if self.is_closing && client.is_idle() {
            client.signal.close();
        }
        self.closable.extend(client.rank(id));
        true
    }

    fn remove(&mut self, id: u64) -> Option<Client> {
        let client = self.clients.remove(&id)?;
        if let Some(rank) = client.rank(id) {
            self.closable.remove(&rank);
        }
        if let Some(address) = client.address
            && let Some(count) = self.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
        Some(client)
    }

    /// Closes the connection that is worth its place the least; false if all are worth it.
    fn close_one(&mut self) -> bool {
        let Some((phase, since, id)) = self.closable.first().copied() else {
            return false;
        };
        if phase == Phase::Stalled && since.elapsed() < STALLED_FOR {
            return false;
        }
        if let Some(client) = self.remove(id) {
            client.signal.close();
        }
        true
    }
}

impl Client {
    fn is_idle(&self) -> bool {
        self.phase == Phase::Waiting { has_begun: false }
    }

    /// Its rank among those that can be closed.
    fn rank(&self, id: u64) -> Option<(Phase, Instant, u64)> {
        (self.phase != Phase::Busy).then_some((self.phase, self.since, id))
    }
}

/// Who an address stands for: itself, or the network of an IPv6 address, all of which one client can use.
pub fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & NETWORK_BITS).into()),
        address => address,
    }
}
