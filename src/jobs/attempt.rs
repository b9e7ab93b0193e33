//! One attempt at a job: its lease, its progress, and the token that ends it early.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use log::warn;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

use super::backend::{ASKED_TIME, Attempt, Backend, Lease};
use super::{CancelReason, Cancellation, Jobs};
use crate::errors::chain;
use crate::job::Job;
use crate::metrics::metrics;
use crate::pipeline::{Fence, FenceError, Observer};

/// After the claim, at the latest.
const FIRST_RENEWAL: Duration = Duration::from_secs(1);

/// The progress of an attempt whose result is not stored yet, at most.
const NEARLY_DONE: f64 = 0.99;

/// Between renewals while somebody wants to know the progress.
const ASKED_INTERVAL: Duration = Duration::from_millis(300);

/// How others reach an attempt; cheap to clone.
#[derive(Clone)]
pub struct AttemptHandle {
    pub cancellation: Cancellation,
    /// Told when somebody wants to know the progress.
    pub asked: Arc<Notify>,
}

/// Renewed until it is dropped.
pub struct RunningAttempt {
    jobs: Jobs,
    attempt: Attempt,
    cancellation: Cancellation,
    progress: Arc<Progress>,
    renewal: AbortHandle,
    /// Ends the timer of the time limit.
    _over: DropGuard,
}

impl RunningAttempt {
    /// An attempt that makes a video.
    pub fn making(jobs: &Jobs, job: &Job, time_limit: Duration) -> Self {
        let shared = &jobs.shared;
        let cancellation = Cancellation::timed(&shared.stopping, time_limit, &shared.runtime);
        Self::start(jobs, job, cancellation, 0.0)
    }

    /// An attempt that waits to make one, which takes none of its time.
    pub fn waiting(jobs: &Jobs, job: &Job) -> Self {
        let cancellation = Cancellation::new(&jobs.shared.stopping);
        Self::start(jobs, job, cancellation, 0.0)
    }

    /// An attempt that stores one, for which nobody knows how long it may take.
    pub fn storing(jobs: &Jobs, job: &Job) -> Self {
        let cancellation = Cancellation::new(&jobs.shared.stopping);
        Self::start(jobs, job, cancellation, NEARLY_DONE)
    }

    fn start(jobs: &Jobs, job: &Job, cancellation: Cancellation, progress: f64) -> Self {
        let shared = &jobs.shared;
        let attempt = Attempt::of(job);
        let handle = AttemptHandle {
            cancellation: cancellation.clone(),
            asked: Arc::default(),
        };
        jobs.running().insert(job.id, handle.clone());
        metrics().attempts_running.inc();
        let known = Arc::new(Progress::default());
        known.set(progress);
        let renewal = shared.runtime.spawn(renew(
            shared.backend.clone(),
            attempt,
            known.clone(),
            handle,
        ));
        Self {
            jobs: jobs.clone(),
            attempt,
            progress: known,
            renewal: renewal.abort_handle(),
            _over: cancellation.token().clone().drop_guard(),
            cancellation,
        }
    }

    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }
}

impl Observer for RunningAttempt {
    fn frames_done(&self, done: u32, of: u32) {
        self.progress.set(f64::from(done) / f64::from(of.max(1)));
    }
}

/// A result of an attempt that has lost its job must not replace another's.
#[async_trait]
impl Fence for RunningAttempt {
    async fn check(&self) -> Result<(), FenceError> {
        let backend = &self.jobs.shared.backend;
        let reason = match backend.renew(self.attempt, self.progress.get()).await {
            Ok(Lease::Held) => return Ok(()),
            Ok(Lease::CancelRequested) => CancelReason::Requested,
            Ok(Lease::Lost) => CancelReason::LeaseLost,
            Err(error) => {
                warn!("a lease could not be checked: {}", chain(&error));
                return Err(FenceError::Unknown);
            }
        };
        self.cancellation.cancel(reason);
        Err(FenceError::Lost)
    }
}

impl Drop for RunningAttempt {
    fn drop(&mut self) {
        self.renewal.abort();
        metrics().attempts_running.dec();
        let mut running = self.jobs.running();
        // Not a later attempt at the same job.
        if running
            .get(&self.attempt.job)
            .is_some_and(|it| it.cancellation.is(&self.cancellation))
        {
            running.remove(&self.attempt.job);
        }
    }
}

async fn renew(
    backend: Arc<dyn Backend>,
    attempt: Attempt,
    progress: Arc<Progress>,
    handle: AttemptHandle,
) {
    let AttemptHandle {
        cancellation,
        asked,
    } = handle;
    let interval = backend.renew_interval();
    // The claim has just begun the lease. Soon after it, so that the progress of short jobs is seen.
    let mut pause = interval.min(FIRST_RENEWAL);
    let mut asked_until = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = asked.notified() => asked_until = Instant::now() + ASKED_TIME,
        }
        match backend.renew(attempt, progress.get()).await {
            Ok(Lease::Held) => {}
            // The event has been lost, or came before there was an attempt to cancel.
            Ok(Lease::CancelRequested) => return cancellation.cancel(CancelReason::Requested),
            Ok(Lease::Lost) => return cancellation.cancel(CancelReason::LeaseLost),
            Err(error) => warn!("a lease could not be renewed: {}", chain(&error)),
        }
        pause = match Instant::now() < asked_until {
            true => interval.min(ASKED_INTERVAL),
            false => interval,
        };
    }
}

/// From 0 to [`NEARLY_DONE`], as the bits of an `f64`; never goes back.
#[derive(Default)]
struct Progress(AtomicU64);

impl Progress {
    fn set(&self, progress: f64) {
        // The bits of numbers that are not negative are in the order of the numbers.
        let bits = progress.clamp(0.0, NEARLY_DONE).to_bits();
        self.0.fetch_max(bits, Ordering::Relaxed);
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back_and_ends_before_the_result_is_stored() {
        let progress = Progress::default();
        assert_eq!(progress.get(), 0.0);
        progress.set(0.5);
        progress.set(0.01);
        assert_eq!(progress.get(), 0.5);
        progress.set(1.0);
        assert_eq!(progress.get(), NEARLY_DONE);
    }
}
