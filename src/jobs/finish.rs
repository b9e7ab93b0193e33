//! The end of a job: its outcome, stored in one step with the webhook that tells of it.

use std::time::Duration;

use log::{error, info, warn};
use tokio::task::JoinHandle;

use super::Jobs;
use super::backend::{Attempt, NewWebhook};
use crate::errors::chain;
use crate::job::{Finish, Job, JobState, Outcome, VideoUrls};
use crate::metrics::metrics;

/// Between attempts to store a result while the store fails, as on a full disk.
const STORE_AGAIN: Duration = Duration::from_secs(1);

impl Jobs {
    /// Stores the outcome of an attempt; `urls`: of its videos. While the store fails, it is tried on
    /// in the background, until it is written.
    pub(super) async fn finish(
        &self,
        mut job: Job,
        outcome: Outcome,
        urls: &[VideoUrls],
    ) -> Option<JoinHandle<()>> {
        let finish = Finish {
            at: job.now(),
            outcome,
            process: self.process_info().await,
        };
        job.state = JobState::Done;
        job.finish = Some(finish.clone());
        log_end(&job, &finish);
        let webhook = self.webhook(&job, urls);
        let attempt = Attempt::of(&job);
        if self.store(attempt, &finish, webhook.as_ref()).await {
            note_end(&job);
            return None;
        }
        // Whoever waits need not wait for the disk as well, unless another node may have the job by now.
        let is_alone = !self.shared.backend.is_shared();
        if is_alone {
            self.answer_waiters(&job);
        }
        // The worker goes on meanwhile.
        let jobs = self.clone();
        Some(self.shared.runtime.spawn(async move {
            tokio::time::sleep(STORE_AGAIN).await;
            while !jobs.store(attempt, &finish, webhook.as_ref()).await {
                tokio::time::sleep(STORE_AGAIN).await;
            }
            note_end(&job);
        }))
    }

    /// Whether the outcome is stored, or need not be.
    async fn store(&self, attempt: Attempt, finish: &Finish, webhook: Option<&NewWebhook>) -> bool {
        let id = attempt.job;
        match self.shared.backend.finish(attempt, finish, webhook).await {
            Ok(true) => true,
            Ok(false) => {
                warn!(
                    "the result of job {id} was not stored: another attempt has the job, or this one had ended already"
                );
                true
            }
            Err(error) => {
                error!(
                    "the result of job {id} could not be stored, trying on: {}",
                    chain(&error)
                );
                false
            }
        }
    }
}

/// In one line, with its times.
fn log_end(job: &Job, finish: &Finish) {
    let started = job.started_at.unwrap_or(finish.at);
    let (queued, took) = (
        started.seconds_since(job.created_at),
        finish.at.seconds_since(started),
    );
    let times = format!("queued for {queued:.3} s, worked on for {took:.3} s");
    match &finish.outcome {
        Ok(videos) => {
            let frames: u32 = videos.all().map(|video| video.facts.frames).sum();
            let bytes: u64 = videos.all().map(|video| video.facts.bytes).sum();
            info!(
                "job {} made {frames} frames, {bytes} bytes; {times}",
                job.id
            );
        }
        // Not the message: it may name URLs, and they hold signatures.
        Err(failure) => info!("job {} failed: {}; {times}", job.id, failure.code),
    }
}

/// Counts a job that has ended.
pub fn note_end(job: &Job) {
    let failure = job.finish.as_ref().and_then(|it| it.outcome.as_ref().err());
    let code = failure.map_or("", |failure| failure.code.name());
    let state = job.public_state().name();
    let labels = [job.request.dialect.as_str(), state, code];
    metrics().jobs_ended.with_label_values(&labels).inc();
}
