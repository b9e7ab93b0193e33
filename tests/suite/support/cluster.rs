//! Nodes that share a database and a bucket.

use std::sync::OnceLock;

use super::bucket::own_s3;
use super::service::Setup;
use crate::servers::postgres::{Database, Postgres};

/// One server for all tests that leave it in peace.
pub async fn database() -> Database {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(Postgres::start)).await;
    server.expect("a server").database().await
}

/// How a node with this name is to be started, with one worker.
pub fn node(database: &Database, name: &str) -> Setup {
    own_s3(Setup::new(), "cluster")
        .env("DATABASE_URL", database.url())
        .env("KINORA_NODE", name)
}
