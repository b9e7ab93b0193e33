//! The attempts of this process: whether they go on, and how far they are.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::backend::{Attempt, Lease, Serves};
use crate::job::{Job, JobId};

/// By their jobs.
#[derive(Default)]
pub struct Running {
    attempts: Mutex<HashMap<JobId, State>>,
}

struct State {
    attempt: u32,
    /// The place of the worker, until it is idle again: the end may be stored later.
    serves: Option<Serves>,
    progress: f64,
    cancel_requested: bool,
}

impl Running {
    /// An attempt at a job begins. `serves`: which place it takes; none, if only its video is left to be stored.
    pub fn begin(&self, job: &Job, serves: Option<Serves>) {
        let state = State {
            attempt: job.attempt,
            serves,
            progress: 0.0,
            cancel_requested: job.cancel_requested,
        };
        self.attempts().insert(job.id, state);
    }

    pub fn renew(&self, attempt: Attempt, progress: f64) -> Lease {
        match self.attempts().get_mut(&attempt.job) {
            Some(state) if state.attempt == attempt.number => {
                state.progress = progress;
                match state.cancel_requested {
                    true => Lease::CancelRequested,
                    false => Lease::Held,
                }
            }
            _ => Lease::Lost,
        }
    }

    /// Takes the place of an attempt back, once.
    pub fn take_place(&self, attempt: Attempt) -> Option<Serves> {
        let mut attempts = self.attempts();
        let state = attempts.get_mut(&attempt.job)?;
        if state.attempt == attempt.number {
            state.serves.take()
        } else {
            None
        }
    }

    /// Forgets an attempt, once its end is stored. Until then its progress is told.
    pub fn forget(&self, attempt: Attempt) {
        let mut attempts = self.attempts();
        let known = attempts.get(&attempt.job);
        if known.is_some_and(|known| known.attempt == attempt.number) {
            attempts.remove(&attempt.job);
        }
    }

    /// Lets the next renewal tell that a job is to be cancelled. `false`: it is not here.
    pub fn request_cancel(&self, id: JobId) -> bool {
        match self.attempts().get_mut(&id) {
            Some(state) => {
                state.cancel_requested = true;
                true
            }
            None => false,
        }
    }

    /// Of those of these jobs that are here.
    pub fn progress(&self, ids: &[JobId]) -> HashMap<JobId, f64> {
        let attempts = self.attempts();
        let progress = |id: &JobId| Some((*id, attempts.get(id)?.progress));
        ids.iter().filter_map(progress).collect()
    }

    fn attempts(&self) -> MutexGuard<'_, HashMap<JobId, State>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
