//! The record: jobs and the webhooks' outbox, in SQLite. Few statements, all here, so that another
//! database can take their place.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Connection, Row, SqlSafeStr, SqliteConnection};

use crate::job::{Finish, Job, JobId, JobState, Lane, Outcome, Request, Stamp, Timestamp};
use crate::spec::VideoSpec;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the job record failed")]
    Database(#[from] sqlx::Error),
    #[error("the job record could not be brought up to date")]
    Migration(#[from] MigrateError),
    #[error("the job record holds a row that cannot be read: {0}")]
    Unreadable(String),
}

type Result<T> = std::result::Result<T, StoreError>;

/// One writer, because SQLite has one; a few readers beside it.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// A webhook to be written to the outbox.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub url: String,
    pub body: Vec<u8>,
    pub first_at: Timestamp,
}

/// A webhook that is due.
#[derive(Clone, Debug)]
pub struct DueWebhook {
    pub id: String,
    pub url: String,
    pub body: Vec<u8>,
    /// How often it has been tried.
    pub attempt: u32,
}

/// What became of an attempt to deliver a webhook.
#[derive(Clone, Debug)]
pub enum Delivery {
    Delivered,
    RetryAt(Timestamp, String),
    GivenUp(String),
}

/// Of jobs in one answer.
const MAX_STATES: i64 = 10_000;

const JOB_COLUMNS: &str = "id, endpoint, client_id, webhook_url, priority, spec, state, attempt, \
                           created_at, started_at, changed_at, outcome, stamp, echo";

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
        migrator().run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { writer, readers })
    }

    pub async fn insert(&self, job: &Job) -> Result<()> {
        let request = &job.request;
        sqlx::query(
            "INSERT INTO jobs (id, endpoint, client_id, webhook_url, priority, spec, echo, state, created_at, changed_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?)",
        )
        .bind(job.id.to_string())
        .bind(&request.endpoint)
        .bind(&request.client_id)
        .bind(&request.webhook_url)
        .bind(priority(request.lane))
        .bind(to_json(&request.spec)?)
        .bind(request.echo.as_ref().map(to_json).transpose()?)
        .bind(job.created_at.0)
        .bind(job.created_at.0)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Begins a new attempt, to be finished before `lease` is over. `None`: there is nothing to
    /// begin.
    pub async fn start(&self, id: JobId, now: Timestamp, lease: Duration) -> Result<Option<Job>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_until = ?, started_at = ?, changed_at = ? \
             WHERE id = ? AND state = 'queued' RETURNING {JOB_COLUMNS}"
        )))
        .bind(now.after(lease).0)
        .bind(now.0)
        .bind(now.0)
        .bind(id.to_string())
        // To the end, and not to the first row only: the end is where the change is committed.
        .fetch_all(&self.writer)
        .await?;
        rows.first().map(read_job).transpose()
    }

    /// Puts an interrupted attempt back into the queue.
    pub async fn requeue(&self, job: &Job, now: Timestamp) -> Result<()> {
        sqlx::query(
            "UPDATE jobs SET state = 'queued', lease_until = NULL, started_at = NULL, changed_at = ? \
             WHERE id = ? AND attempt = ? AND state = 'running'",
        )
        .bind(now.0)
        .bind(job.id.to_string())
        .bind(job.attempt)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Records how an attempt ended, and in the same transaction the webhook that tells of it.
    /// Says whether it counted: an attempt that was given to another in the meantime does not.
    pub async fn finish(
        &self,
        job: &Job,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<bool> {
        let mut connection = self.writer.acquire().await?;
        let recorded = record_finish(&mut connection, job, finish, webhook).await;
        if recorded.is_err() {
            // SQLite may have rolled back by itself, and then the connection's own count of open
            // transactions is wrong: what it does from there on may never be committed.
            connection.close_on_drop();
        }
        recorded
    }

    /// Takes every attempt that a stopped process left behind back into the queue, and lists all
    /// that waits: express first, and a job that was interrupted often after the others, so that
    /// one that brings the process down cannot keep them from running.
    pub async fn recover(&self, now: Timestamp) -> Result<Vec<(JobId, Lane)>> {
        sqlx::query(
            "UPDATE jobs SET state = 'queued', lease_until = NULL, started_at = NULL, changed_at = ? \
             WHERE state = 'running'",
        )
        .bind(now.0)
        .execute(&self.writer)
        .await?;
        let rows = sqlx::query(
            "SELECT id, priority FROM jobs WHERE state = 'queued' ORDER BY priority, attempt, created_at",
        )
        .fetch_all(&self.writer)
        .await?;
        rows.iter()
            .map(|row| Ok((read_id(row)?, read_lane(row)?)))
            .collect()
    }

    pub async fn job(&self, id: JobId) -> Result<Option<Job>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?"
        )))
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| read_job(&row)).transpose()
    }

    /// The place of a queued job, from 1 up, in the order in which the lanes are served.
    /// Of the unfinished jobs there is an index, which `<> 'done'` brings into play.
    pub async fn queue_position(&self, id: JobId) -> Result<Option<u32>> {
        let position: u32 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM jobs AS other, jobs AS this \
             WHERE this.id = ? AND this.state = 'queued' \
             AND other.state = 'queued' AND other.state <> 'done' \
             AND (other.priority, other.created_at, other.id) <= (this.priority, this.created_at, this.id)",
        )
        .bind(id.to_string())
        .fetch_one(&self.readers)
        .await?;
        // None: it has been begun.
        Ok((position > 0).then_some(position))
    }

    /// The states of the jobs that changed since then, the latest if there are very many.
    pub async fn states_since(&self, since: Timestamp) -> Result<Vec<(JobId, JobState)>> {
        let rows = sqlx::query(
            "SELECT id, state FROM jobs WHERE changed_at >= ? ORDER BY changed_at DESC LIMIT ?",
        )
        .bind(since.0)
        .bind(MAX_STATES)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| Ok((read_id(row)?, read_state(row)?)))
            .collect()
    }

    /// Pending webhooks that are due: at most `per_host` for each receiver and `limit` in all, so
    /// that a receiver with many cannot crowd out the others.
    pub async fn due_webhooks(
        &self,
        now: Timestamp,
        per_host: u32,
        limit: u32,
    ) -> Result<Vec<DueWebhook>> {
        let rows = sqlx::query(
            "SELECT id, url, body, attempt FROM ( \
                 SELECT *, ROW_NUMBER() OVER (PARTITION BY host ORDER BY next_at, id) AS place \
                 FROM webhooks WHERE state = 'pending' AND next_at <= ?) \
             WHERE place <= ? ORDER BY place, next_at LIMIT ?",
        )
        .bind(now.0)
        .bind(per_host)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DueWebhook {
                    id: row.try_get("id")?,
                    url: row.try_get("url")?,
                    body: row.try_get("body")?,
                    attempt: row.try_get("attempt")?,
                })
            })
            .collect()
    }

    /// When the next webhook after `now` falls due.
    pub async fn next_webhook_at(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT MIN(next_at) FROM webhooks WHERE state = 'pending' AND next_at > ?",
        )
        .bind(now.0)
        .fetch_one(&self.readers)
        .await?;
        Ok(next.map(Timestamp))
    }

    pub async fn record_delivery(&self, id: &str, delivery: &Delivery) -> Result<()> {
        let (state, next_at, error) = match delivery {
            Delivery::Delivered => ("delivered", None, None),
            Delivery::RetryAt(at, error) => ("pending", Some(at.0), Some(error)),
            Delivery::GivenUp(error) => ("given_up", None, Some(error)),
        };
        sqlx::query("UPDATE webhooks SET attempt = attempt + 1, state = ?, next_at = ?, last_error = ? WHERE id = ?")
            .bind(state)
            .bind(next_at)
            .bind(error)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Lets SQLite write its journal back.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn record_finish(
    connection: &mut SqliteConnection,
    job: &Job,
    finish: &Finish,
    webhook: Option<&NewWebhook>,
) -> Result<bool> {
    let mut transaction = connection.begin().await?;
    let updated = sqlx::query(
        "UPDATE jobs SET state = 'done', lease_until = NULL, changed_at = ?, outcome = ?, stamp = ? \
         WHERE id = ? AND attempt = ? AND state = 'running'",
    )
    .bind(finish.at.0)
    .bind(to_json(&finish.outcome)?)
    .bind(to_json(&finish.stamp)?)
    .bind(job.id.to_string())
    .bind(job.attempt)
    .execute(&mut *transaction)
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(webhook) = webhook {
        sqlx::query(
            "INSERT INTO webhooks (id, url, host, body, next_at, state) VALUES (?, ?, ?, ?, ?, 'pending')",
        )
        .bind(format!("msg_{}", job.id))
        .bind(&webhook.url)
        .bind(host(&webhook.url))
        .bind(&webhook.body)
        .bind(webhook.first_at.0)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// The steps that bring a record of any age up to date.
fn migrator() -> Migrator {
    let step = |version, name: &'static str, sql: &'static str| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(vec![
        step(
            1,
            "jobs and outbox",
            include_str!("../../../migrations/sqlite/0001_jobs_and_outbox.sql"),
        ),
        step(
            2,
            "scenes",
            include_str!("../../../migrations/sqlite/0002_scenes.sql"),
        ),
        step(
            3,
            "echo",
            include_str!("../../../migrations/sqlite/0003_echo.sql"),
        ),
    ])
}

/// The host and port that a URL leads to; the URL itself if it has none.
fn host(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    parsed.map_or_else(|| url.to_owned(), |url| url.authority().to_owned())
}

fn priority(lane: Lane) -> i64 {
    match lane {
        Lane::Express => 0,
        Lane::Normal => 1,
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn read_id(row: &SqliteRow) -> Result<JobId> {
    let text: String = row.try_get("id")?;
    text.parse().map_err(|_| StoreError::Unreadable(text))
}

fn read_lane(row: &SqliteRow) -> Result<Lane> {
    Ok(if row.try_get::<i64, _>("priority")? == 0 {
        Lane::Express
    } else {
        Lane::Normal
    })
}

fn read_state(row: &SqliteRow) -> Result<JobState> {
    match row.try_get("state")? {
        "queued" => Ok(JobState::Queued),
        "running" => Ok(JobState::Running),
        "done" => Ok(JobState::Done),
        other => Err(StoreError::Unreadable(other.to_owned())),
    }
}

fn read_finish(row: &SqliteRow, spec: &VideoSpec) -> Result<Option<Finish>> {
    let (outcome, stamp): (Option<String>, Option<String>) =
        (row.try_get("outcome")?, row.try_get("stamp")?);
    let (Some(outcome), Some(stamp)) = (outcome, stamp) else {
        return Ok(None);
    };
    let mut outcome: Outcome = from_json(&outcome)?;
    if let Ok(video) = &mut outcome
        && video.frame_rate == 0
    {
        video.frame_rate = spec.output.frame_rate;
    }
    Ok(Some(Finish {
        at: Timestamp(row.try_get("changed_at")?),
        outcome,
        stamp: from_json::<Stamp>(&stamp)?,
    }))
}

fn read_job(row: &SqliteRow) -> Result<Job> {
    let started_at: Option<i64> = row.try_get("started_at")?;
    let echo: Option<&str> = row.try_get("echo")?;
    let spec = from_json(row.try_get("spec")?)?;
    Ok(Job {
        id: read_id(row)?,
        state: read_state(row)?,
        attempt: row.try_get("attempt")?,
        created_at: Timestamp(row.try_get("created_at")?),
        started_at: started_at.map(Timestamp),
        finish: read_finish(row, &spec)?,
        request: Request {
            endpoint: row.try_get("endpoint")?,
            client_id: row.try_get("client_id")?,
            webhook_url: row.try_get("webhook_url")?,
            lane: read_lane(row)?,
            spec,
            echo: echo.map(from_json).transpose()?,
        },
    })
}

#[cfg(test)]
mod tests;
