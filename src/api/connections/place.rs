//! The place of one connection, and what its client is doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;
use std::time::Instant;

use futures_util::task::AtomicWaker;

use super::Connections;

/// What a client is doing. The first ones lose their places to newcomers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its request is answered or refused, though it may go on sending it.
    Leaving,
    /// It has sent no request yet, or is still sending the head of one.
    Waiting { has_begun: bool },
    /// It does not read its answer.
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
        }
    }

    /// Sets the phase, and wakes the connection, whose deadline follows from it.
    pub fn set(&self, phase: Phase) {
        self.connections.lock().set(self.id, phase);
        self.signal.waker.wake();
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
