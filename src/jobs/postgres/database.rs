//! The database: its connections, how long a statement may take, and what can go wrong with it.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgListener, PgPool, PgPoolOptions, PgRow, Postgres,
};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use crate::jobs::backend::BackendError;
use crate::jobs::row::Unreadable;

/// Never edited once released, and never in the way of nodes of the last version.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// For a connection and a statement on it together: a caller is answered within 2 s.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(1_800);

/// One of them listens.
const MAX_CONNECTIONS: u32 = 11;

/// At the start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What nodes tell each other: `queued <lane>`, `finished <job>`, `cancel <job>`.
const CHANNEL: &str = "kinora";

/// What the server itself ends, should it never hear of us again.
const SESSION: &str =
    "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '5s'";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the job store failed")]
    Database(#[from] sqlx::Error),
    #[error("the job store does not answer")]
    NoAnswer,
    #[error("the job store could not be brought up to date")]
    Migration(#[from] MigrateError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("DATABASE_URL is not usable: {0}")]
    BadUrl(sqlx::Error),
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        match error.is_away() {
            true => Self::Unavailable(error.into()),
            false => Self::Failed(error.into()),
        }
    }
}

impl StoreError {
    /// Whether the server is out of reach, stopping, starting, or has no room for a client.
    fn is_away(&self) -> bool {
        /// Classes of SQLSTATE: connection exception, insufficient resources, operator intervention.
        const AWAY: [&str; 3] = ["08", "53", "57"];
        match self {
            Self::NoAnswer => true,
            Self::Database(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                AWAY.iter().any(|class| code.starts_with(class))
            }
            Self::Database(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            ),
            Self::Migration(_) | Self::Unreadable(_) | Self::BadUrl(_) => false,
        }
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

pub type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
}

/// A connection that is dropped, and not given back, unless its statement came to an end: what comes
/// next over it would be the rest of the last answer, or nothing for a long time.
struct Lent(Option<PoolConnection<Postgres>>);

impl Lent {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl Database {
    /// Connects, and brings the tables up to date, one node after the other.
    pub async fn open(url: &str) -> Result<Self> {
        let options = options(url)?;
        migrate(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(STATEMENT_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(SESSION).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// A connection that hears of what other nodes do, and connects anew when it is lost.
    pub async fn listener(&self) -> Result<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    /// Runs a statement, unless that takes too long.
    pub async fn rows(&self, statement: Statement<'_>) -> Result<Vec<PgRow>> {
        let run = async {
            let mut lent = Lent(Some(self.pool.acquire().await?));
            let rows = match &mut lent.0 {
                Some(connection) => statement.fetch_all(&mut **connection).await,
                None => Err(sqlx::Error::PoolClosed),
            };
            match rows {
                // The server has told what is wrong; the connection is as good as before.
                rows @ (Ok(_) | Err(sqlx::Error::Database(_))) => {
                    lent.give_back();
                    rows
                }
                lost => lost,
            }
        };
        match timeout(STATEMENT_TIMEOUT, run).await {
            Ok(rows) => Ok(rows?),
            Err(_) => Err(StoreError::NoAnswer),
        }
    }

    pub async fn row(&self, statement: Statement<'_>) -> Result<Option<PgRow>> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Whether the statement has found its row.
    pub async fn found(&self, statement: Statement<'_>) -> Result<bool> {
        Ok(self.row(statement).await?.is_some())
    }

    pub async fn probe_url(url: &str) -> Result<()> {
        let mut connection = connect(&options(url)?).await?;
        // Not our tables: the first start makes them.
        sqlx::raw_sql("SELECT").execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    pub async fn probe(&self) -> Result<()> {
        self.rows(sqlx::query("SELECT FROM kinora.jobs LIMIT 1"))
            .await?;
        Ok(())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn options(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).map_err(StoreError::BadUrl)?;
    Ok(options.application_name("kinora"))
}

/// Over a connection of its own, as it may take longer than other statements.
async fn migrate(options: &PgConnectOptions) -> Result<()> {
    let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    migrator.dangerous_set_table_name("kinora.migrations");
    migrator.create_schema("kinora");
    // Those of a newer version, which runs already.
    migrator.set_ignore_missing(true);
    let mut connection = connect(options).await?;
    migrator.run_direct(None, &mut connection, false).await?;
    Ok(connection.close().await?)
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    let connection = timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options));
    Ok(connection.await.map_err(|_| StoreError::NoAnswer)??)
}
