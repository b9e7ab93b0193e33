//! The queue against a model of it: whatever is done to both, they agree.

use std::sync::Arc;
use std::time::Duration;

use kinora::job::{JobId, Lane, PublicState};
use kinora::jobs::backend::{Attempt, Bounds, Cancelled, Lease, Serves};
use kinora::jobs::{AcceptError, Backend};
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::timeout;

use crate::backend::{Harness, finish, job, webhook};

const CASES: u32 = 24;
const MOST_STEPS: usize = 40;
const BOUNDS: Bounds = Bounds {
    normal: Some(4),
    express: Some(4),
    workers: 3,
};
/// For a claim of a job that waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Numbers choose among what there is at that moment.
#[derive(Clone, Debug)]
enum Step {
    Accept(Lane),
    Claim,
    Renew(usize),
    Finish(usize),
    Release(usize),
    Cancel(usize),
    /// The process dies with all its attempts.
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lane = any::<bool>().prop_map(|is_express| match is_express {
        true => Lane::Express,
        false => Lane::Normal,
    });
    let step = prop_oneof![
        10 => lane.prop_map(Step::Accept),
        8 => proptest::strategy::Just(Step::Claim),
        2 => any::<usize>().prop_map(Step::Renew),
        4 => any::<usize>().prop_map(Step::Finish),
        2 => any::<usize>().prop_map(Step::Release),
        2 => any::<usize>().prop_map(Step::Cancel),
        1 => proptest::strategy::Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..MOST_STEPS)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Waits,
    Runs,
    Done,
}

/// A job as the model has it. Their order is that of acceptance.
struct Expected {
    id: JobId,
    lane: Lane,
    state: State,
    attempt: u32,
    crashes: u32,
}

struct Model<H> {
    harness: H,
    jobs: Vec<Expected>,
    /// All attempts that there ever were.
    attempts: Vec<Attempt>,
}

pub async fn a_queue_agrees_with_its_model<H: Harness>() {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let agreed = runner.run(&steps(), |steps| {
        block_in_place(|| Handle::current().block_on(run::<H>(&steps)))
    });
    agreed.unwrap_or_else(|error| panic!("{error}"));
}

async fn run<H: Harness>(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = Model {
        harness: H::new(BOUNDS).await,
        jobs: Vec::new(),
        attempts: Vec::new(),
    };
    for step in steps {
        model.step(step).await?;
        model.agrees().await?;
    }
    model.drain().await
}

fn insist(holds: bool, what: &str) -> Result<(), TestCaseError> {
    match holds {
        true => Ok(()),
        false => Err(TestCaseError::fail(what.to_owned())),
    }
}

impl<H: Harness> Model<H> {
    fn backend(&self) -> Arc<dyn Backend> {
        self.harness.backend()
    }

    fn job(&mut self, id: JobId) -> &mut Expected {
        let job = self.jobs.iter_mut().find(|job| job.id == id);
        job.expect("a job that was accepted")
    }

    fn waiting(&self, lane: Lane) -> Vec<&Expected> {
        let waits = |job: &&Expected| job.state == State::Waits && job.lane == lane;
        let mut waiting: Vec<&Expected> = self.jobs.iter().filter(waits).collect();
        // Stable: the order of acceptance among equals.
        waiting.sort_by_key(|job| job.crashes);
        waiting
    }

    fn running(&self) -> usize {
        let running = self.jobs.iter().filter(|job| job.state == State::Runs);
        running.count()
    }

    fn holds(&self, attempt: Attempt) -> bool {
        let job = self.jobs.iter().find(|job| job.id == attempt.job);
        job.is_some_and(|job| job.state == State::Runs && job.attempt == attempt.number)
    }

    fn attempt(&self, choice: usize) -> Option<Attempt> {
        let count = self.attempts.len();
        (count > 0).then(|| self.attempts[choice % count])
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Accept(lane) => self.accept(lane).await,
            Step::Claim => self.claim().await,
            Step::Renew(choice) => self.renew(choice).await,
            Step::Finish(choice) => self.finish(choice).await,
            Step::Release(choice) => self.release(choice).await,
            Step::Cancel(choice) => self.cancel(choice).await,
            Step::Crash => {
                self.harness = self.harness.crash().await;
                for job in self.jobs.iter_mut().filter(|job| job.state == State::Runs) {
                    job.state = State::Waits;
                    job.crashes += 1;
                }
                Ok(())
            }
        }
    }

    async fn accept(&mut self, lane: Lane) -> Result<(), TestCaseError> {
        let new = job(lane);
        match self.backend().accept(&new, None).await {
            Ok(_) => self.jobs.push(Expected {
                id: new.id,
                lane,
                state: State::Waits,
                attempt: 0,
                crashes: 0,
            }),
            Err(AcceptError::Full { .. }) => {
                let bound = BOUNDS.of(lane).expect("a bound");
                let waiting = self.waiting(lane).len();
                insist(waiting >= bound, "refused although there was room")?;
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        Ok(())
    }

    /// By a worker that is idle, if a job waits.
    async fn claim(&mut self) -> Result<(), TestCaseError> {
        let first = |lane| self.waiting(lane).first().map(|job| job.id);
        let firsts = [first(Lane::Express), first(Lane::Normal)];
        if firsts == [None, None] || self.running() >= BOUNDS.workers {
            return Ok(());
        }
        let backend = self.backend();
        let claim = spawn_blocking(move || backend.claim(Serves::Both));
        let Ok(claimed) = timeout(PATIENCE, claim).await else {
            return Err(TestCaseError::fail("a job that waits is not given out"));
        };
        let claimed = claimed.expect("a claim").expect("a job");
        // An express job may be meant for the worker that has no others.
        insist(
            firsts.contains(&Some(claimed.id)),
            "the claimed job is not the first of its lane",
        )?;
        let expected = self.job(claimed.id);
        insist(claimed.attempt > expected.attempt, "no new attempt")?;
        insist(claimed.crashes == expected.crashes, "other crashes")?;
        expected.state = State::Runs;
        expected.attempt = claimed.attempt;
        self.attempts.push(Attempt::of(&claimed));
        Ok(())
    }

    async fn renew(&mut self, choice: usize) -> Result<(), TestCaseError> {
        let Some(attempt) = self.attempt(choice) else {
            return Ok(());
        };
        let lease = self.backend().renew(attempt, 0.5).await.expect("a lease");
        insist(
            (lease != Lease::Lost) == self.holds(attempt),
            "a lease is not with whom it should be",
        )
    }

    async fn finish(&mut self, choice: usize) -> Result<(), TestCaseError> {
        let Some(attempt) = self.attempt(choice) else {
            return Ok(());
        };
        let (end, webhook) = (finish(), webhook("example.com"));
        let backend = self.backend();
        let ended = backend.finish(attempt, &end, Some(&webhook)).await;
        let holds = self.holds(attempt);
        insist(ended.expect("an answer") == holds, "finished by another")?;
        if holds {
            self.job(attempt.job).state = State::Done;
        }
        Ok(())
    }

    async fn release(&mut self, choice: usize) -> Result<(), TestCaseError> {
        let Some(attempt) = self.attempt(choice) else {
            return Ok(());
        };
        let released = self.backend().release(attempt).await.expect("an answer");
        let holds = self.holds(attempt);
        insist(released == holds, "released by another")?;
        if holds {
            self.job(attempt.job).state = State::Waits;
        }
        Ok(())
    }

    async fn cancel(&mut self, choice: usize) -> Result<(), TestCaseError> {
        let count = self.jobs.len();
        if count == 0 {
            return Ok(());
        }
        let job = &mut self.jobs[choice % count];
        let backend = self.harness.backend();
        let cancelled = backend.cancel(job.id, &finish(), None).await;
        let expected = match job.state {
            State::Waits => Cancelled::Ended,
            State::Runs => Cancelled::Requested,
            State::Done => Cancelled::TooLate,
        };
        insist(cancelled.expect("an answer") == expected, "a cancellation")?;
        if job.state == State::Waits {
            job.state = State::Done;
        }
        Ok(())
    }

    /// Each job is in the same state, and in the same place.
    async fn agrees(&self) -> Result<(), TestCaseError> {
        let order = [Lane::Express, Lane::Normal].map(|lane| self.waiting(lane));
        let order: Vec<JobId> = order.into_iter().flatten().map(|job| job.id).collect();
        for job in &self.jobs {
            let status = self.backend().status(job.id).await.expect("an answer");
            let status = status.expect("the job");
            let place = order.iter().position(|id| *id == job.id);
            let place = place.map(|place| place as u32 + 1);
            insist(status.queue_position == place, "another place")?;
            let state = match job.state {
                State::Waits => PublicState::Queued,
                State::Runs => PublicState::Running,
                State::Done => PublicState::Done,
            };
            insist(status.job.public_state() == state, "another state")?;
        }
        Ok(())
    }

    /// All that is left can be done.
    async fn drain(&mut self) -> Result<(), TestCaseError> {
        loop {
            let current = self.attempts.iter().position(|it| self.holds(*it));
            match current {
                Some(choice) => self.finish(choice).await?,
                None if self.jobs.iter().any(|job| job.state == State::Waits) => {
                    self.claim().await?;
                }
                None => return self.agrees().await,
            }
        }
    }
}
