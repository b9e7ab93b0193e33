//! The place of one connection, and what its client is doing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;
use std::time::Instant;

use futures_util::task::AtomicWaker;

use super::Connections;

/// Bytes that Actix is given ahead, apart from bodies that are waited for. It decodes all requests that they hold, and
/// keeps them while it answers one after the other.
pub const MAX_READ_AHEAD: usize = 2 << 10;

/// What a client is doing. The first ones lose their places to newcomers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its request is answered or refused, though it may go on sending it.
    Leaving,
    /// It may send a request, or (`has_begun`) is about to: it has just connected, or sends the head of one.
    Waiting { has_begun: bool },
    /// It is slow to take its answer.
    Stalled,
    /// It sends the body of a request, waits for the answer, or reads it.
    Busy,
}

impl Phase {
    /// Of a new connection: who has connected is about to send.
    pub const FIRST: Self = Self::Waiting { has_begun: true };
}

/// The place of one connection; free again when this is dropped.
pub struct Place {
    connections: Connections,
    id: u64,
    signal: Arc<Signal>,
    /// What follows once the answer is sent.
    next: Mutex<Option<Phase>>,
    /// Bytes that Actix was given and may not have looked at yet: more, once it is known that it has.
    read_ahead: AtomicUsize,
    /// Whether anything was read since the last request began, or its body ended.
    has_read: AtomicBool,
}

/// Tells a connection that another has its place.
#[derive(Default)]
pub struct Signal {
    is_closed: AtomicBool,
    waker: AtomicWaker,
}

impl Place {
    pub(super) fn new(connections: Connections, id: u64, signal: Arc<Signal>) -> Self {
        Self {
            connections,
            id,
            signal,
            next: Mutex::default(),
            read_ahead: AtomicUsize::new(0),
            has_read: AtomicBool::new(false),
        }
    }

    /// Sets the phase, and wakes the connection, whose deadline follows from it. `false`: another has the place.
    pub fn set(&self, phase: Phase) -> bool {
        self.set_since(phase, Instant::now())
    }

    pub fn set_since(&self, phase: Phase, since: Instant) -> bool {
        let is_held = self.connections.lock().set(self.id, phase, since);
        self.signal.waker.wake();
        is_held
    }

    /// A request is taken up. `false`: another has the place.
    pub fn begin_exchange(&self) -> bool {
        self.set_next(None);
        self.has_read.store(false, Ordering::Relaxed);
        self.set(Phase::Busy)
    }

    /// The whole answer is there to be sent.
    pub fn end_exchange(&self, next: Phase) {
        self.set_next(Some(next));
        self.signal.waker.wake();
    }

    /// All that was there to be sent is sent, and no further request had begun by then: Actix holds none. Tells the
    /// phase that follows.
    pub fn sent(&self) -> Option<Phase> {
        let mut next = self.set_next(None)?;
        if let Phase::Waiting { has_begun } = &mut next {
            // The beginning of a further request may be here already.
            *has_begun = self.has_read.load(Ordering::Relaxed);
        }
        self.more_may_come();
        self.set(next);
        Some(next)
    }

    fn set_next(&self, next: Option<Phase>) -> Option<Phase> {
        // Nothing can panic under the lock.
        let mut known = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut known, next)
    }

    /// Counts bytes that Actix is given.
    pub fn has_read(&self, bytes: usize) {
        self.read_ahead.fetch_add(bytes, Ordering::Relaxed);
        self.has_read.store(true, Ordering::Relaxed);
    }

    /// What was read until now belongs to the request that is being answered.
    pub fn body_ended(&self) {
        self.has_read.store(false, Ordering::Relaxed);
    }

    /// Whether Actix may be given more before it is known that it has looked at what it has.
    pub fn has_credit(&self) -> bool {
        self.read_ahead.load(Ordering::Relaxed) < MAX_READ_AHEAD
    }

    /// Actix has looked at all that it was given.
    pub fn more_may_come(&self) {
        if self.read_ahead.swap(0, Ordering::Relaxed) >= MAX_READ_AHEAD {
            self.signal.waker.wake();
        }
    }

    /// The phase, and since when; `None`: the place is another's now.
    pub fn phase(&self) -> Option<(Phase, Instant)> {
        let open = self.connections.lock();
        let client = open.clients.get(&self.id)?;
        Some((client.phase, client.since))
    }

    /// Whether another has this place. Wakes the task when that happens.
    pub fn is_lost(&self, cx: &Context<'_>) -> bool {
        self.signal.waker.register(cx.waker());
        self.signal.is_closed.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().remove(self.id);
    }
}

impl Signal {
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.waker.wake();
    }
}
