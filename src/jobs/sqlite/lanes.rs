//! The lanes: bounded channels that hold a token for every waiting job, and the counters that keep
//! their bounds exact.
//!
//! A token says that a job waits; which one is claimed for it, the job store decides. A slot is
//! reserved before a job is stored and filled afterwards, so that a full lane refuses before
//! anything is written, and a stored job always has its token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded, never, select_biased, unbounded};

use crate::job::Lane;
use crate::jobs::backend::{AcceptError, Bounds, Serves};

/// Cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    shared: Arc<Shared>,
}

struct Shared {
    bounds: Bounds,
    normal: Tokens,
    express: Tokens,
    /// Never carries anything; disconnected when the lanes are closed.
    open: Receiver<()>,
    counters: Mutex<Counters>,
}

/// One lane's channel.
struct Tokens {
    sender: Sender<()>,
    receiver: Receiver<()>,
}

impl Tokens {
    fn new(capacity: Option<usize>) -> Self {
        let (sender, receiver) = capacity.map_or_else(unbounded, bounded);
        Self { sender, receiver }
    }
}

/// Waiting jobs and idle workers. An idle worker counts as a place: the job that it is about to claim
/// does not wait, so the bound is exact no matter how fast workers wake up.
struct Counters {
    waiting_normal: usize,
    waiting_express: usize,
    idle: usize,
    idle_reserved: usize,
    /// Dropped to close the lanes.
    keep_open: Option<Sender<()>>,
}

impl Counters {
    fn waiting(&mut self, lane: Lane) -> &mut usize {
        match lane {
            Lane::Normal => &mut self.waiting_normal,
            Lane::Express => &mut self.waiting_express,
        }
    }

    fn idle(&mut self, serves: Serves) -> &mut usize {
        match serves {
            Serves::Both => &mut self.idle,
            Serves::ExpressOnly => &mut self.idle_reserved,
        }
    }

    /// Idle workers for a job of the lane. Express jobs that the reserved worker cannot take come
    /// before normal ones.
    fn free_for(&self, lane: Lane) -> usize {
        match lane {
            Lane::Express => self.idle + self.idle_reserved,
            Lane::Normal => {
                let express = self.waiting_express.saturating_sub(self.idle_reserved);
                self.idle.saturating_sub(express)
            }
        }
    }
}

impl Lanes {
    /// Lanes with tokens for the jobs that wait already, whatever the bounds.
    pub fn new(bounds: Bounds, waiting: &[Lane]) -> Self {
        let (keep_open, open) = bounded(0);
        let tokens = |lane, workers: usize| {
            Tokens::new(bounds.of(lane).map(|bound| bound + workers + waiting.len()))
        };
        let lanes = Self {
            shared: Arc::new(Shared {
                normal: tokens(Lane::Normal, bounds.workers),
                express: tokens(Lane::Express, bounds.workers + 1),
                open,
                bounds,
                counters: Mutex::new(Counters {
                    waiting_normal: 0,
                    waiting_express: 0,
                    idle: bounds.workers,
                    idle_reserved: 1,
                    keep_open: Some(keep_open),
                }),
            }),
        };
        for lane in waiting {
            lanes.add(*lane);
        }
        lanes
    }

    pub fn bounds(&self) -> &Bounds {
        &self.shared.bounds
    }

    /// Reserves a place in the lane, if it has one.
    pub fn reserve(&self, lane: Lane) -> Result<Slot, AcceptError> {
        let mut counters = self.counters();
        if counters.keep_open.is_none() {
            return Err(AcceptError::Closed);
        }
        if let Some(bound) = self.shared.bounds.of(lane)
            && *counters.waiting(lane) >= bound + counters.free_for(lane)
        {
            return Err(AcceptError::Full { lane, bound });
        }
        *counters.waiting(lane) += 1;
        Ok(Slot {
            lanes: self.clone(),
            lane,
            filled: false,
        })
    }

    /// Waits for a token and tells its lane; the worker is busy from then on. `None`: closed.
    pub fn take(&self, serves: Serves) -> Option<Lane> {
        let Shared {
            normal,
            express,
            open,
            ..
        } = &*self.shared;
        let normal = match serves {
            Serves::Both => normal.receiver.clone(),
            Serves::ExpressOnly => never(),
        };
        let lane = select_biased! {
            recv(open) -> _ => return None,
            recv(express.receiver) -> token => token.ok().map(|()| Lane::Express)?,
            recv(normal) -> token => token.ok().map(|()| Lane::Normal)?,
        };
        let mut counters = self.counters();
        *counters.waiting(lane) -= 1;
        *counters.idle(serves) -= 1;
        Some(lane)
    }

    /// The worker is idle again.
    pub fn free(&self, serves: Serves) {
        *self.counters().idle(serves) += 1;
    }

    /// Adds a job that was accepted before, such as one that was released.
    pub fn add(&self, lane: Lane) {
        *self.counters().waiting(lane) += 1;
        self.send(lane);
    }

    /// Takes back the token of a job that waits no more. Does nothing if a worker has it already: it
    /// will find one job less.
    pub fn withdraw(&self, lane: Lane) {
        if self.tokens(lane).receiver.try_recv().is_ok() {
            *self.counters().waiting(lane) -= 1;
        }
    }

    /// Jobs of the normal lane that wait for a worker to be free.
    pub fn length(&self) -> usize {
        let counters = self.counters();
        counters
            .waiting_normal
            .saturating_sub(counters.free_for(Lane::Normal))
    }

    /// Refuses new jobs, and ends the waiting in [`Lanes::take`].
    pub fn close(&self) {
        self.counters().keep_open = None;
    }

    pub fn is_closed(&self) -> bool {
        self.counters().keep_open.is_none()
    }

    fn send(&self, lane: Lane) {
        // Never full: a channel has room for the bound, for a job of every idle worker and for one
        // that every busy worker may release. Never disconnected: the receiver is ours.
        let _ = self.tokens(lane).sender.try_send(());
    }

    fn tokens(&self, lane: Lane) -> &Tokens {
        match lane {
            Lane::Normal => &self.shared.normal,
            Lane::Express => &self.shared.express,
        }
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        // No panic can happen between two changes, so a poisoned lock guards sound counters.
        self.shared
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place for a job that is not stored yet; given back when it is dropped unfilled.
pub struct Slot {
    lanes: Lanes,
    lane: Lane,
    filled: bool,
}

impl Slot {
    /// The job is stored, and may be claimed.
    pub fn fill(mut self) {
        self.filled = true;
        self.lanes.send(self.lane);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.filled {
            *self.lanes.counters().waiting(self.lane) -= 1;
        }
    }
}
