//! A cluster whose videos take a fixed time: how many jobs one PostgreSQL hands out, how soon, and with how many
//! statements. `make bench-cluster`.
//!
//! The server is started here, as the tests start theirs, but with durable commits.

#[path = "../tests/servers/mod.rs"]
mod servers;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use kinora::job::{
    Finish, Job, JobId, JobRequest, Lane, ProcessInfo, Remarks, StoredVideo, StoredVideos,
    Timestamp, UnstoredVideos, VideoFacts,
};
use kinora::jobs::Backend;
use kinora::jobs::backend::{
    AcceptError, Attempt, Bounds, Delivery, JobEvent, NewWebhook, Receivers, Serves, WebhookClaim,
};
use kinora::jobs::postgres::{LEASE, PostgresBackend, Settings};
use kinora::spec::{
    Asset, BadPhotos, Frame, Motion, Move, Output, Scene, Size, Source, Transition, VideoSpec,
};
use servers::postgres::{Database, Postgres};
use sqlx::Row;
use sqlx::postgres::PgPool;
use tokio::task::JoinSet;

#[derive(Parser)]
struct Arguments {
    /// Nodes, each with connections of its own
    #[arg(long, default_value_t = 2)]
    nodes: usize,
    /// Workers of each node
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Jobs in all
    #[arg(long, default_value_t = 40)]
    jobs: usize,
    /// What a video takes, in milliseconds
    #[arg(long, default_value_t = 1000)]
    sleep: u64,
    /// Jobs that are submitted one after the other to the idle cluster
    #[arg(long, default_value_t = 200)]
    idle: usize,
    /// Jobs that have ended before, with their webhooks
    #[arg(long, default_value_t = 0)]
    ended: i64,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

const BOUND: usize = 1000;

/// Before a statement is repeated, or a job is submitted again.
const AGAIN: Duration = Duration::from_millis(50);

fn job() -> Job {
    let photo = Asset {
        label: "image_url".into(),
        source: Source::Url("https://example.com/a.jpg".into()),
    };
    Job::new(JobRequest {
        dialect: "bench".into(),
        endpoint: "/here".into(),
        client_id: None,
        webhook_url: Some("https://example.com/hook".into()),
        lane: Lane::Normal,
        specs: vec![VideoSpec {
            scenes: vec![Scene::new(photo, Motion::Eased(Move::ZoomIn))],
            transition: Transition::CUT,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length: 5.0,
                frame_rate: 30,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
                max_bytes: None,
            },
            cut_on_beat: false,
            music_volume: 1.0,
            bad_photos: BadPhotos::Fail,
        }],
        dialect_data: None,
    })
}

fn facts() -> VideoFacts {
    VideoFacts {
        size: Size {
            width: 1920,
            height: 1080,
        },
        frames: 150,
        frame_rate: 30,
        bytes: 1_000_000,
        has_thumbnail: false,
    }
}

/// What all nodes tell of their jobs.
#[derive(Default)]
struct Told {
    claimed_at: Mutex<HashMap<JobId, Instant>>,
    claims: Mutex<Times>,
    acceptances: Mutex<Times>,
    /// Statements that were too late, or found no connection.
    repeated: AtomicUsize,
}

/// In milliseconds.
type Times = Vec<f32>;

fn lock<T>(told: &Mutex<T>) -> MutexGuard<'_, T> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(times: &Mutex<Times>, began: Instant) {
    lock(times).push(began.elapsed().as_secs_f32() * 1000.0);
}

fn quantiles(mut times: Times) -> String {
    times.sort_by(f32::total_cmp);
    let at = |part: f64| {
        let last = times.len().saturating_sub(1);
        times
            .get((last as f64 * part) as usize)
            .copied()
            .unwrap_or(f32::NAN)
    };
    format!(
        "p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    )
}

/// The result of a statement, which is repeated until it succeeds. A macro, as a function with closures of
/// borrowed futures is none that may move between threads.
macro_rules! insist {
    ($told:expr, $statement:expr) => {
        loop {
            match $statement.await {
                Ok(done) => break done,
                Err(_) => {
                    $told.repeated.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    };
}

/// What the worker and the tasks of a job do, without the video. An end that was recorded although its answer
/// was too late is refused when it is repeated.
async fn work(backend: &PostgresBackend, job: Job, sleep: Duration, told: &Told) {
    let attempt = Attempt::of(&job);
    tokio::time::sleep(sleep).await;
    let video = UnstoredVideos {
        name: "bench".into(),
        first: facts(),
        others: Vec::new(),
        content_hash: None,
        remarks: Remarks::default(),
        made_at: Timestamp::now(),
    };
    insist!(told, backend.made(attempt, &video));
    // Before it is stored.
    insist!(told, backend.renew(attempt, 0.99));
    let finish = Finish {
        at: Timestamp::now(),
        outcome: Ok(StoredVideos {
            first: StoredVideo {
                facts: facts(),
                url: None,
                thumbnail_url: None,
            },
            others: Vec::new(),
            storage: Some("s3://videos".into()),
            content_hash: None,
            remarks: Remarks::default(),
        }),
        process: ProcessInfo {
            node: "bench".into(),
            pid: 1,
            queue_id: 1,
            queue_length: insist!(told, backend.queue_length()),
        },
    };
    let webhook = NewWebhook {
        url: "https://example.com/hook".into(),
        body: vec![b'x'; 600],
        delay: Duration::ZERO,
    };
    insist!(told, backend.finish(attempt, &finish, Some(&webhook)));
}

/// Takes webhooks for delivered.
async fn deliver(backend: Arc<PostgresBackend>, told: Arc<Told>) {
    let mut events = backend.events();
    loop {
        match events.recv().await {
            Ok(JobEvent::WebhookWritten) | Err(_) => {}
            Ok(_) => continue,
        }
        let all = WebhookClaim {
            limit: 1000,
            per_receiver: 1000,
            per_host: 1000,
            to: Receivers::AllBut(&[]),
        };
        let claimed = insist!(told, backend.claim_webhooks(all));
        for webhook in claimed.due {
            let done = Delivery::Delivered;
            insist!(
                told,
                backend.record_delivery(&webhook.id, webhook.attempt, &done)
            );
        }
    }
}

fn start_workers(backend: &Arc<PostgresBackend>, arguments: &Arguments, told: &Arc<Told>) {
    let runtime = tokio::runtime::Handle::current();
    for _ in 0..arguments.workers {
        let (backend, told, runtime) = (backend.clone(), told.clone(), runtime.clone());
        let sleep = Duration::from_millis(arguments.sleep);
        thread::spawn(move || {
            let mut began = Instant::now();
            while let Some(job) = backend.claim(Serves::Both) {
                note(&told.claims, began);
                lock(&told.claimed_at).insert(job.id, Instant::now());
                runtime.block_on(work(&backend, job, sleep, &told));
                began = Instant::now();
            }
        });
    }
}

/// Puts jobs into the tables that have ended before: copies of the last one.
async fn add_ended(pool: &PgPool, count: i64) {
    for statement in [
        "INSERT INTO kinora.jobs (id, dialect, endpoint, webhook_url, lane, spec, needs, state, attempt, created_at, \
             started_at, changed_at, finished_at, outcome, process) \
         SELECT gen_random_uuid(), dialect, endpoint, webhook_url, lane, spec, needs, state, attempt, created_at, \
             started_at, changed_at - 86400000 + n, finished_at, outcome, process \
         FROM generate_series(1, $1) AS n, (SELECT * FROM kinora.jobs WHERE state = 'done' LIMIT 1) AS job",
        "INSERT INTO kinora.webhooks (id, url, host, body, attempt, state, sender) \
         SELECT 'msg_' || gen_random_uuid(), url, host, body, 1, state, sender \
         FROM generate_series(1, $1), (SELECT * FROM kinora.webhooks WHERE state = 'delivered' LIMIT 1) AS webhook",
    ] {
        let added = sqlx::query(statement).bind(count).execute(pool).await;
        added.expect("ended jobs");
    }
    sqlx::raw_sql("VACUUM ANALYZE kinora.jobs, kinora.webhooks")
        .execute(pool)
        .await
        .expect("a vacuum");
}

/// Waits until no job waits or is worked on. Tells how often it has asked.
async fn all_ended(pool: &PgPool) -> i64 {
    let left = "SELECT count(*) FROM kinora.jobs WHERE state IN ('queued', 'running')";
    let mut asked = 0;
    loop {
        asked += 1;
        let row = sqlx::query(left).fetch_one(pool).await.expect("a row");
        if row.get::<i64, _>(0) == 0 {
            return asked;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// From before a job is accepted until a worker has it.
async fn claim_times(
    nodes: &[Arc<PostgresBackend>],
    told: &Told,
    pool: &PgPool,
    count: usize,
) -> Times {
    let mut times = Times::new();
    for node in nodes.iter().cycle().take(count) {
        let job = job();
        let began = Instant::now();
        insist!(told, node.accept(&job, None));
        all_ended(pool).await;
        if let Some(at) = lock(&told.claimed_at).get(&job.id) {
            times.push((*at - began).as_secs_f32() * 1000.0);
        }
    }
    times
}

/// Submits jobs through all nodes; one that finds the queue full waits for a place.
async fn submit(nodes: &[Arc<PostgresBackend>], told: &Arc<Told>, count: usize) {
    let mut clients = JoinSet::new();
    let left = Arc::new(AtomicUsize::new(count));
    for node in nodes.iter().cycle().take(nodes.len().clamp(4, 64)) {
        let (node, left, told) = (node.clone(), left.clone(), told.clone());
        clients.spawn(async move {
            let one_less = |left: usize| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
            {
                accept(&node, &told).await;
            }
        });
    }
    clients.join_all().await;
}

/// A job that is new each time: one whose acceptance was told too late may have been accepted.
async fn accept(node: &PostgresBackend, told: &Told) {
    loop {
        let job = job();
        let began = Instant::now();
        match node.accept(&job, None).await {
            Ok(_) => return note(&told.acceptances, began),
            Err(AcceptError::Full { .. }) => {}
            Err(_) => {
                told.repeated.fetch_add(1, Ordering::Relaxed);
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Statements until now: each is a transaction of its own.
async fn statements(pool: &PgPool) -> i64 {
    // What backends count is told about once a second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let row =
        sqlx::query("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");
    row.fetch_one(pool).await.expect("a row").get(0)
}

async fn tell_sizes(pool: &PgPool) {
    let row = sqlx::query(
        "SELECT pg_total_relation_size('kinora.jobs'), pg_total_relation_size('kinora.webhooks'), \
             pg_relation_size('kinora.jobs_waiting'), \
             (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'jobs'), \
             (SELECT count(*) FROM kinora.jobs), \
             (SELECT count(*) FROM kinora.jobs WHERE state <> 'done'), \
             (SELECT count(*) FROM kinora.webhooks WHERE state = 'delivered')",
    );
    let row = row.fetch_one(pool).await.expect("a row");
    let number = |n: usize| row.get::<i64, _>(n);
    let jobs = number(4);
    println!(
        "{jobs} jobs, {} of them not ended; {} webhooks delivered",
        number(5),
        number(6)
    );
    println!(
        "bytes a job with its webhook and indexes: {}; index of waiting jobs: {:.1} MiB; dead rows: {}",
        (number(0) + number(1)) / jobs.max(1),
        number(2) as f64 / f64::from(1 << 20),
        number(3)
    );
}

async fn open(database: &Database, n: usize, workers: usize) -> Arc<PostgresBackend> {
    let settings = Settings {
        url: database.url(),
        holder: format!("node {n}"),
        bounds: Bounds {
            normal: Some(BOUND),
            express: Some(BOUND),
            workers,
        },
        lease: LEASE,
        webhook_timeout: Duration::from_secs(15),
    };
    Arc::new(PostgresBackend::open(settings).await.expect("a node"))
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let server = Postgres::start_durable();
    let database = server.database().await;
    let pool = database.pool().await;
    let told = Arc::new(Told::default());
    let mut nodes = Vec::new();
    for n in 0..arguments.nodes {
        let node = open(&database, n, arguments.workers).await;
        tokio::spawn(deliver(node.clone(), told.clone()));
        nodes.push(node);
    }
    for node in &nodes {
        start_workers(node, &arguments, &told);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    if arguments.idle > 0 {
        let times = claim_times(&nodes, &told, &pool, arguments.idle).await;
        let jobs = arguments.idle;
        println!(
            "submit to claim on an idle cluster, {jobs} jobs: {}",
            quantiles(times)
        );
    }
    if arguments.ended > 0 {
        add_ended(&pool, arguments.ended).await;
    }
    measure_load(&nodes, &told, &pool, &arguments).await;
    tell_sizes(&pool).await;
    for node in nodes {
        node.close();
    }
}

async fn measure_load(
    nodes: &[Arc<PostgresBackend>],
    told: &Arc<Told>,
    pool: &PgPool,
    arguments: &Arguments,
) {
    let Arguments {
        nodes: count,
        workers,
        jobs,
        sleep,
        ..
    } = arguments;
    lock(&told.claims).clear();
    let before = statements(pool).await;
    let began = Instant::now();
    submit(nodes, told, *jobs).await;
    let asked = all_ended(pool).await;
    let seconds = began.elapsed().as_secs_f64();
    let jobs = *jobs as f64;
    let statements = (statements(pool).await - before - asked) as f64 / jobs;
    let a_second = jobs / seconds;
    println!(
        "{count} nodes with {workers} workers, {jobs} jobs of {sleep} ms: {seconds:.1} s, {a_second:.1} jobs a second, \
         {:.0} an hour; {statements:.1} statements a job",
        a_second * 3600.0
    );
    println!(
        "acceptance: {}",
        quantiles(std::mem::take(&mut *lock(&told.acceptances)))
    );
    println!(
        "claim, with the wait for a job: {}",
        quantiles(std::mem::take(&mut *lock(&told.claims)))
    );
    println!(
        "statements that were too late, and repeated: {}",
        told.repeated.load(Ordering::Relaxed)
    );
}
