//! The queue: two bounded lanes of job ids, and the ledger that keeps their bounds exact.
//!
//! A slot is taken before the job is recorded and filled once the record is safe, so that a full
//! queue is refused at the door and an accepted job always has its place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded, never, select_biased, unbounded};

use crate::job::{JobId, Lane};

/// How many jobs may wait. `None`: any number.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub normal: Option<usize>,
    pub express: Option<usize>,
    /// Workers that serve both lanes.
    pub workers: usize,
}

impl Bounds {
    fn of(&self, lane: Lane) -> Option<usize> {
        match lane {
            Lane::Normal => self.normal,
            Lane::Express => self.express,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum NoSlot {
    #[error("the queue is full")]
    Full { lane: Lane, bound: usize },
    #[error("the service is stopping")]
    Closed,
}

/// Which lanes a worker serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Both, express first.
    Both,
    ExpressOnly,
}

#[derive(Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

struct Shared {
    bounds: Bounds,
    normal: Channel,
    express: Channel,
    /// Never carries anything; closed to send the workers home.
    open: Receiver<()>,
    ledger: Mutex<Ledger>,
}

struct Channel {
    sender: Sender<JobId>,
    receiver: Receiver<JobId>,
}

/// Who waits and who works. An idle worker counts as a place: the job it is about to take does not
/// wait, so the bound holds to the job no matter how fast workers wake up.
struct Ledger {
    waiting_normal: usize,
    waiting_express: usize,
    idle: usize,
    idle_reserved: usize,
    /// Dropped to close the queue.
    keep_open: Option<Sender<()>>,
}

impl Ledger {
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

    /// Idle workers that will take a job of the lane: what the reserved worker leaves of the express
    /// lane comes before the normal one.
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

impl Queue {
    /// A queue that already holds the `recovered` jobs, whatever its bounds.
    pub fn new(bounds: Bounds, recovered: &[(JobId, Lane)]) -> Self {
        let (keep_open, open) = bounded(0);
        let channel = |lane, places: usize| {
            let (sender, receiver) = match bounds.of(lane) {
                Some(bound) => bounded(bound + places + recovered.len()),
                None => unbounded(),
            };
            Channel { sender, receiver }
        };
        let queue = Self {
            shared: Arc::new(Shared {
                normal: channel(Lane::Normal, bounds.workers),
                express: channel(Lane::Express, bounds.workers + 1),
                open,
                bounds,
                ledger: Mutex::new(Ledger {
                    waiting_normal: 0,
                    waiting_express: 0,
                    idle: bounds.workers,
                    idle_reserved: 1,
                    keep_open: Some(keep_open),
                }),
            }),
        };
        for (id, lane) in recovered {
            *queue.ledger().waiting(*lane) += 1;
            queue.send(*lane, *id);
        }
        queue
    }

    /// Takes a slot in the lane, or says why there is none.
    pub fn reserve(&self, lane: Lane) -> Result<Slot, NoSlot> {
        let mut ledger = self.ledger();
        if ledger.keep_open.is_none() {
            return Err(NoSlot::Closed);
        }
        if let Some(bound) = self.shared.bounds.of(lane)
            && *ledger.waiting(lane) >= bound + ledger.free_for(lane)
        {
            return Err(NoSlot::Full { lane, bound });
        }
        *ledger.waiting(lane) += 1;
        Ok(Slot {
            queue: self.clone(),
            lane,
            filled: false,
        })
    }

    /// Waits for a job. `None`: the queue is closed, and the worker may go.
    pub fn take(&self, serves: Serves) -> Option<Taken> {
        let Shared {
            normal,
            express,
            open,
            ..
        } = &*self.shared;
        let normal = if serves == Serves::Both {
            normal.receiver.clone()
        } else {
            never()
        };
        let (id, lane) = select_biased! {
            recv(open) -> _ => return None,
            recv(express.receiver) -> id => (id.ok()?, Lane::Express),
            recv(normal) -> id => (id.ok()?, Lane::Normal),
        };
        let mut ledger = self.ledger();
        *ledger.waiting(lane) -= 1;
        *ledger.idle(serves) -= 1;
        Some(Taken {
            id,
            serves,
            queue: self.clone(),
        })
    }

    /// Jobs that wait in the normal lane for a worker to be free.
    pub fn length(&self) -> usize {
        let ledger = self.ledger();
        ledger
            .waiting_normal
            .saturating_sub(ledger.free_for(Lane::Normal))
    }

    /// The bound of the normal lane.
    pub fn bound(&self) -> Option<usize> {
        self.shared.bounds.normal
    }

    /// Refuses new jobs, and sends the workers home once they have finished theirs.
    pub fn close(&self) {
        self.ledger().keep_open = None;
    }

    pub fn is_closed(&self) -> bool {
        self.ledger().keep_open.is_none()
    }

    fn send(&self, lane: Lane, id: JobId) {
        let channel = match lane {
            Lane::Normal => &self.shared.normal,
            Lane::Express => &self.shared.express,
        };
        // Never full, as the ledger lets in no more than the channel holds, and never without
        // a receiver, as the queue holds one itself.
        let _ = channel.sender.try_send(id);
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Nothing panics between two changes of the ledger, so a poisoned one is still true.
        self.shared
            .ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue for a job that is not recorded yet; given back if dropped unfilled.
pub struct Slot {
    queue: Queue,
    lane: Lane,
    filled: bool,
}

impl Slot {
    pub fn fill(mut self, id: JobId) {
        self.filled = true;
        self.queue.send(self.lane, id);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.filled {
            *self.queue.ledger().waiting(self.lane) -= 1;
        }
    }
}

/// A job in the hands of a worker, who is free again when this is dropped.
pub struct Taken {
    pub id: JobId,
    serves: Serves,
    queue: Queue,
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.queue.ledger().idle(self.serves) += 1;
    }
}
