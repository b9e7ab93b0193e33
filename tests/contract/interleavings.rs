//! Random interleavings of what nodes do to the jobs that they share.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kinora::job::{JobId, Lane};
use kinora::jobs::backend::{Attempt, Bounds, Lease, Serves};
use kinora::jobs::postgres::{PostgresBackend, Settings};
use kinora::jobs::{AcceptError, Backend, Cancelled};
use sqlx::Row;
use sqlx::postgres::PgPool;
use tokio::task::spawn_blocking;

use crate::backend::{finish, job, webhook};
use crate::postgres::{server, settings};

/// What a node may do next.
#[derive(Clone, Copy)]
enum Step {
    Accept,
    Claim,
    Renew,
    Finish,
    Release,
    Cancel,
    /// Does nothing until its leases have lapsed.
    Freeze,
}

const STEPS: [(Step, u32); 7] = [
    (Step::Accept, 40),
    (Step::Claim, 30),
    (Step::Renew, 15),
    (Step::Finish, 25),
    (Step::Release, 5),
    (Step::Cancel, 5),
    (Step::Freeze, 1),
];

const NODES: u64 = 8;
const STEPS_OF_EACH: usize = 400;
const BOUND: usize = 5;
const SHORT_LEASE: Duration = Duration::from_millis(400);

/// A node that does whatever comes to its mind, and what it believes to have done.
struct Node {
    backend: Arc<PostgresBackend>,
    random: u64,
    held: Vec<Attempt>,
    accepted: Vec<JobId>,
    ended: Vec<JobId>,
}

impl Node {
    /// The numbers of a linear congruential generator (Knuth, MMIX).
    fn below(&mut self, limit: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % limit
    }

    fn next_step(&mut self) -> Step {
        let total: u32 = STEPS.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total as usize) as u32;
        for (step, weight) in STEPS {
            if at < weight {
                return step;
            }
            at -= weight;
        }
        unreachable!("the weights have a sum")
    }

    fn pick(&mut self) -> Option<Attempt> {
        let count = self.held.len();
        (count > 0)
            .then(|| self.below(count))
            .map(|n| self.held.swap_remove(n))
    }

    async fn step(&mut self) {
        match self.next_step() {
            Step::Accept => {
                let lane = [Lane::Normal, Lane::Express][self.below(2)];
                let job = job(lane);
                match self.backend.accept(&job, None).await {
                    Ok(_) => self.accepted.push(job.id),
                    Err(AcceptError::Full { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            Step::Claim => {
                let backend = self.backend.clone();
                let claiming = spawn_blocking(move || backend.claim(Serves::Both));
                let job = claiming.await.expect("a claim").expect("a job");
                self.held.push(Attempt::of(&job));
            }
            Step::Renew => {
                if let Some(attempt) = self.pick()
                    && self.backend.renew(attempt, 0.5).await.expect("a lease") != Lease::Lost
                {
                    self.held.push(attempt);
                }
            }
            Step::Finish => {
                if let Some(attempt) = self.pick() {
                    let webhook = webhook("example.com");
                    let finish = finish();
                    let ended = self.backend.finish(attempt, &finish, Some(&webhook));
                    if ended.await.expect("an end") {
                        self.ended.push(attempt.job);
                    }
                }
            }
            Step::Release => {
                if let Some(attempt) = self.pick() {
                    self.backend.release(attempt).await.expect("a release");
                }
            }
            Step::Cancel => {
                let count = self.accepted.len();
                if count > 0 {
                    let chosen = self.below(count);
                    let id = self.accepted[chosen];
                    let webhook = webhook("example.com");
                    let finish = finish();
                    let cancelled = self.backend.cancel(id, &finish, Some(&webhook));
                    if cancelled.await.expect("an answer") == Cancelled::Ended {
                        self.ended.push(id);
                    }
                }
            }
            Step::Freeze => tokio::time::sleep(SHORT_LEASE * 2).await,
        }
    }
}

/// What must hold between any two statements.
async fn look(pool: &PgPool) {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM kinora.jobs WHERE state = 'queued' AND attempt = 0 AND lane = 0), \
         (SELECT count(*) FROM kinora.jobs WHERE state = 'queued' AND attempt = 0 AND lane = 1), \
         (SELECT count(*) FROM kinora.jobs WHERE (state = 'running') <> (lease_until IS NOT NULL)), \
         (SELECT count(*) FROM kinora.jobs WHERE state = 'done'), \
         (SELECT count(*) FROM kinora.webhooks)",
    );
    let row = row.fetch_one(pool).await.expect("a row");
    let number = |n: usize| row.get::<i64, _>(n);
    assert!(
        number(0) <= BOUND as i64 && number(1) <= BOUND as i64,
        "a bound"
    );
    assert_eq!(number(2), 0, "who runs has a lease, and nobody else");
    assert_eq!(number(3), number(4), "an end has one webhook");
}

/// Eight nodes that claim, renew, lose, finish, release and cancel jobs in any order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promises_hold_under_random_interleavings() {
    let server = tokio::task::spawn_blocking(server).await.expect("a server");
    let database = server.database().await;
    let bounds = Bounds {
        normal: Some(BOUND),
        express: Some(BOUND),
        workers: 1,
    };
    let seed = JobId::random().to_string();
    println!("seed {seed}");
    let seed = u64::from_str_radix(&seed[..8], 16).expect("a number");
    let pool = database.pool().await;
    let mut nodes = Vec::new();
    for n in 0..NODES {
        let settings = Settings {
            lease: SHORT_LEASE,
            ..settings(&database, &n.to_string(), bounds)
        };
        let backend = PostgresBackend::open(settings).await.expect("a node");
        let mut node = Node {
            backend: Arc::new(backend),
            random: seed.wrapping_add(n),
            held: Vec::new(),
            accepted: Vec::new(),
            ended: Vec::new(),
        };
        let pool = pool.clone();
        nodes.push(tokio::spawn(async move {
            for _ in 0..STEPS_OF_EACH {
                node.step().await;
                look(&pool).await;
            }
            node
        }));
    }
    // So that nobody waits for a job in vain.
    let feeding = {
        let settings = settings(&database, "feeder", bounds);
        let backend = PostgresBackend::open(settings).await.expect("a node");
        tokio::spawn(async move {
            let mut accepted = Vec::new();
            loop {
                let job = job(Lane::Normal);
                if backend.accept(&job, None).await.is_ok() {
                    accepted.push(job.id);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    };
    let mut ended = Vec::new();
    for node in nodes {
        ended.extend(node.await.expect("a node").ended);
    }
    feeding.abort();
    let count = ended.len();
    let once: HashSet<JobId> = ended.into_iter().collect();
    assert_eq!(once.len(), count, "a job ended twice");
    let row = sqlx::query("SELECT count(*) FROM kinora.jobs WHERE state = 'done'");
    let done: i64 = row.fetch_one(&pool).await.expect("a row").get(0);
    assert_eq!(
        done, count as i64,
        "an end that nobody has made, or that is lost"
    );
    assert!(count > 100, "{count} ends tell little");
}
