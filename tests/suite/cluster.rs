//! Several nodes: any answers, none loses anything.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::servers::link::Link;
use crate::servers::postgres::{Database, Postgres};
use crate::support::client::{Answer, client};
use crate::support::cluster::{database, holds, node};
use crate::support::order::{short, short_to, with};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::Sink;
use crate::support::wait;

fn id(envelope: &Value) -> String {
    envelope["job_id"].as_str().expect("job_id").to_owned()
}

async fn two(database: &Database) -> [Service; 2] {
    [
        node(database, "a").start().await,
        node(database, "b").start().await,
    ]
}

/// Posts an order that is held at the gate, and waits until its photo is asked for.
async fn held(service: &Service, photos: &PhotoServer, gate: &Gate, sink: &Sink) -> String {
    let before = gate.count();
    let order = short_to(&photos.gated("/held.png", gate), &sink.url("/hook"));
    let accepted = service.post(PAID, &order).await.expect(202);
    gate.arrived(before + 1).await;
    id(&accepted)
}

/// Waits for the webhook of each job, and checks that each has one, with a video.
async fn announced_once(sink: &Sink, ids: &[String]) {
    for id in ids {
        let of_job = || {
            let received = sink.received("/hook").into_iter();
            received.filter(|one| one.json()["job_id"] == **id)
        };
        let what = format!("the webhook of {id}");
        let first = wait::until(&what, || of_job().next()).await;
        assert_eq!(first.json()["code"], 200, "{:?}", first.json());
        assert_eq!(of_job().count(), 1, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bound_holds_over_all_nodes() {
    const BOUND: usize = 10;
    let database = database().await;
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
async fn while_the_database_is_away_nothing_is_lost() {
    let (mut server, database) = own_server().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let service = node(&database, "a").start().await;
    let job = held(&service, &photos, &gate, &sink).await;
    let order = short_to(&photos.small(), &sink.url("/hook"));
    let waiting = id(&service.post(PAID, &order).await.expect(202));
    server = tokio::task::spawn_blocking(move || {
        server.crash();
        server
    })
    .await
    .expect("a crash");
    says_soon_that_it_cannot(&service, &order).await;
    // The video is made meanwhile, and recorded later.
    gate.open();
    let server = tokio::task::spawn_blocking(move || {
        server.restart();
        server
    });
    let server = server.await.expect("a start");
    let more = wait::until_async("orders are taken again", async || {
        let answer = service.post(PAID, &order).await;
        (answer.status == 202).then(|| id(&answer.expect(202)))
    })
    .await;
    announced_once(&sink, &[job, waiting, more]).await;
    drop(server);
}

/// Each answer is a 503 that says when to ask again, and none is waited for.
async fn says_soon_that_it_cannot(service: &Service, order: &Value) {
    for _ in 0..3 {
        let began = Instant::now();
        let away = service.post(PAID, order).await;
        away.expect(503);
        away.header("retry-after");
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
    }
}

/// Nothing arrives, and nobody is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_says_so_and_comes_back() {
    let database = database().await;
    let link = Link::to(database.port());
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let cut_off = node(&database, "a").env("DATABASE_URL", database.url_by(link.port()));
    let cut_off = cut_off.start().await;
    let job = held(&cut_off, &photos, &gate, &sink).await;
    let other = node(&database, "b").start().await;
    link.cut();
    let order = short_to(&photos.small(), &sink.url("/hook"));
    says_soon_that_it_cannot(&cut_off, &order).await;
    // The other node takes its job.
    gate.arrived(2).await;
    gate.open();
    other.job_is(&job, "done").await;
    link.mend();
    let began = Instant::now();
    let more = wait::until_async("orders are taken again", async || {
        let answer = cut_off.post(PAID, &order).await;
        (answer.status == 202).then(|| id(&answer.expect(202)))
    })
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    announced_once(&sink, &[job, more]).await;
}

async fn own_server() -> (Postgres, Database) {
    let server = tokio::task::spawn_blocking(Postgres::start).await;
    let server = server.expect("a server");
    let database = server.database().await;
    (server, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_what_all_must_share_does_not_start() {
    let database = database().await;
    let whole = || node(&database, "a");
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
