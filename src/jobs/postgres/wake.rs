//! Workers of this node that wait for a job, and are woken when there may be one.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::job::Lane;
use crate::jobs::backend::Serves;

/// Each job that is told wakes one worker of each kind that may have it.
pub struct Wake {
    workers: usize,
    both: Semaphore,
    express_only: Semaphore,
}

impl Wake {
    /// `workers` serve both lanes, and one the express lane alone.
    pub fn new(workers: usize) -> Self {
        Self {
            workers,
            both: Semaphore::new(0),
            express_only: Semaphore::new(0),
        }
    }

    pub fn job_waits(&self, lane: Lane) {
        // A permit for each worker is enough: one that has found a job looks for the next by itself.
        if self.both.available_permits() < self.workers {
            self.both.add_permits(1);
        }
        if lane == Lane::Express && self.express_only.available_permits() == 0 {
            self.express_only.add_permits(1);
        }
    }

    /// There may be any number of jobs.
    pub fn all(&self) {
        for _ in 0..self.workers {
            self.job_waits(Lane::Express);
        }
    }

    /// Waits until a job may wait, for some time at most.
    pub async fn wait(&self, serves: Serves, at_most: Duration) {
        let permits = match serves {
            Serves::Both => &self.both,
            Serves::ExpressOnly => &self.express_only,
        };
        // Err: late, or never, as nobody closes it.
        if let Ok(Ok(permit)) = timeout(at_most, permits.acquire()).await {
            permit.forget();
        }
    }
}
