//! The workers: named threads that take jobs, run the pipeline and record what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use log::{error, info};

use super::queue::{Queue, Serves, Taken};
use super::status::Attempt;
use super::{Jobs, Settings, Store};
use crate::errors::chain;
use crate::job::{Failure, Finish, Job, JobId, JobState, Outcome, Timestamp};
use crate::pipeline::{Pipeline, Stop};
use crate::render::Progress;

/// Between tries to record a result while the disk refuses.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// How much later than ffmpeg we may hear of a stop.
const STOP_DELAY: Duration = Duration::from_millis(500);

/// All worker threads.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
    interrupt: Arc<AtomicBool>,
}

impl Workers {
    /// Starts `settings.workers` that serve both lanes, and one for the express lane alone.
    pub fn start(jobs: &Jobs, pipeline: Pipeline, settings: &Settings) -> std::io::Result<Self> {
        let interrupt = Arc::new(AtomicBool::new(false));
        let names = (1..=settings.workers).map(|n| (format!("worker-{n}"), Serves::Both));
        let express = ("worker-express".to_owned(), Serves::ExpressOnly);
        let threads = names.chain([express]).map(|(name, serves)| {
            let worker = Worker {
                jobs: jobs.clone(),
                pipeline: pipeline.clone(),
                interrupt: interrupt.clone(),
                time_limit: settings.time_limit,
                max_attempts: settings.max_attempts,
            };
            thread::Builder::new()
                .name(name)
                .spawn(move || worker.run(serves))
        });
        Ok(Self {
            threads: threads.collect::<Result<_, _>>()?,
            interrupt,
        })
    }

    /// Set to put running jobs back into the queue, at their next frame.
    pub fn interrupt(&self) -> Arc<AtomicBool> {
        self.interrupt.clone()
    }

    /// Waits until every worker has gone home. The queue must be closed.
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
    pipeline: Pipeline,
    interrupt: Arc<AtomicBool>,
    time_limit: Duration,
    max_attempts: u32,
}

impl Worker {
    fn run(&self, serves: Serves) {
        while let Some(taken) = self.queue().take(serves) {
            self.work(taken);
        }
    }

    fn work(&self, taken: Taken) {
        let id = taken.id;
        let caller = self.jobs.caller_of(id);
        let Some(job) = self.start(id) else { return };
        // Until the result is on record.
        let attempt = self.jobs.shared.underway.begin(id);
        let outcome = self.outcome(&job, &attempt);
        // Free before anybody hears of the result, and may send the next job.
        drop(taken);
        match outcome {
            Some(outcome) => {
                let job = self.finish(job, outcome);
                if let Some(caller) = caller {
                    // Err: the caller has hung up, which changes nothing.
                    let _ = caller.send(job);
                }
            }
            None => {
                info!("job {id} was interrupted and goes back into the queue");
                if let Err(error) = self.block_on(self.store().requeue(&job, Timestamp::now())) {
                    // The next start finds it running and takes it back all the same.
                    error!("job {id} could not be put back: {}", chain(&error));
                }
            }
        }
    }

    /// Begins an attempt, and waits for a record that refuses, as on a full disk. `None`: there is
    /// nothing to do, or no time left to do it.
    fn start(&self, id: JobId) -> Option<Job> {
        while !self.interrupt.load(Ordering::Relaxed) {
            match self.block_on(self.store().start(id, Timestamp::now(), self.time_limit)) {
                Ok(job) => return job,
                Err(error) => error!(
                    "job {id} could not be started, trying on: {}",
                    chain(&error)
                ),
            }
            thread::sleep(RECORD_AGAIN);
        }
        None
    }

    /// What came of the attempt; `None` when it was interrupted.
    fn outcome(&self, job: &Job, attempt: &Attempt) -> Option<Outcome> {
        if job.attempt > self.max_attempts {
            let message = format!(
                "the job was interrupted {} times and is given up",
                self.max_attempts
            );
            return Some(Err(Failure::new("too-many-attempts", message)));
        }
        let watch = Watch {
            attempt,
            interrupt: &self.interrupt,
            deadline: Instant::now() + self.time_limit,
        };
        let run = catch_unwind(AssertUnwindSafe(|| self.pipeline.run(job, &watch)));
        match run {
            Ok(Ok(video)) => Some(Ok(video)),
            Ok(Err(Stop::Failed(failure))) => Some(Err(failure)),
            Ok(Err(Stop::EncoderLost(_))) if self.service_is_stopping() => None,
            Ok(Err(Stop::EncoderLost(failure))) => Some(Err(failure)),
            Ok(Err(Stop::Interrupted)) if watch.interrupted() => None,
            Ok(Err(Stop::Interrupted)) => {
                let limit = humantime::format_duration(self.time_limit);
                Some(Err(Failure::new(
                    "time-limit",
                    format!("the job took longer than {limit}"),
                )))
            }
            Err(_) => {
                error!("job {} panicked", job.id);
                Some(Err(Failure::internal()))
            }
        }
    }

    /// Whether an encoder was lost because everything is being stopped: a supervisor may send its
    /// signal to all our processes, and ffmpeg be the faster to obey.
    fn service_is_stopping(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < STOP_DELAY && !self.queue().is_closed() {
            thread::sleep(Duration::from_millis(20));
        }
        self.queue().is_closed()
    }

    /// Records the outcome, and the webhook with it.
    fn finish(&self, mut job: Job, outcome: Outcome) -> Job {
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
            stamp: self.jobs.stamp(),
        };
        job.state = JobState::Done;
        job.finish = Some(finish.clone());
        let webhook = self.jobs.webhook(&job, finish.at);
        let recorded = self.block_on(self.store().finish(&job, &finish, webhook.as_ref()));
        if let Ok(false) = recorded {
            error!(
                "the result of job {} was not recorded: it is not running",
                job.id
            );
        }
        if let Err(error) = recorded {
            error!(
                "the result of job {} could not be recorded, trying on: {}",
                job.id,
                chain(&error)
            );
            let (jobs, job) = (self.jobs.clone(), job.clone());
            self.jobs.shared.runtime.spawn(async move {
                while jobs
                    .shared
                    .store
                    .finish(&job, &finish, webhook.as_ref())
                    .await
                    .is_err()
                {
                    tokio::time::sleep(RECORD_AGAIN).await;
                }
                jobs.shared.webhook_written.notify_one();
            });
        }
        self.jobs.shared.webhook_written.notify_one();
        job
    }

    fn queue(&self) -> &Queue {
        &self.jobs.shared.queue
    }

    fn store(&self) -> &Store {
        &self.jobs.shared.store
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.jobs.shared.runtime.block_on(future)
    }
}

/// Stops a job when the service stops or its time is up, and tells of its progress.
struct Watch<'a> {
    attempt: &'a Attempt<'a>,
    interrupt: &'a AtomicBool,
    deadline: Instant,
}

impl Watch<'_> {
    fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }
}

impl Progress for Watch<'_> {
    fn frames_done(&self, done: u32, of: u32) {
        self.attempt.frames_done(done, of);
    }

    fn stopped(&self) -> bool {
        self.interrupted() || Instant::now() >= self.deadline
    }
}
