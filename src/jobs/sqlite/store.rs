//! The job store: its connections, and the statements about jobs.

use std::path::Path;
use std::time::Duration;

use log::error;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, FromRow, Row, Sqlite, SqliteConnection};

use super::outbox;
use crate::errors::chain;
use crate::job::{
    Failure, Finish, Idempotency, Job, JobId, JobState, Lane, Outcome, ProcessInfo, Timestamp,
    UnstoredVideos, set_clock,
};
use crate::jobs::backend::{Attempt, BackendError, Cancelled, KEY_LIFETIME, NewWebhook};
use crate::jobs::row::{self, JobRow, Unreadable, lane_number, specs_to_json, to_json};
use crate::metrics::metrics;

/// Never edited once released: a store of any version is brought up to date by the later ones.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// What [`JobRow`] reads.
pub const JOB_COLUMNS: &str = "id, dialect, endpoint, dialect_data, client_id, webhook_url, lane, spec, state, attempt, crashes, \
    cancel_requested, unstored, created_at, started_at, changed_at AS finished_at, outcome, process, deleted_at";

/// What SQLite answers when another holds the file, when there is no memory, when a file cannot be read or written,
/// when the disk is full, and when a file cannot be opened.
const SHORTAGES: [i32; 5] = [5, 7, 10, 13, 14];

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the job store failed")]
    Database(#[from] sqlx::Error),
    #[error("the job store could not be brought up to date")]
    Migration(#[from] MigrateError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        metrics().job_store_errors.inc();
        match error.is_temporary() {
            true => Self::Unavailable(error.into()),
            false => Self::Failed(error.into()),
        }
    }
}

impl StoreError {
    /// Whether the system lacks something at the moment, such as room on the disk.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                let code = error.code().and_then(|code| code.parse().ok());
                // The lower byte: above it are the details.
                code.is_some_and(|code: i32| SHORTAGES.contains(&(code & 0xff)))
            }
            Self::Database(error) => {
                matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_))
            }
            Self::Migration(_) | Self::Unreadable(_) => false,
        }
    }
}

type Result<T> = std::result::Result<T, StoreError>;

/// What [`Store::begin`] found.
pub enum Begun {
    Job(Box<Job>),
    /// Nothing waits: what did was cancelled.
    NoJob,
    /// A row of which nothing can be made. Its job has ended.
    Unreadable,
}

/// One writer, because SQLite has one; a few readers beside it.
#[derive(Clone)]
pub struct Store {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
}

impl Store {
    pub async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A committed row has reached the disk: an accepted job outlives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { writer, readers })
    }

    /// Reads a row of a store that may belong to another process.
    pub async fn probe_file(file: &Path) -> Result<()> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::query("SELECT 1 FROM jobs LIMIT 1")
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// Lets SQLite write its journal back.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Reads a row, and takes the lock for writing.
    pub async fn probe(&self) -> Result<()> {
        sqlx::query("SELECT 1 FROM jobs LIMIT 1")
            .execute(&self.readers)
            .await?;
        let mut connection = self.writer.acquire().await?;
        let transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        Ok(transaction.rollback().await?)
    }

    /// The writer, and the time. Times of what waits are read with it, as the clock is set by whoever has it.
    pub(super) async fn writer(&self) -> Result<(PoolConnection<Sqlite>, Timestamp)> {
        let writer = self.writer.acquire().await?;
        Ok((writer, Timestamp::now()))
    }

    /// Sets the clock, together with the times of what waits: those of jobs that run are counted from their start.
    pub async fn follow_clock(&self, step: i64) -> Result<()> {
        let mut writer = self.writer.acquire().await?;
        let moved = move_waiting(&mut writer, step).await;
        match moved {
            Ok(()) => set_clock(step),
            // As in `end`.
            Err(_) => writer.close_on_drop(),
        }
        moved
    }

    /// The job that was accepted with this key lately, and the hash of its request.
    pub async fn known(&self, key: &str) -> Result<Option<(JobId, String)>> {
        let row = sqlx::query(
            "SELECT id, request_hash FROM jobs WHERE idempotency_key = ? AND created_at > ?",
        )
        .bind(key)
        .bind(Timestamp::now().0 - KEY_LIFETIME.as_millis() as i64)
        .fetch_optional(&self.writer)
        .await?;
        let known = row.map(|row| {
            let id: String = row.try_get("id")?;
            Ok((row::parsed(&id)?, row.try_get("request_hash")?))
        });
        known.transpose()
    }

    /// Frees a key whose time is over.
    pub async fn forget_key(&self, key: &str) -> Result<()> {
        sqlx::query("UPDATE jobs SET idempotency_key = NULL WHERE idempotency_key = ?")
            .bind(key)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub async fn insert(&self, job: &Job, idempotency: Option<&Idempotency>) -> Result<()> {
        let request = &job.request;
        let (mut writer, now) = self.writer().await?;
        sqlx::query(
            "INSERT INTO jobs (id, dialect, endpoint, dialect_data, client_id, webhook_url, lane, spec, state, created_at, changed_at, \
             idempotency_key, request_hash, spec_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?)",
        )
        .bind(job.id.to_string())
        .bind(&request.dialect)
        .bind(&request.endpoint)
        .bind(request.dialect_data.as_ref().map(to_json).transpose()?)
        .bind(&request.client_id)
        .bind(&request.webhook_url)
        .bind(lane_number(request.lane))
        .bind(specs_to_json(&request.specs)?)
        .bind(now.0)
        .bind(now.0)
        .bind(idempotency.map(|it| it.key.as_str()))
        .bind(idempotency.map(|it| it.request_hash.as_str()))
        .bind(row::spec_hash(&request.specs)?)
        .execute(&mut *writer)
        .await?;
        Ok(())
    }

    /// Begins an attempt at the first waiting job of a lane.
    pub async fn begin(&self, lane: Lane) -> Result<Begun> {
        let (mut writer, now) = self.writer().await?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, started_at = ?, changed_at = ? \
             WHERE seq = (SELECT seq FROM jobs WHERE lane = ? AND state = 'queued' ORDER BY crashes, seq LIMIT 1) \
             RETURNING {JOB_COLUMNS}"
        )))
        .bind(now.0)
        .bind(now.0)
        .bind(lane_number(lane))
        // All rows and not only the first: the statement is committed after the last.
        .fetch_all(&mut *writer)
        .await?;
        drop(writer);
        let Some(row) = rows.first() else {
            return Ok(Begun::NoJob);
        };
        match job(row) {
            Ok(job) => Ok(Begun::Job(Box::new(job))),
            Err(error) => {
                error!("a job is given up: {}", chain(&error));
                self.give_up(row).await?;
                Ok(Begun::Unreadable)
            }
        }
    }

    /// Ends a job whose row cannot be read, without a webhook: nobody could print it.
    async fn give_up(&self, row: &SqliteRow) -> Result<()> {
        let outcome: Outcome = Err(Failure::internal());
        let process = ProcessInfo {
            node: String::new(),
            pid: std::process::id(),
            queue_id: 0,
            queue_length: 0,
        };
        let id: String = row.try_get("id")?;
        sqlx::query("UPDATE jobs SET state = 'done', unstored = NULL, outcome = ?, process = ? WHERE id = ?")
            .bind(to_json(&outcome)?)
            .bind(to_json(&process)?)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Puts the job of an attempt back into its lane; `None` if the attempt had lost it.
    pub async fn release(&self, attempt: Attempt) -> Result<Option<Lane>> {
        let rows = sqlx::query(
            "UPDATE jobs SET state = 'queued', unstored = NULL, started_at = NULL, changed_at = ? \
             WHERE id = ? AND attempt = ? AND state = 'running' RETURNING lane",
        )
        .bind(Timestamp::now().0)
        .bind(attempt.job.to_string())
        .bind(attempt.number)
        .fetch_all(&self.writer)
        .await?;
        rows.first().map(lane).transpose()
    }

    /// Records that a video is made. `false`: its attempt had lost the job.
    pub async fn made(&self, attempt: Attempt, video: &UnstoredVideos) -> Result<bool> {
        let recorded = sqlx::query(
            "UPDATE jobs SET unstored = ? WHERE id = ? AND attempt = ? AND state = 'running'",
        )
        .bind(to_json(video)?)
        .bind(attempt.job.to_string())
        .bind(attempt.number)
        .execute(&self.writer)
        .await?;
        Ok(recorded.rows_affected() > 0)
    }

    /// Begins an attempt at each job whose video is made and not stored.
    pub async fn take_unstored(&self) -> Result<Vec<Job>> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "UPDATE jobs SET attempt = attempt + 1 WHERE state = 'running' AND unstored IS NOT NULL \
             RETURNING {JOB_COLUMNS}"
        )))
        .fetch_all(&self.writer)
        .await?;
        let mut jobs = Vec::new();
        for row in &rows {
            match job(row) {
                Ok(job) => jobs.push(job),
                Err(error) => {
                    error!("a job is given up: {}", chain(&error));
                    self.give_up(row).await?;
                }
            }
        }
        Ok(jobs)
    }

    /// Ends an attempt and its job, and writes the webhook. `false`: the attempt had lost the job.
    pub async fn finish(
        &self,
        attempt: Attempt,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<bool> {
        let ending = Ending {
            job: attempt.job,
            finish,
            webhook,
            attempt: Some(attempt.number),
        };
        Ok(self.end(ending).await?.is_some())
    }

    /// Ends a job that waits, and writes the webhook; marks one that runs. Tells the lane of a job
    /// that was waiting.
    pub async fn cancel(
        &self,
        id: JobId,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<(Cancelled, Option<Lane>)> {
        loop {
            let ending = Ending {
                job: id,
                finish,
                webhook,
                attempt: None,
            };
            if let Some(lane) = self.end(ending).await? {
                return Ok((Cancelled::Ended, Some(lane)));
            }
            if self.request_cancellation(id).await? {
                return Ok((Cancelled::Requested, None));
            }
            // Released between the two statements.
            let waits = |job: Job| job.state == JobState::Queued;
            if !self.job(id).await?.is_some_and(waits) {
                return Ok((Cancelled::TooLate, None));
            }
        }
    }

    /// Marks a job that runs. `false`: it does not.
    async fn request_cancellation(&self, id: JobId) -> Result<bool> {
        let marked =
            sqlx::query("UPDATE jobs SET cancel_requested = 1 WHERE id = ? AND state = 'running'")
                .bind(id.to_string())
                .execute(&self.writer)
                .await?;
        Ok(marked.rows_affected() > 0)
    }

    /// Ends the job for which `ending` holds, in one transaction with its webhook. Tells its lane.
    async fn end(&self, ending: Ending<'_>) -> Result<Option<Lane>> {
        let mut connection = self.writer.acquire().await?;
        let ended = ending.write(&mut connection).await;
        if ended.is_err() {
            // SQLite may have rolled back by itself, and then the connection's own count of open
            // transactions is wrong: what it does from there on may never be committed.
            connection.close_on_drop();
        }
        ended
    }

    /// Puts every job back that was running when the last process ended, and tells the lanes of all
    /// that wait.
    pub async fn recover(&self) -> Result<Vec<Lane>> {
        sqlx::query(
            "UPDATE jobs SET state = 'queued', crashes = crashes + 1, started_at = NULL, changed_at = ? \
             WHERE state = 'running' AND unstored IS NULL",
        )
        .bind(Timestamp::now().0)
        .execute(&self.writer)
        .await?;
        let rows = sqlx::query("SELECT lane FROM jobs WHERE state = 'queued'")
            .fetch_all(&self.writer)
            .await?;
        rows.iter().map(lane).collect()
    }

    pub async fn mark_deleted(&self, id: JobId) -> Result<bool> {
        let marked = sqlx::query(
            "UPDATE jobs SET deleted_at = coalesce(deleted_at, ?) WHERE id = ? AND state = 'done'",
        )
        .bind(Timestamp::now().0)
        .bind(id.to_string())
        .execute(&self.writer)
        .await?;
        Ok(marked.rows_affected() > 0)
    }
}

/// Moves the times of all that waits.
async fn move_waiting(writer: &mut SqliteConnection, step: i64) -> Result<()> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    for moved in [
        "UPDATE jobs SET created_at = created_at + ? WHERE state = 'queued'",
        "UPDATE webhooks SET next_at = next_at + ? WHERE state = 'pending'",
        "UPDATE photos SET used_at = used_at + ?",
    ] {
        sqlx::query(moved)
            .bind(step)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// So long ago.
pub fn before(age: Duration) -> i64 {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::now().0.saturating_sub(age)
}

pub fn job(row: &SqliteRow) -> Result<Job> {
    Ok(JobRow::from_row(row)?.into_job()?)
}

/// `None`: a row that cannot be read, which is no reason to keep the others back.
pub fn readable<T>(read: Result<T>) -> Option<T> {
    read.inspect_err(|error| error!("a job is left out: {}", chain(error)))
        .ok()
}

fn lane(row: &SqliteRow) -> Result<Lane> {
    Ok(row::lane(row.try_get("lane")?)?)
}

/// How a job ends, and which state it must be in for that.
struct Ending<'a> {
    job: JobId,
    finish: &'a Finish,
    webhook: Option<&'a NewWebhook>,
    /// The attempt that must still hold the job; `None`: the job must be waiting.
    attempt: Option<u32>,
}

impl Ending<'_> {
    async fn write(&self, connection: &mut SqliteConnection) -> Result<Option<Lane>> {
        let mut transaction = connection.begin().await?;
        let ended = sqlx::query(
            "UPDATE jobs SET state = 'done', unstored = NULL, changed_at = ?1, outcome = ?2, process = ?3 \
             WHERE id = ?4 AND CASE WHEN ?5 IS NULL THEN state = 'queued' \
             ELSE state = 'running' AND attempt = ?5 END RETURNING lane",
        )
        .bind(self.finish.at.0)
        .bind(to_json(&self.finish.outcome)?)
        .bind(to_json(&self.finish.process)?)
        .bind(self.job.to_string())
        .bind(self.attempt)
        .fetch_all(&mut *transaction)
        .await?;
        let Some(row) = ended.first() else {
            return Ok(None);
        };
        let lane = lane(row)?;
        if let Some(webhook) = self.webhook {
            outbox::insert(&mut transaction, self.job, webhook).await?;
        }
        transaction.commit().await?;
        Ok(Some(lane))
    }
}
