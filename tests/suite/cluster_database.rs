//! Nodes whose database is away, out of reach, read only, or of another version.

use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::servers::link::Link;
use crate::support::cluster::{announced_once, database, held, id, node, own_server};
use crate::support::order::{short, short_to, with};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{PAID, Service};
use crate::support::sink::Sink;
use crate::support::wait;

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

/// The node whose network fails makes its video, and does not store it over that of another.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_stored_by_a_node_that_cannot_tell_whether_it_has_the_job() {
    let database = database().await;
    let link = Link::to(database.port());
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let cut_off = node(&database, "a").env("DATABASE_URL", database.url_by(link.port()));
    let cut_off = cut_off.start().await;
    let gate = Gate::new();
    let job = held(&cut_off, &photos, &gate, &sink).await;
    link.cut();
    gate.open();
    cut_off.logged("waits on disk").await;
    link.mend();
    cut_off.job_is(&job, "done").await;
    announced_once(&sink, &[job]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_lost_in_silence_are_replaced() {
    let database = database().await;
    let link = Link::to(database.port());
    let setup = node(&database, "a")
        .env("DATABASE_URL", database.url_by(link.port()))
        .config("[server]\nstop_grace = \"1s\"");
    let mut service = setup.start().await;
    let photos = PhotoServer::start();
    let order = with(
        short(&photos.small()),
        json!({ "webhook_url": "http://127.0.0.1:1/" }),
    );
    // More often than there are connections.
    for _ in 0..12 {
        link.lose();
        accepted_within(&service, &order, Duration::from_secs(20)).await;
    }
    link.lose();
    service.terminate();
    let began = Instant::now();
    service.ended().await;
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

async fn accepted_within(service: &Service, order: &Value, time: Duration) -> String {
    let began = Instant::now();
    let job = wait::until_async("an order is taken", async || {
        let answer = service.post(PAID, order).await;
        matches!(answer.status, 202 | 429).then(|| answer.text())
    });
    let job = job.await;
    assert!(began.elapsed() < time, "{:?}", began.elapsed());
    job
}

/// As after a failover, when the old primary comes back as a standby.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_is_away() {
    let database = database().await;
    let service = node(&database, "a").start().await;
    let photos = PhotoServer::start();
    let order = short_to(&photos.small(), &Sink::start().url("/hook"));
    service.post(PAID, &order).await.expect(202);
    database.set("default_transaction_read_only", "on").await;
    database.end_connections().await;
    wait::until_async("the node sees that", async || {
        (service.post(PAID, &order).await.status == 503).then_some(())
    })
    .await;
    says_soon_that_it_cannot(&service, &order).await;
    wait::until_async("it is not ready", async || {
        (service.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    database.set("default_transaction_read_only", "off").await;
    accepted_within(&service, &order, Duration::from_secs(10)).await;
}

/// Another has begun to make the tables, and does not go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_for_the_database_can_be_stopped() {
    let database = database().await;
    let pool = database.pool().await;
    let mut other = pool.begin().await.expect("a transaction");
    let begun = sqlx::raw_sql("CREATE SCHEMA kinora").execute(&mut *other);
    begun.await.expect("a schema");
    let setup = node(&database, "a");
    let starting = setup.command().spawn().expect("a process");
    wait::until_async("the node waits for a lock", async || {
        let waiting = "SELECT FROM pg_stat_activity WHERE application_name = 'kinora' \
            AND wait_event_type = 'Lock' AND datname = current_database()";
        let waiting = sqlx::query(waiting).fetch_optional(&pool).await;
        waiting.expect("an answer")
    })
    .await;
    ends_when_told(starting).await;
}

async fn ends_when_told(mut process: Child) {
    let pid = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    let ended = wait::until("its end", || process.try_wait().expect("a process")).await;
    assert!(ended.success(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_the_right_to_make_tables_can_run_a_node() {
    let database = database().await;
    drop(node(&database, "a").start().await);
    let user = database.user().await;
    let url = database.url().replace("kinora@", &format!("{user}@"));
    let service = node(&database, "b").env("DATABASE_URL", url).start().await;
    let photos = PhotoServer::start();
    service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
}

/// It waits for a node that knows what it asks for; jobs that came after it do not wait for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_newer_version_is_left_to_newer_nodes() {
    let database = database().await;
    let service = node(&database, "a").start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let running = held(&service, &photos, &gate, &sink).await;
    let order = short_to(&photos.small(), &sink.url("/hook"));
    let newer = id(&service.post(PAID, &order).await.expect(202));
    let raise = format!("UPDATE kinora.jobs SET needs = 32000 WHERE id = '{newer}'");
    database.execute(&raise).await;
    let ordinary = id(&service.post(PAID, &order).await.expect(202));
    gate.open();
    service.job_is(&ordinary, "done").await;
    assert_eq!(service.job(&newer).await["job_status"], "queued");
    announced_once(&sink, &[running, ordinary]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_a_character_that_the_database_does_not_know_comes_back() {
    let database = database().await;
    let service = node(&database, "a").start().await;
    let photos = PhotoServer::start();
    let order = with(short(&photos.small()), json!({ "id": "a\u{0}b" }));
    let made = service.post(PAID, &order).await.expect(200);
    assert_eq!(made["id"], "a\u{0}b");
}
