//! The job store: the statements about jobs.
//!
//! Each call is one statement, committed by itself: a node that freezes in the middle holds no lock.

use std::sync::Arc;
use std::time::Duration;

use log::error;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, Row};

use super::Settings;
use super::database::{Database, Result};
use crate::errors::chain;
use crate::job::{
    Failure, Finish, Idempotency, Job, JobId, JobState, Lane, ProcessInfo, Timestamp,
    UnstoredVideos,
};
use crate::jobs::backend::{Acceptance, Attempt, Cancelled, KEY_LIFETIME, NewWebhook, Serves};
use crate::jobs::row::{self, JobRow, lane_number, specs_to_json, to_json};
use crate::spec::VideoSpec;

/// What [`JobRow`] reads.
pub const JOB_COLUMNS: &str = "id::text, dialect, endpoint, dialect_data, client_id, webhook_url, lane::bigint, \
    spec, state, attempt::bigint, crashes::bigint, cancel_requested, unstored, created_at, started_at, finished_at, \
    outcome, process, deleted_at";

/// What this version knows of specifications. A job tells what a worker has to know to make its videos: older nodes
/// leave it to newer ones.
const KNOWN: i16 = 5;

fn needs(job: &Job) -> i16 {
    // Older nodes would print the webhook of a dialect that they do not know as that of another.
    let is_known = job.request.dialect != "videos";
    let specs = &job.request.specs[..];
    match specs {
        _ if specs.iter().any(VideoSpec::has_blurs_or_extra_time) => 5,
        _ if specs.iter().any(VideoSpec::has_uploads) => 4,
        [spec] if spec.is_plain() && is_known => 2,
        _ => 3,
    }
}

/// What became of a job that was to be accepted.
pub enum Accepted {
    As(Acceptance),
    Full,
    KeyReused,
}

/// What a renewal found.
pub struct Renewed {
    pub cancel_requested: bool,
}

#[derive(Clone)]
pub struct Store {
    pub(super) database: Database,
    settings: Arc<Settings>,
}

impl Store {
    pub async fn open(settings: Settings) -> Result<Self> {
        Ok(Self {
            database: Database::open(&settings.url).await?,
            settings: Arc::new(settings),
        })
    }

    /// Which data directory this is.
    pub(super) fn holder(&self) -> &str {
        &self.settings.holder
    }

    /// How long a claimed webhook is left to who has claimed it: longer than its delivery takes.
    pub(super) fn webhook_lease(&self) -> Duration {
        self.settings.lease + self.settings.webhook_timeout
    }

    pub async fn accept(
        &self,
        job: &Job,
        idempotency: Option<&Idempotency>,
        bound: Option<usize>,
    ) -> Result<Accepted> {
        let request = &job.request;
        let bound = bound.map(|bound| i64::try_from(bound).unwrap_or(i64::MAX));
        let statement = match idempotency {
            None => {
                "SELECT CASE WHEN kinora.accept($1::uuid, $2, $3, $4, $5, $6, $7::smallint, $8, $9, \
                 kinora.now_ms(), $10) THEN $1 ELSE 'full' END"
            }
            Some(_) => {
                "SELECT kinora.accept_once($1::uuid, $2, $3, $4, $5, $6, $7::smallint, $8, $9, \
                 kinora.now_ms(), $10, $11, $12, $13)"
            }
        };
        let mut accepted = sqlx::query(statement)
            .bind(job.id.to_string())
            .bind(&request.dialect)
            .bind(&request.endpoint)
            .bind(request.dialect_data.as_ref().map(to_json).transpose()?)
            // As JSON, because no text in PostgreSQL holds a NUL.
            .bind(request.client_id.as_ref().map(to_json).transpose()?)
            .bind(&request.webhook_url)
            .bind(lane_number(request.lane))
            .bind(specs_to_json(&request.specs)?)
            .bind(needs(job))
            .bind(bound);
        if let Some(Idempotency { key, request_hash }) = idempotency {
            accepted = accepted
                .bind(key)
                .bind(request_hash)
                .bind(milliseconds(KEY_LIFETIME));
        }
        let row = self.database.row(accepted).await?;
        let told: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
        match told.as_deref() {
            None | Some("full") => Ok(Accepted::Full),
            Some("mismatch") => Ok(Accepted::KeyReused),
            Some(id) => match row::parsed(id)? {
                id if id == job.id => Ok(Accepted::As(Acceptance::New)),
                id => Ok(Accepted::As(Acceptance::Known(id))),
            },
        }
    }

    /// Begins an attempt at the first waiting job of the lanes.
    pub async fn claim(&self, serves: Serves) -> Result<Option<Job>> {
        let last_lane = lane_number(match serves {
            Serves::Both => Lane::Normal,
            Serves::ExpressOnly => Lane::Express,
        });
        loop {
            let claimed = sqlx::query(AssertSqlSafe(format!(
                "UPDATE kinora.jobs SET state = 'running', attempt = attempt + 1, holder = $1, \
                     lease_until = kinora.now_ms() + $2, progress = 0, \
                     started_at = kinora.now_ms(), changed_at = kinora.now_ms() \
                 WHERE seq = (SELECT seq FROM kinora.jobs WHERE state = 'queued' AND lane <= $3 AND needs <= $4 \
                     ORDER BY lane, crashes, seq LIMIT 1 FOR UPDATE SKIP LOCKED) \
                 RETURNING {JOB_COLUMNS}"
            )))
            .bind(self.holder())
            .bind(milliseconds(self.settings.lease))
            .bind(last_lane)
            .bind(KNOWN);
            let Some(row) = self.database.row(claimed).await? else {
                return Ok(None);
            };
            if let Some(job) = self.job_or_end(&row).await? {
                return Ok(Some(job));
            }
        }
    }

    /// Reads a row. `None`: it cannot be read, and its job has been ended.
    async fn job_or_end(&self, row: &PgRow) -> Result<Option<Job>> {
        let id: String = row.try_get("id")?;
        let attempt: i64 = row.try_get("attempt")?;
        match job(row) {
            Ok(job) => Ok(Some(job)),
            Err(error) => {
                error!("job {id} is given up: {}", chain(&error));
                // Without a webhook: nobody could print it.
                let end = Ending {
                    finish: &Finish {
                        at: Timestamp::now(),
                        outcome: Err(Failure::internal()),
                        process: ProcessInfo {
                            node: String::new(),
                            pid: std::process::id(),
                            queue_id: 0,
                            queue_length: 0,
                        },
                    },
                    webhook: None,
                    attempt: Some(attempt),
                };
                self.end(&id, end).await?;
                Ok(None)
            }
        }
    }

    /// `None`: the attempt had lost its job.
    pub async fn renew(&self, attempt: Attempt, progress: f64) -> Result<Option<Renewed>> {
        let renewed = sqlx::query(
            "UPDATE kinora.jobs SET lease_until = kinora.now_ms() + $3, progress = $4 \
             WHERE id = $1::uuid AND attempt = $2 AND state = 'running' RETURNING cancel_requested",
        )
        .bind(attempt.job.to_string())
        .bind(i64::from(attempt.number))
        .bind(milliseconds(self.settings.lease))
        .bind(progress);
        let Some(row) = self.database.row(renewed).await? else {
            return Ok(None);
        };
        Ok(Some(Renewed {
            cancel_requested: row.try_get(0)?,
        }))
    }

    /// Puts the job of an attempt back into its lane. `false`: the attempt had lost it.
    pub async fn release(&self, attempt: Attempt) -> Result<bool> {
        self.database.found(
            sqlx::query(
                "WITH released AS (UPDATE kinora.jobs SET state = 'queued', holder = NULL, \
                     lease_until = NULL, unstored = NULL, started_at = NULL, changed_at = kinora.now_ms() \
                     WHERE id = $1::uuid AND attempt = $2 AND state = 'running' RETURNING lane) \
                 SELECT pg_notify('kinora', 'queued ' || lane)::text FROM released",
            )
            .bind(attempt.job.to_string())
            .bind(i64::from(attempt.number)),
        )
        .await
    }

    /// Records that a video is made. `false`: its attempt had lost the job.
    pub async fn made(&self, attempt: Attempt, video: &UnstoredVideos) -> Result<bool> {
        self.database
            .found(
                sqlx::query(
                    "UPDATE kinora.jobs SET unstored = $3, lease_until = kinora.now_ms() + $4 \
                 WHERE id = $1::uuid AND attempt = $2 AND state = 'running' RETURNING seq",
                )
                .bind(attempt.job.to_string())
                .bind(i64::from(attempt.number))
                .bind(to_json(video)?)
                .bind(milliseconds(self.settings.lease)),
            )
            .await
    }

    /// Begins an attempt at each job whose video was made here and is not stored.
    pub async fn take_unstored(&self) -> Result<Vec<Job>> {
        let rows = self
            .database
            .rows(
                sqlx::query(AssertSqlSafe(format!(
                    "UPDATE kinora.jobs SET attempt = attempt + 1, lease_until = kinora.now_ms() + $2 \
                     WHERE state = 'running' AND holder = $1 AND unstored IS NOT NULL \
                     RETURNING {JOB_COLUMNS}"
                )))
                .bind(self.holder())
                .bind(milliseconds(self.settings.lease)),
            )
            .await?;
        let mut jobs = Vec::new();
        for row in &rows {
            jobs.extend(self.job_or_end(row).await?);
        }
        Ok(jobs)
    }

    /// Puts the jobs back that the last process with this data directory was working on.
    pub async fn recover(&self) -> Result<usize> {
        let statement = put_back("holder = $1 AND unstored IS NULL");
        let back = sqlx::query(AssertSqlSafe(statement)).bind(self.holder());
        Ok(self.database.rows(back).await?.len())
    }

    /// Puts the jobs back whose leases have lapsed, wherever they ran. The videos that some may have made are
    /// out of reach with their holders.
    pub async fn put_lapsed_back(&self) -> Result<usize> {
        let statement = put_back("lease_until < kinora.now_ms()");
        let back = sqlx::query(AssertSqlSafe(statement));
        Ok(self.database.rows(back).await?.len())
    }

    /// Ends an attempt and its job, and writes the webhook. `false`: the attempt had lost the job.
    pub async fn finish(
        &self,
        attempt: Attempt,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<bool> {
        let ending = Ending {
            finish,
            webhook,
            attempt: Some(attempt.number.into()),
        };
        self.end(&attempt.job.to_string(), ending).await
    }

    /// Ends a job that waits, and writes the webhook; marks one that runs, and tells its holder.
    pub async fn cancel(
        &self,
        id: JobId,
        finish: &Finish,
        webhook: Option<&NewWebhook>,
    ) -> Result<Cancelled> {
        loop {
            let ending = Ending {
                finish,
                webhook,
                attempt: None,
            };
            if self.end(&id.to_string(), ending).await? {
                return Ok(Cancelled::Ended);
            }
            if self.request_cancellation(id).await? {
                return Ok(Cancelled::Requested);
            }
            // Released between the two statements.
            let waits = |job: Job| job.state == JobState::Queued;
            if !self.job(id).await?.is_some_and(waits) {
                return Ok(Cancelled::TooLate);
            }
        }
    }

    /// Marks a job that runs. `false`: it does not.
    async fn request_cancellation(&self, id: JobId) -> Result<bool> {
        self.database
            .found(
                sqlx::query(
                    "WITH marked AS (UPDATE kinora.jobs SET cancel_requested = true \
                     WHERE id = $1::uuid AND state = 'running' RETURNING id) \
                 SELECT pg_notify('kinora', 'cancel ' || id)::text FROM marked",
                )
                .bind(id.to_string()),
            )
            .await
    }

    /// Ends the job for which `ending` holds, in one statement with its webhook.
    async fn end(&self, id: &str, ending: Ending<'_>) -> Result<bool> {
        let Ending {
            finish,
            webhook,
            attempt,
        } = ending;
        self.database
            .found(
                sqlx::query(
                    "WITH ended AS (UPDATE kinora.jobs SET state = 'done', holder = NULL, \
                     lease_until = NULL, unstored = NULL, changed_at = kinora.now_ms(), \
                     finished_at = $3, outcome = $4, process = $5 \
                     WHERE id = $1::uuid AND CASE WHEN $2::bigint IS NULL THEN state = 'queued' \
                     ELSE state = 'running' AND attempt = $2 END RETURNING id), \
                 webhook AS (INSERT INTO kinora.webhooks (id, url, host, body, next_at, sender) \
                     SELECT 'msg_' || id, $6, $7, $8, kinora.now_ms() + $9, $10 \
                     FROM ended WHERE $6::text IS NOT NULL) \
                 SELECT pg_notify('kinora', 'finished ' || id)::text FROM ended",
                )
                .bind(id)
                .bind(attempt)
                .bind(finish.at.0)
                .bind(to_json(&finish.outcome)?)
                .bind(to_json(&finish.process)?)
                .bind(webhook.map(|webhook| webhook.url.as_str()))
                .bind(webhook.map(|webhook| webhook.receiver()))
                .bind(webhook.map(|webhook| webhook.body.as_slice()))
                .bind(webhook.map(|webhook| milliseconds(webhook.delay)))
                .bind(self.holder()),
            )
            .await
    }

    /// The job that was accepted with this key lately, and the hash of its request.
    pub async fn known(&self, key: &str) -> Result<Option<(JobId, String)>> {
        let known = sqlx::query(
            "SELECT id::text, request_hash FROM kinora.jobs \
             WHERE idempotency_key = $1 AND created_at > kinora.now_ms() - $2",
        )
        .bind(key)
        .bind(milliseconds(KEY_LIFETIME));
        let row = self.database.row(known).await?;
        let known = row.map(|row| {
            let id: String = row.try_get("id")?;
            Ok((row::parsed(&id)?, row.try_get("request_hash")?))
        });
        known.transpose()
    }

    /// Of those that run.
    pub async fn ask_for_progress(&self, ids: &[JobId]) -> Result<()> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let asked = sqlx::query(
            "SELECT pg_notify('kinora', 'progress ' || id)::text FROM kinora.jobs \
             WHERE id = ANY($1::uuid[]) AND state = 'running'",
        );
        self.database.rows(asked.bind(ids)).await?;
        Ok(())
    }

    /// `false`: the job is not finished, or not known.
    pub async fn mark_deleted(&self, id: JobId) -> Result<bool> {
        self.database
            .found(
                sqlx::query(
                    "UPDATE kinora.jobs SET deleted_at = coalesce(deleted_at, kinora.now_ms()) \
                     WHERE id = $1::uuid AND state = 'done' RETURNING seq",
                )
                .bind(id.to_string()),
            )
            .await
    }
}

/// For running jobs of which a condition holds, and that nobody is changing.
fn put_back(condition: &str) -> String {
    format!(
        "WITH lost AS (SELECT seq FROM kinora.jobs WHERE state = 'running' AND {condition} \
             FOR UPDATE SKIP LOCKED), \
         back AS (UPDATE kinora.jobs SET state = 'queued', crashes = crashes + 1, holder = NULL, \
             lease_until = NULL, unstored = NULL, started_at = NULL, changed_at = kinora.now_ms() \
             WHERE seq IN (SELECT seq FROM lost) RETURNING lane) \
         SELECT pg_notify('kinora', 'queued ' || lane)::text FROM back"
    )
}

/// How a job ends, and which state it must be in for that.
struct Ending<'a> {
    finish: &'a Finish,
    webhook: Option<&'a NewWebhook>,
    /// The attempt that must still hold the job; `None`: the job must be waiting.
    attempt: Option<i64>,
}

pub fn job(row: &PgRow) -> Result<Job> {
    let mut row = JobRow::from_row(row)?;
    row.client_id = row.client_id.as_deref().map(row::from_json).transpose()?;
    Ok(row.into_job()?)
}

/// `None`: a row that cannot be read, which is no reason to keep the others back.
pub fn readable<T>(read: Result<T>) -> Option<T> {
    read.inspect_err(|error| error!("a job is left out: {}", chain(error)))
        .ok()
}

pub fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
