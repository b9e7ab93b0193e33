//! Passes on what the backend tells: ends, cancellations, and that somebody asks for progress.

use std::time::Duration;

use log::error;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::{CancelReason, JobEvent, Jobs};
use crate::errors::chain;
use crate::job::{Job, JobId};

/// Between attempts to read a result while the store fails.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// Between looks for ends that no event has told of.
const LOOK_UP_INTERVAL: Duration = Duration::from_secs(2);

impl Jobs {
    /// Passes on what the backend tells: the ends of jobs to those who wait, cancellations to the
    /// attempts.
    pub(super) async fn follow_events(self) {
        let mut events = self.shared.backend.events();
        let mut poll = tokio::time::interval(LOOK_UP_INTERVAL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                _ = poll.tick() => Ok(JobEvent::Missed),
            };
            match event {
                Ok(JobEvent::Finished(id)) => self.tell_waiters(id),
                Ok(JobEvent::CancelRequested(id)) => self.cancel_attempt(id),
                Ok(JobEvent::ProgressAsked(id)) => self.renew_now(id),
                // For those who send them.
                Ok(JobEvent::WebhookWritten) => {}
                Ok(JobEvent::Missed) | Err(RecvError::Lagged(_)) => self.look_everything_up().await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    pub(super) fn answer_waiters(&self, job: &Job) {
        for waiter in self.shared.waiters.take(job.id) {
            // Err: the caller has hung up meanwhile.
            let _ = waiter.send(job.clone());
        }
    }

    fn tell_waiters(&self, id: JobId) {
        let waiters = self.shared.waiters.take(id);
        if waiters.is_empty() {
            return;
        }
        let jobs = self.clone();
        // A task of its own: a store that fails for a while must not hold up the other events.
        self.shared.runtime.spawn(async move {
            loop {
                match jobs.job(id).await {
                    Ok(Some(job)) => {
                        for waiter in waiters {
                            // Err: the caller has hung up meanwhile.
                            let _ = waiter.send(job.clone());
                        }
                        return;
                    }
                    Ok(None) => return,
                    Err(error) => error!("job {id} cannot be read, trying on: {}", chain(&error)),
                }
                tokio::time::sleep(READ_AGAIN).await;
            }
        });
    }

    async fn look_everything_up(&self) {
        let ids = self.shared.waiters.ids();
        if ids.is_empty() {
            return;
        }
        match self.shared.backend.ended(&ids).await {
            Ok(ended) => ended.into_iter().for_each(|id| self.tell_waiters(id)),
            Err(error) => error!("ends of jobs are not known: {}", chain(&error)),
        }
    }

    fn cancel_attempt(&self, id: JobId) {
        if let Some(attempt) = self.running().get(&id) {
            attempt.cancellation.cancel(CancelReason::Requested);
        }
    }

    fn renew_now(&self, id: JobId) {
        if let Some(attempt) = self.running().get(&id) {
            attempt.asked.notify_one();
        }
    }
}
