//! The workers: named threads that claim jobs, run the pipeline and store the outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use log::{error, info, warn};

use super::attempt::RunningAttempt;
use super::backend::{Attempt, Backend, BackendError, NewWebhook, Serves};
use super::{CancelReason, Jobs, Settings, cancelled};
use crate::errors::chain;
use crate::job::{Failure, FailureCode, Finish, Job, JobState, Outcome, Timestamp};
use crate::pipeline::{PipelineError, Publisher};

/// Between attempts to store a result while the store fails, as on a full disk.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// How much later than ffmpeg we may hear of a stop.
const STOP_DELAY: Duration = Duration::from_millis(500);

/// All worker threads.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts `settings.workers` that serve both lanes, and one for the express lane alone.
    pub fn start(jobs: &Jobs, publisher: Publisher, settings: &Settings) -> std::io::Result<Self> {
        let names = (1..=settings.workers).map(|n| (format!("worker-{n}"), Serves::Both));
        let express = ("worker-express".to_owned(), Serves::ExpressOnly);
        let threads = names.chain([express]).map(|(name, serves)| {
            let worker = Worker {
                jobs: jobs.clone(),
                publisher: publisher.clone(),
                time_limit: settings.time_limit,
                max_attempts: settings.max_attempts,
            };
            thread::Builder::new()
                .name(name)
                .spawn(move || worker.run(serves))
        });
        Ok(Self {
            threads: threads.collect::<Result<_, _>>()?,
        })
    }

    /// Waits for every worker to end. The jobs must be closed.
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                error!("a worker panicked outside of a job");
            }
        }
    }
}

struct Worker {
    jobs: Jobs,
    publisher: Publisher,
    time_limit: Duration,
    max_attempts: u32,
}

/// How an attempt ends.
enum Ending {
    Finished(Outcome),
    /// The job goes back to the queue.
    Released,
    /// Another attempt has the job.
    Lost,
}

impl Worker {
    fn run(&self, serves: Serves) {
        while let Some(job) = self.backend().claim(serves) {
            self.jobs.shared.waiters.begun(job.id);
            self.work(job);
        }
    }

    fn work(&self, job: Job) {
        let attempt = RunningAttempt::start(&self.jobs, &job, self.time_limit);
        let ending = self.attempt(&job, &attempt);
        match ending {
            Ending::Finished(outcome) => self.finish(job, outcome),
            Ending::Released => {
                info!("job {} was interrupted and goes back to the queue", job.id);
                // Before another attempt can begin.
                drop(attempt);
                self.release(&job);
                // The service is stopping: nobody here will end the job.
                self.jobs.shared.waiters.take(job.id);
            }
            Ending::Lost => {
                warn!("job {} is worked on elsewhere; this attempt ends", job.id);
                self.release(&job);
            }
        }
    }

    fn attempt(&self, job: &Job, attempt: &RunningAttempt) -> Ending {
        if job.attempt > self.max_attempts {
            let limit = self.max_attempts;
            let message = format!("the job was interrupted {limit} times and is given up");
            return failed(FailureCode::TooManyAttempts, message);
        }
        let token = attempt.cancellation().token();
        let run = || self.publisher.publish(job, attempt, token);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(video)) => Ending::Finished(Ok(video)),
            Ok(Err(PipelineError::Failed(failure))) => Ending::Finished(Err(failure)),
            Ok(Err(PipelineError::EncoderDied(_))) if self.service_is_stopping() => {
                Ending::Released
            }
            Ok(Err(PipelineError::EncoderDied(failure))) => Ending::Finished(Err(failure)),
            Ok(Err(PipelineError::Cancelled)) => self.cancelled(attempt.cancellation().reason()),
            Err(_) => {
                error!("job {} panicked", job.id);
                Ending::Finished(Err(Failure::internal()))
            }
        }
    }

    fn cancelled(&self, reason: Option<CancelReason>) -> Ending {
        match reason {
            Some(CancelReason::Requested) => Ending::Finished(Err(cancelled())),
            Some(CancelReason::Stopping) => Ending::Released,
            Some(CancelReason::LeaseLost) => Ending::Lost,
            Some(CancelReason::TimeLimit) => {
                let limit = humantime::format_duration(self.time_limit);
                failed(
                    FailureCode::TimeLimit,
                    format!("the job took longer than {limit}"),
                )
            }
            None => {
                error!("an attempt was cancelled by nobody");
                Ending::Finished(Err(Failure::internal()))
            }
        }
    }

    /// Whether an encoder died because everything is being stopped: a supervisor may signal all our
    /// processes, and ffmpeg be the first to end.
    fn service_is_stopping(&self) -> bool {
        let closing = self.jobs.shared.closing.cancelled();
        self.block_on(async { tokio::time::timeout(STOP_DELAY, closing).await.is_ok() })
    }

    /// Stores the outcome, and the webhook with it.
    fn finish(&self, mut job: Job, outcome: Outcome) {
        match &outcome {
            Ok(video) => info!(
                "job {} made {} frames, {} bytes",
                job.id, video.frames, video.bytes
            ),
            // Not the message: it may name URLs, and they hold signatures.
            Err(failure) => info!("job {} failed: {}", job.id, failure.code),
        }
        let finish = Finish {
            at: Timestamp::now(),
            outcome,
            process: self.block_on(self.jobs.process_info()),
        };
        job.state = JobState::Done;
        job.finish = Some(finish.clone());
        let webhook = self.jobs.webhook(&job, finish.at);
        let attempt = Attempt::of(&job);
        if self.block_on(store(&self.jobs, attempt, &finish, webhook.as_ref())) {
            return;
        }
        // Whoever waits need not wait for the disk as well.
        if let Some(waiter) = self.jobs.shared.waiters.take(job.id) {
            // Err: the caller has hung up meanwhile.
            let _ = waiter.send(job);
        }
        // The worker goes on meanwhile.
        let jobs = self.jobs.clone();
        self.jobs.shared.runtime.spawn(async move {
            tokio::time::sleep(STORE_AGAIN).await;
            while !store(&jobs, attempt, &finish, webhook.as_ref()).await {
                tokio::time::sleep(STORE_AGAIN).await;
            }
        });
    }

    fn release(&self, job: &Job) {
        let released = self.block_on(self.backend().release(Attempt::of(job)));
        if let Err(error) = released {
            // The next start finds it running, and puts it back all the same.
            error!("job {} could not be put back: {}", job.id, chain(&error));
        }
    }

    fn backend(&self) -> &dyn Backend {
        &*self.jobs.shared.backend
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.jobs.shared.runtime.block_on(future)
    }
}

/// Whether the outcome is stored, or need not be.
async fn store(
    jobs: &Jobs,
    attempt: Attempt,
    finish: &Finish,
    webhook: Option<&NewWebhook>,
) -> bool {
    let id = attempt.job;
    let stored: Result<bool, BackendError> =
        jobs.shared.backend.finish(attempt, finish, webhook).await;
    match stored {
        Ok(true) => true,
        Ok(false) => {
            warn!("the result of job {id} was not stored: another attempt has the job");
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

fn failed(code: FailureCode, message: String) -> Ending {
    Ending::Finished(Err(Failure::new(code, message)))
}
