//! Nodes that share a database and a bucket.

use std::sync::OnceLock;

use sqlx::Row;

use super::bucket::own_s3;
use super::service::{Service, Setup};
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
