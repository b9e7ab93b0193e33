//! The lanes: bounded channels that hold a token for every waiting job, and the rules by which
//! workers get them.
//!
//! Each token is given to one worker under one lock: when a job arrives and a worker is idle, when a
//! job arrives and none is, when a worker becomes idle. So at most a lane's bound of jobs wait, at
//! every moment. A token says that a job waits; which one is claimed for it, the job store decides.
//!
//! A place is reserved before a job is stored and filled afterwards, so that a full lane refuses before
//! anything is written, and a stored job always has its token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded, select_biased, unbounded};

use crate::job::Lane;
use crate::jobs::backend::{AcceptError, Bounds, Serves};

/// Cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    shared: Arc<Shared>,
}

struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    /// The lanes of the jobs that workers have been given, by what the workers serve.
    given_to_both: Channel<Lane>,
    given_to_reserved: Channel<Lane>,
    /// Never carries anything; disconnected when the lanes are closed.
    open: Receiver<()>,
}

struct Channel<T> {
    sender: Sender<T>,
    receiver: Receiver<T>,
}

impl<T> Channel<T> {
    fn new(capacity: Option<usize>) -> Self {
        let (sender, receiver) = capacity.map_or_else(unbounded, bounded);
        Self { sender, receiver }
    }
}

/// A lane's waiting jobs.
struct Waiting {
    tokens: Channel<()>,
    /// Tokens, and places that are reserved for some.
    count: usize,
    /// Cancelled jobs whose tokens workers still hold; negative: tokens for which a worker found no
    /// job, of cancellations that are not told yet.
    cancelled: isize,
}

struct State {
    normal: Waiting,
    express: Waiting,
    /// Workers that have been given nothing.
    idle: usize,
    idle_reserved: usize,
    /// Dropped to close the lanes.
    keep_open: Option<Sender<()>>,
}

impl State {
    fn lane(&mut self, lane: Lane) -> &mut Waiting {
        match lane {
            Lane::Normal => &mut self.normal,
            Lane::Express => &mut self.express,
        }
    }

    /// Takes an idle worker for a job of the lane; the reserved one, if it will do.
    fn take_idle(&mut self, lane: Lane) -> Option<Serves> {
        if lane == Lane::Express && self.idle_reserved > 0 {
            self.idle_reserved -= 1;
            return Some(Serves::ExpressOnly);
        }
        self.idle = self.idle.checked_sub(1)?;
        Some(Serves::Both)
    }

    /// Takes a token that a worker may have: express first.
    fn take_token(&mut self, serves: Serves) -> Option<Lane> {
        let lanes: &[Lane] = match serves {
            Serves::Both => &[Lane::Express, Lane::Normal],
            Serves::ExpressOnly => &[Lane::Express],
        };
        lanes.iter().copied().find(|lane| {
            let waiting = self.lane(*lane);
            let taken = waiting.tokens.receiver.try_recv().is_ok();
            waiting.count -= usize::from(taken);
            taken
        })
    }
}

impl Lanes {
    /// Lanes with tokens for the jobs that wait already, whatever the bounds.
    pub fn new(bounds: Bounds, waiting: &[Lane]) -> Self {
        let (keep_open, open) = bounded(0);
        let lane = |lane| {
            // Room for the bound, for what waits already, and for what every worker may release.
            let room = |bound| bound + waiting.len() + bounds.workers + 1;
            Waiting {
                tokens: Channel::new(bounds.of(lane).map(room)),
                count: 0,
                cancelled: 0,
            }
        };
        let lanes = Self {
            shared: Arc::new(Shared {
                // Hold one token at most for every worker that asks.
                given_to_both: Channel::new(None),
                given_to_reserved: Channel::new(None),
                open,
                bounds,
                state: Mutex::new(State {
                    normal: lane(Lane::Normal),
                    express: lane(Lane::Express),
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

    /// Reserves an idle worker, or else a place in the lane.
    pub fn reserve(&self, lane: Lane) -> Result<Slot, AcceptError> {
        let mut state = self.state();
        if state.keep_open.is_none() {
            return Err(AcceptError::Closed);
        }
        let worker = state.take_idle(lane);
        if worker.is_none() {
            let bound = self.shared.bounds.of(lane);
            if let Some(bound) = bound.filter(|bound| state.lane(lane).count >= *bound) {
                return Err(AcceptError::Full { lane, bound });
            }
            state.lane(lane).count += 1;
        }
        Ok(Slot {
            lanes: self.clone(),
            lane,
            worker,
            filled: false,
        })
    }

    /// Waits to be given a job, and tells its lane. `None`: closed.
    pub fn take(&self, serves: Serves) -> Option<Lane> {
        if let Some(lane) = self.try_take(serves) {
            return Some(lane);
        }
        select_biased! {
            recv(self.shared.open) -> _ => None,
            recv(self.given_to(serves).receiver) -> lane => lane.ok(),
        }
    }

    fn try_take(&self, serves: Serves) -> Option<Lane> {
        let mut state = self.state();
        state.keep_open.as_ref()?;
        if let Ok(lane) = self.given_to(serves).receiver.try_recv() {
            return Some(lane);
        }
        // Only if more workers ask than there should be.
        if let Some(lane) = state.take_token(serves) {
            return Some(lane);
        }
        if serves == Serves::ExpressOnly {
            return None;
        }
        // What the reserved worker has been given and has not taken yet: they change places.
        let lane = self.shared.given_to_reserved.receiver.try_recv().ok()?;
        state.idle = state.idle.saturating_sub(1);
        state.idle_reserved += 1;
        Some(lane)
    }

    /// A worker is idle: gives it the next job, if one waits.
    pub fn free(&self, serves: Serves) {
        let mut state = self.state();
        match state.take_token(serves) {
            Some(lane) => self.give(serves, lane),
            None if serves == Serves::Both => state.idle += 1,
            None => state.idle_reserved += 1,
        }
    }

    /// Adds a job that was accepted before, such as one that was released.
    pub fn add(&self, lane: Lane) {
        let mut state = self.state();
        state.lane(lane).count += 1;
        self.fill_place(&mut state, lane);
    }

    /// A waiting job was cancelled: takes back its token, or leaves one job less for whoever has it.
    pub fn withdraw(&self, lane: Lane) {
        let mut state = self.state();
        let waiting = state.lane(lane);
        if waiting.cancelled < 0 || waiting.tokens.receiver.try_recv().is_err() {
            waiting.cancelled += 1;
        } else {
            waiting.count -= 1;
        }
    }

    /// A worker found no job for its token, because it was cancelled.
    pub fn found_none(&self, lane: Lane, serves: Serves) {
        self.state().lane(lane).cancelled -= 1;
        self.free(serves);
    }

    /// Jobs of the normal lane that wait for a worker to be free.
    pub fn length(&self) -> usize {
        self.state().normal.count
    }

    /// Refuses new jobs, and ends the waiting in [`Lanes::take`].
    pub fn close(&self) {
        self.state().keep_open = None;
    }

    pub fn is_closed(&self) -> bool {
        self.state().keep_open.is_none()
    }

    /// Turns a place that is counted into a token, or gives the job to a worker that has become idle.
    fn fill_place(&self, state: &mut State, lane: Lane) {
        if state.lane(lane).cancelled > 0 {
            // Whoever has the token of a cancelled job will claim this one for it.
            state.lane(lane).cancelled -= 1;
            state.lane(lane).count -= 1;
        } else if let Some(worker) = state.take_idle(lane) {
            state.lane(lane).count -= 1;
            self.give(worker, lane);
        } else {
            // Never full, as there are no more tokens than places, and never without a receiver.
            let _ = state.lane(lane).tokens.sender.try_send(());
        }
    }

    fn give(&self, serves: Serves, lane: Lane) {
        // Never full, and never without a receiver.
        let _ = self.given_to(serves).sender.try_send(lane);
    }

    fn given_to(&self, serves: Serves) -> &Channel<Lane> {
        match serves {
            Serves::Both => &self.shared.given_to_both,
            Serves::ExpressOnly => &self.shared.given_to_reserved,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No panic can happen between two changes, so a poisoned lock guards a sound state.
        let state = &self.shared.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place for a job that is not stored yet; given back when it is dropped unfilled.
pub struct Slot {
    lanes: Lanes,
    lane: Lane,
    /// Who will have the job, if somebody was idle.
    worker: Option<Serves>,
    filled: bool,
}

impl Slot {
    /// The job is stored, and may be claimed.
    pub fn fill(mut self) {
        self.filled = true;
        match self.worker {
            Some(worker) => self.lanes.give(worker, self.lane),
            None => self.lanes.fill_place(&mut self.lanes.state(), self.lane),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        match self.worker {
            _ if self.filled => {}
            Some(worker) => self.lanes.free(worker),
            None => self.lanes.state().lane(self.lane).count -= 1,
        }
    }
}
