//! What is told of jobs: the statements that change none.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, Row};

use super::database::Result;
use super::store::{JOB_COLUMNS, Store, job, readable};
use crate::job::{Job, JobId, JobState, Lane, PublicState, Timestamp};
use crate::jobs::backend::{JobQuery, JobStatus, LaneLoad, ListedJob};
use crate::jobs::row::{self, lane_number, specs_to_json};

/// What [`status`] reads, of `job`: the row, its progress, and its place in the order in which jobs are served.
const STATUS_COLUMNS: &str = "id::text, dialect, endpoint, dialect_data, client_id, webhook_url, lane::bigint, \
    spec, state, attempt::bigint, crashes::bigint, cancel_requested, unstored, created_at, started_at, finished_at, \
    outcome, process, deleted_at, progress, CASE WHEN state = 'queued' THEN \
        (SELECT count(*) FROM kinora.jobs AS other WHERE other.state = 'queued' \
         AND (other.lane, other.crashes, other.seq) <= (job.lane, job.crashes, job.seq)) \
    END AS queue_position";

/// Of jobs in one answer.
const MAX_STATES: i64 = 10_000;

impl Store {
    pub async fn job(&self, id: JobId) -> Result<Option<Job>> {
        let found = sqlx::query(AssertSqlSafe(format!(
            "SELECT {JOB_COLUMNS} FROM kinora.jobs WHERE id = $1::uuid"
        )))
        .bind(id.to_string());
        let row = self.database.row(found).await?;
        row.as_ref().map(job).transpose()
    }

    pub async fn statuses(&self, ids: &[JobId]) -> Result<Vec<JobStatus>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let found = sqlx::query(AssertSqlSafe(format!(
            "SELECT {STATUS_COLUMNS} FROM kinora.jobs AS job WHERE id = ANY($1::uuid[])"
        )))
        .bind(ids);
        let rows = self.database.rows(found).await?;
        Ok(rows
            .iter()
            .filter_map(|row| readable(status(row)))
            .collect())
    }

    /// Newest first.
    pub async fn list(&self, query: &JobQuery) -> Result<Vec<ListedJob>> {
        let listed = sqlx::query(AssertSqlSafe(format!(
            "SELECT seq, {STATUS_COLUMNS} FROM kinora.jobs AS job WHERE deleted_at IS NULL AND seq < $1 {} \
             ORDER BY seq DESC LIMIT $2",
            match query.state {
                Some(_) => "AND kinora.told_state(state, outcome) = $3",
                None => "AND $3::text IS NULL",
            }
        )))
        .bind(query.before.map_or(i64::MAX, |seq| seq as i64))
        .bind(i64::from(query.limit))
        .bind(query.state.map(PublicState::name));
        let rows = self.database.rows(listed).await?;
        let jobs = rows.iter().map(|row| {
            let seq: i64 = row.try_get("seq")?;
            Ok(ListedJob {
                status: status(row)?,
                seq: seq.unsigned_abs(),
            })
        });
        Ok(jobs.filter_map(readable).collect())
    }

    /// The newest job of the same specifications whose videos are there.
    pub async fn find_same(&self, job: &Job) -> Result<Option<Job>> {
        let made = sqlx::query(AssertSqlSafe(format!(
            "SELECT {JOB_COLUMNS} FROM kinora.jobs WHERE md5(spec) = md5($1) AND spec = $1 AND state = 'done' \
             AND deleted_at IS NULL AND starts_with(outcome, '{{\"Ok\"') ORDER BY seq DESC LIMIT 1"
        )))
        .bind(specs_to_json(&job.request.specs)?);
        let row = self.database.row(made).await?;
        row.as_ref().map(self::job).transpose()
    }

    /// Which of these jobs have ended.
    pub async fn ended(&self, ids: &[JobId]) -> Result<Vec<JobId>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let ended = sqlx::query(
            "SELECT id::text, state FROM kinora.jobs WHERE id = ANY($1::uuid[]) AND state = 'done'",
        )
        .bind(ids);
        let rows = self.database.rows(ended).await?;
        rows.iter().map(|row| Ok(id_and_state(row)?.0)).collect()
    }

    pub async fn load(&self) -> Result<Vec<LaneLoad>> {
        // A query for each state, as each has an index of its own.
        let load = sqlx::query(
            "SELECT lanes.lane::bigint, \
                 (SELECT count(*) FROM kinora.jobs WHERE state = 'queued' AND jobs.lane = lanes.lane) AS waiting, \
                 (SELECT count(*) FROM kinora.jobs WHERE state = 'running' AND jobs.lane = lanes.lane) AS running, \
                 kinora.now_ms() - (SELECT min(created_at) FROM kinora.jobs \
                     WHERE state = 'queued' AND jobs.lane = lanes.lane) AS oldest \
             FROM kinora.lanes ORDER BY lane",
        );
        let rows = self.database.rows(load).await?;
        let loads = rows.iter().map(|row| {
            let (waiting, running): (i64, i64) = (row.try_get("waiting")?, row.try_get("running")?);
            let oldest: Option<i64> = row.try_get("oldest")?;
            Ok(LaneLoad {
                lane: row::lane(row.try_get("lane")?)?,
                waiting: waiting.unsigned_abs(),
                running: running.unsigned_abs(),
                oldest: oldest.map(|age| Duration::from_millis(age.max(0).unsigned_abs())),
            })
        });
        loads.collect()
    }

    pub async fn states_since(&self, since: Timestamp) -> Result<Vec<(JobId, JobState)>> {
        let changed = sqlx::query(
            "SELECT id::text, state FROM kinora.jobs WHERE changed_at >= $1 \
             ORDER BY changed_at DESC LIMIT $2",
        )
        .bind(since.0)
        .bind(MAX_STATES);
        self.database
            .rows(changed)
            .await?
            .iter()
            .map(id_and_state)
            .collect()
    }

    pub async fn queue_length(&self) -> Result<usize> {
        let count =
            sqlx::query("SELECT count(*) FROM kinora.jobs WHERE state = 'queued' AND lane = $1")
                .bind(lane_number(Lane::Normal) as i16);
        let Some(row) = self.database.row(count).await? else {
            return Ok(0);
        };
        let count: i64 = row.try_get(0)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

fn status(row: &PgRow) -> Result<JobStatus> {
    let position: Option<i64> = row.try_get("queue_position")?;
    let running: f64 = row.try_get("progress")?;
    let job = job(row)?;
    Ok(JobStatus {
        progress: match job.public_state() {
            PublicState::Done => 1.0,
            PublicState::Running => running,
            _ => 0.0,
        },
        queue_position: position.and_then(|position| u32::try_from(position).ok()),
        job,
    })
}

fn id_and_state(row: &PgRow) -> Result<(JobId, JobState)> {
    Ok(row::id_and_state(&<(String, String)>::from_row(row)?)?)
}
