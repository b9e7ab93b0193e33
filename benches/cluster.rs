//! A cluster whose videos take a fixed time: how many jobs one PostgreSQL hands out, how soon, and with how many
//! statements. `make bench-cluster`.
//!
//! The server is started here, as the tests start theirs, but with durable commits.

#[path = "../tests/servers/mod.rs"]
mod servers;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use kinora::job::{
    Finish, Job, JobId, JobRequest, Lane, ProcessInfo, StoredVideo, Timestamp, UnstoredVideo,
    VideoFacts,
};
use kinora::jobs::Backend;
use kinora::jobs::backend::{Attempt, Bounds, Delivery, JobEvent, NewWebhook, Serves};
use kinora::jobs::postgres::{LEASE, PostgresBackend, Settings};
use kinora::spec::{Asset, Frame, Motion, Move, Output, Scene, Size, Source, VideoSpec};
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
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

const BOUND: usize = 1000;

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
        spec: VideoSpec {
            scenes: vec![Scene {
                photo,
                motion: Motion::Eased(Move::ZoomIn),
            }],
            crossfade: 0.0,
            overlays: Vec::new(),
            logo: None,
            soundtrack: None,
            output: Output {
                length: 5.0,
                frame_rate: 30,
                frame: Frame::LikeFirstPhoto,
                thumbnail_at: None,
            },
        },
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
    done: AtomicUsize,
    claimed_at: Mutex<Vec<(JobId, Instant)>>,
}

/// What the worker and the tasks of a job do, without the video.
async fn work(backend: &PostgresBackend, job: Job, sleep: Duration) {
    let attempt = Attempt::of(&job);
    tokio::time::sleep(sleep).await;
    let video = UnstoredVideo {
        name: "bench".into(),
        facts: facts(),
        made_at: Timestamp::now(),
    };
    assert!(backend.made(attempt, &video).await.expect("a record"));
    // Before it is stored.
    backend.renew(attempt, 0.99).await.expect("a lease");
    let finish = Finish {
        at: Timestamp::now(),
        outcome: Ok(StoredVideo {
            facts: facts(),
            storage: Some("s3://videos".into()),
            url: None,
            thumbnail_url: None,
        }),
        process: ProcessInfo {
            node: "bench".into(),
            pid: 1,
            queue_id: 1,
            queue_length: backend.queue_length().await.expect("a length"),
        },
    };
    let webhook = NewWebhook {
        url: "https://example.com/hook".into(),
        body: vec![b'x'; 600],
        first_at: Timestamp::now(),
    };
    let ended = backend.finish(attempt, &finish, Some(&webhook)).await;
    assert!(ended.expect("an end"));
}

/// Takes webhooks for delivered.
async fn deliver(backend: Arc<PostgresBackend>) {
    let mut events = backend.events();
    loop {
        match events.recv().await {
            Ok(JobEvent::WebhookWritten) | Err(_) => {}
            Ok(_) => continue,
        }
        let claimed = backend.claim_webhooks(1000, 1000).await.expect("webhooks");
        for webhook in claimed.due {
            let done = Delivery::Delivered;
            backend
                .record_delivery(&webhook.id, &done)
                .await
                .expect("a record");
        }
    }
}

fn start_workers(backend: &Arc<PostgresBackend>, arguments: &Arguments, told: &Arc<Told>) {
    let runtime = tokio::runtime::Handle::current();
    for _ in 0..arguments.workers {
        let (backend, told, runtime) = (backend.clone(), told.clone(), runtime.clone());
        let sleep = Duration::from_millis(arguments.sleep);
        thread::spawn(move || {
            while let Some(job) = backend.claim(Serves::Both) {
                let claimed = (job.id, Instant::now());
                let mut times = told
                    .claimed_at
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                times.push(claimed);
                drop(times);
                runtime.block_on(work(&backend, job, sleep));
                told.done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

async fn ended(told: &Told, count: usize) {
    while told.done.load(Ordering::Relaxed) < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// From before a job is accepted until a worker has it, in milliseconds, sorted.
async fn claim_times(nodes: &[Arc<PostgresBackend>], told: &Told, count: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for n in 0..count {
        let job = job();
        let began = Instant::now();
        nodes[n % nodes.len()]
            .accept(&job)
            .await
            .expect("an acceptance");
        ended(told, n + 1).await;
        let claimed = told
            .claimed_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (_, at) = claimed
            .iter()
            .find(|(id, _)| *id == job.id)
            .expect("a claim");
        times.push((*at - began).as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Submits jobs through all nodes; one that finds the queue full waits for a place.
async fn submit(nodes: &[Arc<PostgresBackend>], count: usize) {
    let mut clients = JoinSet::new();
    let left = Arc::new(AtomicUsize::new(count));
    for node in nodes.iter().cycle().take(nodes.len().clamp(4, 64)) {
        let (node, left) = (node.clone(), left.clone());
        clients.spawn(async move {
            let one_less = |left: usize| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
            {
                let job = job();
                while node.accept(&job).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
    }
    clients.join_all().await;
}

/// Statements until now: each is a transaction of its own.
async fn statements(pool: &PgPool) -> i64 {
    // What backends count is told about once a second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let row =
        sqlx::query("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");
    row.fetch_one(pool).await.expect("a row").get(0)
}

async fn tell_sizes(pool: &PgPool, jobs: usize) {
    let row = sqlx::query(
        "SELECT pg_total_relation_size('kinora.jobs'), pg_total_relation_size('kinora.webhooks'), \
         pg_relation_size('kinora.jobs_waiting'), (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'jobs')",
    );
    let row = row.fetch_one(pool).await.expect("a row");
    let bytes = |n: usize| row.get::<i64, _>(n) as f64;
    println!(
        "bytes a job with its webhook and indexes: {:.0}; index of waiting jobs: {:.1} MiB; dead rows: {}",
        (bytes(0) + bytes(1)) / jobs as f64,
        bytes(2) / f64::from(1 << 20),
        row.get::<i64, _>(3)
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
        tokio::spawn(deliver(node.clone()));
        nodes.push(node);
    }
    for node in &nodes {
        start_workers(node, &arguments, &told);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;

    if arguments.idle > 0 {
        let times = claim_times(&nodes, &told, arguments.idle).await;
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
        println!(
            "submit to claim on an idle cluster, {} jobs: p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
            arguments.idle,
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }

    let before = statements(&pool).await;
    let already = told.done.load(Ordering::Relaxed);
    let began = Instant::now();
    submit(&nodes, arguments.jobs).await;
    ended(&told, already + arguments.jobs).await;
    let seconds = began.elapsed().as_secs_f64();
    let count = statements(&pool).await - before;
    println!(
        "{} nodes with {} workers, {} jobs of {} ms: {:.1} s, {:.1} jobs a second, {:.0} an hour; {:.1} statements a job",
        arguments.nodes,
        arguments.workers,
        arguments.jobs,
        arguments.sleep,
        seconds,
        arguments.jobs as f64 / seconds,
        arguments.jobs as f64 / seconds * 3600.0,
        count as f64 / arguments.jobs as f64
    );
    tell_sizes(&pool, already + arguments.jobs).await;
    for node in nodes {
        node.close();
    }
}
