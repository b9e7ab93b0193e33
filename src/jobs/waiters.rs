//! Callers that wait for the end of a job.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::job::{Job, JobId};

#[derive(Default)]
pub struct Waiters {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiters: HashMap<JobId, Waiter>,
    /// The service is stopping: nobody waits for what has not begun.
    closed: bool,
}

struct Waiter {
    sender: oneshot::Sender<Job>,
    /// A worker of this process has the job, and will end it before the process stops.
    begun: bool,
}

impl Waiters {
    /// Resolves to the finished job; fails when the service stops before a worker has begun it.
    pub fn register(&self, id: JobId) -> oneshot::Receiver<Job> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if !state.closed {
            let waiter = Waiter {
                sender,
                begun: false,
            };
            state.waiters.insert(id, waiter);
        }
        receiver
    }

    pub fn begun(&self, id: JobId) {
        if let Some(waiter) = self.lock().waiters.get_mut(&id) {
            waiter.begun = true;
        }
    }

    /// Who waits for this job, if they still do.
    pub fn take(&self, id: JobId) -> Option<oneshot::Sender<Job>> {
        let waiter = self.lock().waiters.remove(&id)?;
        Some(waiter.sender).filter(|sender| !sender.is_closed())
    }

    /// The jobs that somebody waits for.
    pub fn ids(&self) -> Vec<JobId> {
        let mut state = self.lock();
        state.waiters.retain(|_, waiter| !waiter.sender.is_closed());
        state.waiters.keys().copied().collect()
    }

    /// Takes no more. Tells which are left whose job has not begun.
    pub fn close(&self) -> Vec<JobId> {
        let mut state = self.lock();
        state.closed = true;
        let waiting = state.waiters.iter().filter(|(_, waiter)| !waiter.begun);
        waiting.map(|(id, _)| *id).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
