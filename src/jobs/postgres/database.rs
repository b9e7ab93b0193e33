//! The database: its connections, how long a statement may take, and what can go wrong with it.

use std::str::FromStr;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleResult};
use log::info;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgListener, PgPoolOptions, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection, Row};
use tokio::time::timeout;

use crate::jobs::backend::BackendError;
use crate::jobs::row::Unreadable;
use crate::metrics::metrics;

/// Never edited once released, and never in the way of nodes of the last version.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// For a connection and a statement on it together: a caller is answered within 2 s.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(1_800);

/// Beside one that listens.
const MAX_CONNECTIONS: usize = 10;

/// At the start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What nodes tell each other: `queued <lane>`, `finished <job>`, `cancel <job>`, `progress <job>`.
const CHANNEL: &str = "kinora";

/// The server gives up before we do, so that nothing is done for a client that has gone. Acceptances count what was
/// accepted while they waited for a lock, which needs this isolation.
const SESSION: &str = "SET statement_timeout = '1500ms'; SET lock_timeout = '1200ms'; \
    SET idle_in_transaction_session_timeout = '5s'; SET default_transaction_isolation = 'read committed'";

/// A node that freezes or dies while it holds the lock of the migrations loses it.
const MIGRATION_SESSION: &str = "SET lock_timeout = '60s'; SET idle_session_timeout = '30s'; \
    SET idle_in_transaction_session_timeout = '30s'";

/// SQLSTATE of a statement that would write to a server which only reads, such as a standby.
const READ_ONLY: &str = "25006";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the job store failed")]
    Database(#[from] sqlx::Error),
    #[error("the job store does not answer")]
    NoAnswer,
    #[error("the job store only reads: it is a standby, or set so")]
    ReadOnly,
    #[error("the job store could not be brought up to date")]
    Migration(#[from] MigrateError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("DATABASE_URL is not usable: {0}")]
    BadUrl(sqlx::Error),
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        metrics().job_store_errors.inc();
        match error.is_away() {
            true => Self::Unavailable(error.into()),
            false => Self::Failed(error.into()),
        }
    }
}

impl StoreError {
    /// Whether the server is out of reach, stopping, starting, no primary, or has no time or room for a client.
    fn is_away(&self) -> bool {
        /// Codes and classes of SQLSTATE: connection exception, transaction rollback, insufficient resources, lock not
        /// available, operator intervention (with the end of a statement that took too long).
        const AWAY: [&str; 6] = ["08", READ_ONLY, "40", "53", "55P03", "57"];
        match self {
            Self::NoAnswer | Self::ReadOnly => true,
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
    options: PgConnectOptions,
    pool: Pool<Connections>,
}

/// Makes connections for the pool. sqlx's own pool asks each connection that is given back whether it is there, without
/// a deadline: one that was lost silently would keep its place for as long as TCP hopes.
struct Connections(PgConnectOptions);

impl Manager for Connections {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<PgConnection> {
        let mut connection = PgConnection::connect_with(&self.0).await?;
        sqlx::raw_sql(SESSION).execute(&mut connection).await?;
        Ok(connection)
    }

    /// Whoever asks for it has a deadline.
    async fn recycle(&self, idle: &mut PgConnection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        Ok(idle.ping().await?)
    }
}

/// A connection that is closed, and not given back, unless its statement came to an end: what comes
/// next over it would be the rest of the last answer, or nothing for a long time.
struct PooledConnection(Option<Object<Connections>>);

impl PooledConnection {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}

impl Database {
    /// Connects, and brings the tables up to date, one node after the other.
    pub async fn open(url: &str) -> Result<Self> {
        let options = options(url)?;
        migrate(&options).await?;
        let connections = Connections(options.clone());
        let pool = Pool::builder(connections).max_size(MAX_CONNECTIONS);
        // Err: never, as it has no deadlines of its own.
        let pool = pool.build().map_err(|_| sqlx::Error::PoolClosed)?;
        Ok(Self { options, pool })
    }

    /// A connection that hears of what other nodes do, until it is lost.
    pub async fn listener(&self) -> Result<PgListener> {
        // Of its own, as sqlx has the listener of a connection that is lost say goodbye over it.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(STATEMENT_TIMEOUT)
            .connect_lazy_with(self.options.clone());
        let listening = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        let listening = timeout(STATEMENT_TIMEOUT, listening).await;
        listening.unwrap_or(Err(StoreError::NoAnswer))
    }

    /// Runs a statement, unless that takes too long.
    pub async fn rows(&self, statement: Statement<'_>) -> Result<Vec<PgRow>> {
        match timeout(STATEMENT_TIMEOUT, self.run(statement)).await {
            Ok(rows) => Ok(rows?),
            Err(_) => Err(StoreError::NoAnswer),
        }
    }

    async fn run(&self, statement: Statement<'_>) -> sqlx::Result<Vec<PgRow>> {
        let connection = self.pool.get().await.map_err(not_connected)?;
        let mut connection = PooledConnection(Some(connection));
        let rows = match &mut connection.0 {
            Some(connection) => statement.fetch_all(&mut **connection).await,
            None => Err(sqlx::Error::PoolClosed),
        };
        if is_usable_after(&rows) {
            connection.give_back();
        }
        rows
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

    /// Whether statements that write will succeed.
    pub async fn probe(&self) -> Result<()> {
        let probed = self.row(sqlx::query(
            "SELECT current_setting('transaction_read_only')::boolean, (SELECT count(*) FROM kinora.lanes)",
        ));
        match probed.await? {
            Some(row) if row.try_get(0)? => Err(StoreError::ReadOnly),
            _ => Ok(()),
        }
    }

    pub fn close(&self) {
        self.pool.close();
    }
}

fn not_connected(error: PoolError<sqlx::Error>) -> sqlx::Error {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Closed => sqlx::Error::PoolClosed,
        PoolError::Timeout(_) | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            sqlx::Error::PoolTimedOut
        }
    }
}

/// Whether the server has answered, if only what is wrong with the statement. One that reads only may have been the
/// primary before: the next connection may lead to another server.
fn is_usable_after(rows: &sqlx::Result<Vec<PgRow>>) -> bool {
    match rows {
        Ok(_) => true,
        Err(sqlx::Error::Database(error)) => error.code().as_deref() != Some(READ_ONLY),
        Err(_) => false,
    }
}

fn options(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).map_err(StoreError::BadUrl)?;
    Ok(options.application_name("kinora"))
}

/// Over a connection of its own, as it may take longer than other statements.
async fn migrate(options: &PgConnectOptions) -> Result<()> {
    let mut connection = connect(options).await?;
    if !is_up_to_date(&mut connection).await? {
        info!("the tables of the job store are brought up to date, once no other node does");
        sqlx::raw_sql(MIGRATION_SESSION)
            .execute(&mut connection)
            .await?;
        let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
        migrator.dangerous_set_table_name("kinora.migrations");
        migrator.create_schema("kinora");
        // Those of a newer version, which runs already.
        migrator.set_ignore_missing(true);
        migrator.run_direct(None, &mut connection, false).await?;
    }
    Ok(connection.close().await?)
}

/// Whether nothing is to be migrated, which needs neither a lock nor the right to make a schema.
async fn is_up_to_date(connection: &mut PgConnection) -> Result<bool> {
    let known = "SELECT to_regclass('kinora.migrations') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(known)
        .fetch_one(&mut *connection)
        .await?
    {
        return Ok(false);
    }
    let applied = sqlx::query_as::<_, (i64, Vec<u8>)>(
        "SELECT version, checksum FROM kinora.migrations WHERE success",
    );
    let applied = applied.fetch_all(connection).await?;
    let is_applied = |version: i64, checksum: &[u8]| {
        applied
            .iter()
            .any(|(other, sum)| *other == version && sum == checksum)
    };
    Ok(MIGRATIONS
        .iter()
        .all(|migration| is_applied(migration.version, &migration.checksum)))
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    let connection = timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options));
    Ok(connection.await.map_err(|_| StoreError::NoAnswer)??)
}
