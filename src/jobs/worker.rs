//! The workers: named threads that claim jobs and make their videos.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use log::{error, info, warn};

use super::attempt::RunningAttempt;
use super::backend::{Attempt, Backend, Serves};
use super::storing::{Storing, has_failed};
use super::{CancelReason, Jobs, Settings, cancelled};
use crate::errors::chain;
use crate::job::{Failure, FailureCode, Job, JobId, StoredVideos, UnstoredVideos};
use crate::metrics::metrics;
use crate::pipeline::{Made, PipelineError, StorageError};

/// Between attempts to learn whether an attempt still has its job.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Before each further try at a job that failed for a reason of this machine.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How much later than ffmpeg we may hear of a stop.
const STOP_DELAY: Duration = Duration::from_millis(500);

/// Deaths of processes from which on a job is made while no other is: it may have been to blame, and others not.
const CRASHES_TO_BE_ALONE: u32 = 2;

/// All worker threads.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts `settings.workers` that serve both lanes, and one for the express lane alone.
    pub fn start(jobs: &Jobs, storing: &Storing, settings: &Settings) -> std::io::Result<Self> {
        let names = (1..=settings.workers).map(|n| (format!("worker-{n}"), Serves::Both));
        let express = ("worker-express".to_owned(), Serves::ExpressOnly);
        let company = Arc::new(RwLock::new(()));
        let threads = names.chain([express]).map(|(name, serves)| {
            let worker = Worker {
                jobs: jobs.clone(),
                storing: storing.clone(),
                time_limit: settings.time_limit,
                max_attempts: settings.max_attempts,
                reuses_videos: settings.reuses_videos,
                company: company.clone(),
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
    storing: Storing,
    time_limit: Duration,
    max_attempts: u32,
    reuses_videos: bool,
    /// Held together by those that make videos, or by one alone.
    company: Arc<RwLock<()>>,
}

/// How an attempt ends.
enum Ending {
    Made(UnstoredVideos),
    /// The same was made before, and is stored for this job too.
    Stored(StoredVideos),
    Failed(Failure),
    /// Some of its files may be stored.
    FailedWithFiles(Failure),
    /// The job goes back to the queue.
    Released,
    /// Another attempt has the job.
    Lost,
}

impl Worker {
    fn run(&self, serves: Serves) {
        while let Some(mut job) = self.backend().claim(serves) {
            job.claimed = Some(Instant::now());
            self.jobs.shared.waiters.begun(job.id);
            self.work_when_allowed(job);
        }
    }

    /// Beside others, or alone.
    fn work_when_allowed(&self, job: Job) {
        let company = &*self.company;
        // What they guard is nothing, and cannot be left half done.
        if job.crashes >= CRASHES_TO_BE_ALONE {
            info!(
                "job {} is made alone: {} processes died in the middle of it",
                job.id, job.crashes
            );
            let waiting = RunningAttempt::waiting(&self.jobs, &job);
            let _alone = company.write().unwrap_or_else(PoisonError::into_inner);
            drop(waiting);
            return self.work(job);
        }
        let _others = company.try_read().unwrap_or_else(|_| {
            let _waiting = RunningAttempt::waiting(&self.jobs, &job);
            company.read().unwrap_or_else(PoisonError::into_inner)
        });
        self.work(job);
    }

    fn work(&self, job: Job) {
        let attempt = RunningAttempt::making(&self.jobs, &job, self.time_limit);
        note_start(&job);
        let began = Instant::now();
        let ending = self.attempt(&job, &attempt);
        note_making(&ending, began);
        match ending {
            Ending::Made(video) => {
                // Before the attempt goes on as another.
                drop(attempt);
                self.hand_over(job, video);
            }
            Ending::Stored(videos) => {
                let urls = self.block_on(self.storing.urls(job.id, &videos));
                let _ = self.block_on(self.jobs.finish(job, Ok(videos), &urls));
            }
            Ending::Failed(failure) => {
                // The worker does not wait for what is left to do in the background.
                let _ = self.block_on(self.jobs.finish(job, Err(failure), &[]));
            }
            Ending::FailedWithFiles(failure) => {
                let id = job.id;
                let videos = job.request.specs.len();
                let writing = self.block_on(self.jobs.finish(job, Err(failure), &[]));
                // Err: it panicked, and the next start begins again here.
                let _ = writing.map(|writing| self.block_on(writing));
                if self.block_on(has_failed(&self.jobs, id)) {
                    self.block_on(self.storing.publisher().delete(id, videos));
                }
            }
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
        let earlier = self.find_same(job);
        let known = earlier
            .as_ref()
            .and_then(|(_, videos)| videos.content_hash.as_deref());
        let made = self.make(job, known, attempt);
        if let (Ok(Ok(Made::Before)), Some((earlier, videos))) = (&made, &earlier) {
            let reused = self.block_on(self.reuse(job, attempt, *earlier, videos));
            return match reused
                .unwrap_or_else(|| self.ending(job, attempt, self.make(job, None, attempt)))
            {
                Ending::Failed(failure) => Ending::FailedWithFiles(failure),
                ending => ending,
            };
        }
        self.ending(job, attempt, made)
    }

    /// Makes the videos, with further tries if this machine is to blame.
    fn make(
        &self,
        job: &Job,
        known: Option<&str>,
        attempt: &RunningAttempt,
    ) -> std::thread::Result<Result<Made<UnstoredVideos>, PipelineError>> {
        let publisher = self.storing.publisher();
        let token = attempt.cancellation().token();
        let mut pauses = PAUSES.into_iter();
        loop {
            let make = || publisher.make(job, known, attempt, token);
            let made = catch_unwind(AssertUnwindSafe(make));
            let Ok(Err(error)) = &made else {
                return made;
            };
            let (Some(failure), Some(pause)) = (temporary(error), pauses.next()) else {
                return made;
            };
            warn!("job {} is tried again: {}", job.id, failure.message);
            let closing = self.jobs.shared.closing.cancelled();
            let paused = async { tokio::time::timeout(pause, closing).await };
            match self.block_on(token.run_until_cancelled(paused)) {
                // The time is over.
                Some(Err(_)) => {}
                // The service is stopping.
                Some(Ok(())) => return made,
                None => return Ok(Err(PipelineError::Cancelled)),
            }
        }
    }

    /// Stores the videos of an earlier job as those of this one. `None`: they have to be made.
    async fn reuse(
        &self,
        job: &Job,
        attempt: &RunningAttempt,
        earlier: JobId,
        videos: &StoredVideos,
    ) -> Option<Ending> {
        let cancellation = attempt.cancellation();
        let publisher = self.storing.publisher();
        loop {
            let stored = publisher.store_copies(job.id, earlier, videos, attempt);
            match stored.await {
                Ok(Some(stored)) => return Some(Ending::Stored(stored)),
                Ok(None) => return None,
                // The fence has cancelled the token.
                Err(StorageError::Fenced(_)) => return Some(self.cancelled(cancellation.reason())),
                // Nobody can tell whose files are there now.
                Err(StorageError::FenceUnknown(_)) => {}
                Err(error) => {
                    warn!("a video is made again, as {}", chain(&error));
                    return None;
                }
            }
            let pause = tokio::time::sleep(ASK_AGAIN);
            if cancellation
                .token()
                .run_until_cancelled(pause)
                .await
                .is_none()
            {
                return Some(self.cancelled(cancellation.reason()));
            }
        }
    }

    fn ending(
        &self,
        job: &Job,
        attempt: &RunningAttempt,
        made: std::thread::Result<Result<Made<UnstoredVideos>, PipelineError>>,
    ) -> Ending {
        match made {
            Ok(Ok(Made::New(video))) => Ending::Made(video),
            Ok(Ok(Made::Before)) => {
                error!("a video was not made, although it never was before");
                Ending::Failed(Failure::internal())
            }
            Ok(Err(PipelineError::Cancelled)) => self.cancelled(attempt.cancellation().reason()),
            Ok(Err(error)) if temporary(&error).is_some() && self.service_is_stopping() => {
                Ending::Released
            }
            Ok(Err(PipelineError::Failed(failure) | PipelineError::Temporary(failure))) => {
                Ending::Failed(failure)
            }
            Err(_) => {
                error!("job {} panicked", job.id);
                Ending::Failed(Failure::internal())
            }
        }
    }

    /// A job of the same specifications, and its videos.
    fn find_same(&self, job: &Job) -> Option<(JobId, StoredVideos)> {
        if !self.reuses_videos {
            return None;
        }
        let earlier = self.block_on(self.backend().find_same(job));
        // It is made again.
        let earlier = earlier.inspect_err(|error| {
            warn!("earlier videos are not known: {}", chain(error));
        });
        let earlier = earlier.ok().flatten()?;
        let videos = earlier.finish?.outcome.ok()?;
        Some((earlier.id, videos))
    }

    fn cancelled(&self, reason: Option<CancelReason>) -> Ending {
        match reason {
            Some(CancelReason::Requested) => Ending::Failed(cancelled()),
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
                Ending::Failed(Failure::internal())
            }
        }
    }

    /// Whether an encoder died because everything is being stopped: a supervisor may signal all our
    /// processes, and ffmpeg be the first to end.
    fn service_is_stopping(&self) -> bool {
        let closing = self.jobs.shared.closing.cancelled();
        self.block_on(async { tokio::time::timeout(STOP_DELAY, closing).await.is_ok() })
    }

    /// Hands a video over to be stored. The worker's place is free from here on.
    fn hand_over(&self, job: Job, video: UnstoredVideos) {
        let recorded = self.block_on(self.backend().made(Attempt::of(&job), &video));
        match recorded {
            Ok(true) => {}
            Ok(false) => {
                warn!("job {} is worked on elsewhere; this attempt ends", job.id);
                return self.block_on(self.storing.publisher().discard(job.id, &video));
            }
            // As good as known: if this process dies now, the video is made again.
            Err(error) => error!("a finished video was not recorded: {}", chain(&error)),
        }
        self.storing.start(&self.jobs, job, video);
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

/// Counts what an attempt has made.
fn note_making(ending: &Ending, began: Instant) {
    if let Ending::Made(videos) = ending {
        let seconds = began.elapsed().as_secs_f64();
        metrics().render_seconds.observe(seconds);
        let frames = videos.all().map(|video| u64::from(video.frames));
        metrics().frames.inc_by(frames.sum());
    }
}

/// Counts the wait of a job that begins.
fn note_start(job: &Job) {
    if let (1, Some(started)) = (job.attempt, job.started_at) {
        let waited = started.seconds_since(job.created_at);
        metrics().queue_seconds.observe(waited);
    }
}

/// The failure that may not come again.
fn temporary(error: &PipelineError) -> Option<&Failure> {
    match error {
        PipelineError::Temporary(failure) => Some(failure),
        PipelineError::Failed(failure) => {
            let ours = [
                FailureCode::DiskFull,
                FailureCode::StorageFailed,
                FailureCode::Internal,
            ];
            ours.contains(&failure.code).then_some(failure)
        }
        PipelineError::Cancelled => None,
    }
}

fn failed(code: FailureCode, message: String) -> Ending {
    Ending::Failed(Failure::new(code, message))
}
