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
    waiters: HashMap<JobId, JobWaiters>,
    /// The service is stopping: nobody waits for what has not begun.
    closed: bool,
}

/// Who waits for a job.
#[derive(Default)]
struct JobWaiters {
    senders: Vec<oneshot::Sender<Job>>,
    /// A worker of this process has the job, and will end it before the process stops.
    begun: bool,
}

impl Waiters {
    /// Resolves to the finished job; fails when the service stops before a worker has begun it.
    pub fn register(&self, id: JobId) -> oneshot::Receiver<Job> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if !state.closed {
            state.waiters.entry(id).or_default().senders.push(sender);
        }
        receiver
    }

    pub fn begun(&self, id: JobId) {
        if let Some(waiter) = self.lock().waiters.get_mut(&id) {
            waiter.begun = true;
        }
    }

    /// Those who wait for this job, if they still do.
    pub fn take(&self, id: JobId) -> Vec<oneshot::Sender<Job>> {
        let waiters = self.lock().waiters.remove(&id);
        let mut senders = waiters.unwrap_or_default().senders;
        senders.retain(|sender| !sender.is_closed());
        senders
    }

    /// The jobs that somebody waits for.
    pub fn ids(&self) -> Vec<JobId> {
        let mut state = self.lock();
        state.waiters.retain(|_, waiters| {
            waiters.senders.retain(|sender| !sender.is_closed());
            !waiters.senders.is_empty()
        });
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
