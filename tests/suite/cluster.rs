//! Several nodes: any answers, none loses anything.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::servers::postgres::Database;
use crate::support::client::{Answer, client};
use crate::support::cluster::{announced_once, database, held, holds, id, node};
use crate::support::order::{short, short_to, with};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::Sink;

async fn two(database: &Database) -> [Service; 2] {
    [
        node(database, "a").start().await,
        node(database, "b").start().await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bound_holds_over_all_nodes() {
    const BOUND: usize = 10;
    let database = database().await;
    // Whatever the isolation of transactions that the database's owner prefers.
    database
        .set("default_transaction_isolation", "repeatable read")
        .await;
    let bounded = |name| node(&database, name).env("MAX_QUEUE_LENGTH", BOUND.to_string());
    let nodes = [bounded("a").start().await, bounded("b").start().await];
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let mut ids = vec![
        held(&nodes[0], &photos, &gate, &sink).await,
        held(&nodes[0], &photos, &gate, &sink).await,
    ];
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    let asked: Vec<_> = (0..80)
        .map(|n| nodes[n % 2].post_aside(PAID, &order))
        .collect();
    let mut refused = 0;
    for answer in asked {
        let answer = answer.await.expect("an answer");
        match answer.status {
            202 => ids.push(id(&answer.expect(202))),
            _ => {
                answer.expect(429);
                refused += 1;
            }
        }
    }
    assert_eq!((ids.len() - 2, refused), (BOUND, 80 - BOUND));
    gate.open();
    announced_once(&sink, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_answers_for_what_another_makes() {
    let database = database().await;
    let api = node(&database, "api")
        .env("KINORA_ROLE", "api")
        .start()
        .await;
    let other = node(&database, "other")
        .env("KINORA_ROLE", "api")
        .start()
        .await;
    let worker = node(&database, "w")
        .env("KINORA_ROLE", "worker")
        .start()
        .await;
    let (photos, gate) = (PhotoServer::start(), Gate::new());

    // A caller who waits hears of the end soon after it.
    let began = Instant::now();
    let made = api.post(PAID, &short(&photos.small())).await.expect(200);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let url = made["response"].as_str().expect("a URL");
    assert_eq!(Answer::to(client().get(url)).await.status, 200);

    let order = with(
        short(&photos.gated("/held.png", &gate)),
        json!({ "webhook_url": "http://127.0.0.1:1/" }),
    );
    let first = id(&api.post(PAID, &order).await.expect(202));
    gate.arrived(1).await;
    let second = id(&other.post(PAID, &order).await.expect(202));
    for node in [&api, &other] {
        assert_eq!(node.job(&first).await["job_status"], "running");
        assert_eq!(node.job(&second).await["job_status"], "queued");
    }
    gate.open();
    other.job_is(&first, "done").await;
    api.job_is(&second, "done").await;
    let video = other.get(&format!("/videos/{first}.mp4")).await;
    assert_eq!(&video.bytes[4..8], b"ftyp");

    let healthy = async |path| Answer::to(worker.anonymous(Method::GET, path)).await.status;
    assert_eq!(healthy("/healthz").await, 200);
    assert_eq!(healthy("/readyz").await, 200);
    assert_eq!(healthy(&format!("/videos/{first}.mp4")).await, 404);
    assert_eq!(worker.post(PAID, &order).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_node_that_died_is_made_by_another() {
    let database = database().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let first = node(&database, "a").start().await;
    let job = held(&first, &photos, &gate, &sink).await;
    let second = node(&database, "b").start().await;
    let began = Instant::now();
    first.kill().await;
    gate.arrived(2).await;
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    gate.open();
    second.job_is(&job, "done").await;
    announced_once(&sink, &[job]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_frozen_finishes_nothing_that_another_has() {
    let database = database().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let [first, second] = two(&database).await;
    let job = held(&first, &photos, &gate, &sink).await;
    let (holder, other) = match holds(&database, &first, &job).await {
        true => (&first, &second),
        false => (&second, &first),
    };
    holder.signal("STOP");
    gate.arrived(2).await;
    gate.open();
    other.job_is(&job, "done").await;
    holder.signal("CONT");
    holder.logged("is worked on elsewhere").await;
    // It goes on with the next job.
    other.post(PAID, &short(&photos.small())).await.expect(200);
    announced_once(&sink, &[job]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_stopped_leaves_its_job_to_another_at_once() {
    let database = database().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let mut first = node(&database, "a")
        .config("[server]\nstop_grace = \"0s\"")
        .start()
        .await;
    let job = held(&first, &photos, &gate, &sink).await;
    let second = node(&database, "b").start().await;
    first.terminate();
    let began = Instant::now();
    gate.arrived(2).await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert!(first.ended().await.success());
    gate.open();
    second.job_is(&job, "done").await;
    announced_once(&sink, &[job]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_what_all_must_share_does_not_start() {
    let database = database().await;
    let whole = || node(&database, "a");
    let in_data_dir = whole();
    let own_videos = format!("file://{}/videos", in_data_dir.data().display());
    let in_data_dir = in_data_dir.env("KINORA_STORAGE_URL", own_videos);
    for (setup, told) in [
        (whole().without("API_KEY"), "API_KEY must be set"),
        (
            whole().without("KINORA_WEBHOOK_SECRET"),
            "KINORA_WEBHOOK_SECRET must be set",
        ),
        (
            whole().without("KINORA_STORAGE_URL"),
            "a storage that all nodes reach",
        ),
        (in_data_dir, "a storage that all nodes reach"),
        (
            Setup::new().env("KINORA_ROLE", "api"),
            "KINORA_ROLE needs DATABASE_URL",
        ),
        (
            whole().env("DATABASE_URL", "postgres://kinora:hidden@127.0.0.1:1/none"),
            "check DATABASE_URL",
        ),
        (
            whole().env("DATABASE_URL", "mysql://kinora:hidden@localhost/"),
            "postgres://user",
        ),
        (
            whole().env("DATABASE_URL", "host=127.0.0.1 user=kinora password=hidden"),
            "postgres://user",
        ),
        (
            whole().env(
                "DATABASE_URL",
                "postgres://kinora@127.0.0.1:1/none?sslpassword=hidden",
            ),
            "check DATABASE_URL",
        ),
    ] {
        let output = tokio::task::spawn_blocking(move || setup.command().output()).await;
        let output = output.expect("a process").expect("an end");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(
            message.contains(told) && !message.contains("hidden"),
            "{message}"
        );
    }
}
