//! Nodes that share a database and a bucket.

use std::sync::OnceLock;

use serde_json::Value;
use sqlx::Row;

use super::bucket::own_s3;
use super::order::short_to;
use super::photos::{Gate, PhotoServer};
use super::service::{PAID, Service, Setup};
use super::sink::Sink;
use super::wait;
use crate::servers::postgres::{Database, Postgres};

/// One server for all tests that leave it in peace.
pub async fn database() -> Database {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(Postgres::start)).await;
    server.expect("a server").database().await
}

/// Whether a running job is in the hands of a node.
pub async fn holds(database: &Database, node: &Service, job: &str) -> bool {
    let pool = database.pool().await;
    let holder =
        sqlx::query("SELECT holder FROM kinora.jobs WHERE id = $1::uuid AND state = 'running'");
    let holder = holder
        .bind(job)
        .fetch_one(&pool)
        .await
        .expect("a running job");
    let id = std::fs::read_to_string(node.setup().data().join("id")).expect("an id");
    holder.get::<String, _>(0) == id.trim()
}

/// How a node with this name is to be started, with one worker.
pub fn node(database: &Database, name: &str) -> Setup {
    own_s3(Setup::new(), "cluster")
        .env("DATABASE_URL", database.url())
        .env("KINORA_NODE", name)
}

pub fn id(envelope: &Value) -> String {
    envelope["job_id"].as_str().expect("job_id").to_owned()
}

/// Posts an order that is held at the gate, and waits until its photo is asked for.
pub async fn held(service: &Service, photos: &PhotoServer, gate: &Gate, sink: &Sink) -> String {
    let before = gate.count();
    let order = short_to(&photos.gated("/held.png", gate), &sink.url("/hook"));
    let accepted = service.post(PAID, &order).await.expect(202);
    gate.arrived(before + 1).await;
    id(&accepted)
}

/// Waits for the webhook of each job, and checks that each has one, with a video.
pub async fn announced_once(sink: &Sink, ids: &[String]) {
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

/// A server that a test may harm, and a database of it.
pub async fn own_server() -> (Postgres, Database) {
    let server = tokio::task::spawn_blocking(Postgres::start).await;
    let server = server.expect("a server");
    let database = server.database().await;
    (server, database)
}
