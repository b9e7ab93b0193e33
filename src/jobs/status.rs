//! How a job stands: what is on record of it, and how far a worker is with it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Jobs, StoreError};
use crate::job::{Job, JobId, JobState};

pub struct Standing {
    pub job: Job,
    /// From 0 to 1, which is for a video that is finished.
    pub progress: f64,
    /// From 1 up, while it waits.
    pub queue_position: Option<u32>,
}

/// Until the result is on record.
const NEARLY_DONE: f64 = 0.99;

/// The share done of every job that a worker has in hand. In memory only: after a crash a job is
/// begun again anyway.
#[derive(Default)]
pub struct Underway {
    shares: Mutex<HashMap<JobId, f64>>,
}

/// An attempt at a job, to tell its progress to. Over when dropped.
pub struct Attempt<'a> {
    underway: &'a Underway,
    id: JobId,
}

impl Underway {
    pub fn begin(&self, id: JobId) -> Attempt<'_> {
        self.shares().insert(id, 0.0);
        Attempt { underway: self, id }
    }

    fn share(&self, id: JobId) -> f64 {
        self.shares().get(&id).copied().unwrap_or(0.0)
    }

    fn shares(&self) -> MutexGuard<'_, HashMap<JobId, f64>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    pub fn frames_done(&self, done: u32, of: u32) {
        let share = f64::from(done) / f64::from(of.max(1));
        if let Some(known) = self.underway.shares().get_mut(&self.id) {
            *known = known.max(share.min(NEARLY_DONE));
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.underway.shares().remove(&self.id);
    }
}

impl Jobs {
    pub async fn standing(&self, id: JobId) -> Result<Option<Standing>, StoreError> {
        // Before the record is read: a job that is finished in between is done by then, and not
        // one that has come back to nothing.
        let share = self.shared.underway.share(id);
        let Some((job, queue_position)) = self.placed(id).await? else {
            return Ok(None);
        };
        let progress = match (&job.state, &job.finish) {
            (JobState::Done, Some(finish)) if finish.outcome.is_ok() => 1.0,
            (JobState::Running, _) => share,
            _ => 0.0,
        };
        Ok(Some(Standing {
            job,
            progress,
            queue_position,
        }))
    }

    /// A job, and its place if it is queued.
    async fn placed(&self, id: JobId) -> Result<Option<(Job, Option<u32>)>, StoreError> {
        loop {
            let Some(job) = self.job(id).await? else {
                return Ok(None);
            };
            if job.state != JobState::Queued {
                return Ok(Some((job, None)));
            }
            // None: it has been begun since it was read.
            if let Some(position) = self.shared.store.queue_position(id).await? {
                return Ok(Some((job, Some(position))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back_and_ends_with_the_attempt() {
        let (underway, id) = (Underway::default(), JobId::random());
        assert_eq!(underway.share(id), 0.0);
        let attempt = underway.begin(id);
        assert_eq!(underway.share(id), 0.0);
        attempt.frames_done(450, 900);
        attempt.frames_done(9, 900);
        assert_eq!(underway.share(id), 0.5);
        attempt.frames_done(900, 900);
        assert_eq!(underway.share(id), NEARLY_DONE);
        drop(attempt);
        assert_eq!(underway.share(id), 0.0);
    }
}
