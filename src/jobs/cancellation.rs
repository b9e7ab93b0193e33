//! Why work on a job ends early.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// Somebody cancelled the job.
    Requested,
    /// Another attempt has the job.
    LeaseLost,
    /// The service is stopping: the job goes back to the queue.
    Stopping,
    TimeLimit,
}

/// The token of one attempt, and who cancelled it. Cheap to clone; the first reason counts.
#[derive(Clone)]
pub struct Cancellation {
    token: CancellationToken,
    stopping: CancellationToken,
    reason: Arc<OnceLock<CancelReason>>,
}

impl Cancellation {
    /// Cancelled by [`Cancellation::cancel`] and with `stopping`.
    pub fn new(stopping: &CancellationToken) -> Self {
        Self {
            token: stopping.child_token(),
            stopping: stopping.clone(),
            reason: Arc::default(),
        }
    }

    /// The same, and after the `time_limit`. The timer ends when the token is cancelled.
    pub fn timed(stopping: &CancellationToken, time_limit: Duration, runtime: &Handle) -> Self {
        let cancellation = Self::new(stopping);
        let timed = cancellation.clone();
        runtime.spawn(async move {
            let token = timed.token.clone();
            let cancelled = token.cancelled();
            if tokio::time::timeout(time_limit, cancelled).await.is_err() {
                timed.cancel(CancelReason::TimeLimit);
            }
        });
        cancellation
    }

    /// Handed down, and checked by everything that waits.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Whether it is the same one.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reason, &other.reason)
    }

    pub fn cancel(&self, reason: CancelReason) {
        if !self.token.is_cancelled() {
            // Err: somebody was faster.
            let _ = self.reason.set(reason);
        }
        self.token.cancel();
    }

    /// `None`: not cancelled.
    pub fn reason(&self) -> Option<CancelReason> {
        let stopping = || {
            self.stopping
                .is_cancelled()
                .then_some(CancelReason::Stopping)
        };
        self.reason.get().copied().or_else(stopping)
    }
}
