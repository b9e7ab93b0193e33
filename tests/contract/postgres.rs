//! The cluster's backend, on a PostgreSQL of the tests' own.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kinora::jobs::Backend;
use kinora::jobs::backend::Bounds;
use kinora::jobs::postgres::{LEASE, PostgresBackend, Settings};

use crate::backend::{Harness, backend_contract};
use crate::servers::postgres::{Database, Postgres};

/// One server for all tests, which have databases of their own. It ends with the process.
pub fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

pub fn settings(database: &Database, holder: &str, bounds: Bounds) -> Settings {
    Settings {
        url: database.url(),
        holder: holder.to_owned(),
        bounds,
        lease: LEASE,
        webhook_timeout: Duration::from_secs(15),
    }
}

struct Cluster {
    backend: Arc<PostgresBackend>,
    bounds: Bounds,
    database: Arc<Database>,
}

impl Cluster {
    async fn open(bounds: Bounds, database: Arc<Database>) -> Self {
        let settings = settings(&database, "one", bounds);
        let backend = PostgresBackend::open(settings).await;
        Self {
            backend: Arc::new(backend.expect("a backend")),
            bounds,
            database,
        }
    }
}

impl Harness for Cluster {
    async fn new(bounds: Bounds) -> Self {
        let server = tokio::task::spawn_blocking(server).await;
        let database = server.expect("a server").database().await;
        Self::open(bounds, Arc::new(database)).await
    }

    fn backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    /// The node comes back, with the same data directory.
    async fn crash(&self) -> Self {
        self.backend.shut_down().await;
        Self::open(self.bounds, self.database.clone()).await
    }
}

backend_contract!(Cluster);

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_agrees_with_its_model() {
    crate::model::a_queue_agrees_with_its_model::<Cluster>().await;
}
