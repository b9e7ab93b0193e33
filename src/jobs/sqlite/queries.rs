//! What is told of jobs: the statements that change none.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, Row};

use super::store::{JOB_COLUMNS, Store, StoreError, job, readable};
use crate::job::{Job, JobId, JobState, Lane, PublicState, Timestamp};
use crate::jobs::backend::{JobQuery, LaneLoad};
use crate::jobs::row::{self, lane_number, to_json};

type Result<T> = std::result::Result<T, StoreError>;

/// The place of a waiting job, from 1, in the order in which jobs are served.
const QUEUE_POSITION: &str = "CASE WHEN state = 'queued' THEN (SELECT COUNT(*) FROM jobs AS other \
    WHERE other.state = 'queued' AND (other.lane, other.crashes, other.seq) <= (jobs.lane, jobs.crashes, jobs.seq)) \
    END AS queue_position";

/// The state that clients are told, as it is indexed.
const TOLD_STATE: &str = "CASE WHEN state <> 'done' THEN state WHEN substr(outcome, 1, 5) = '{\"Ok\"' THEN 'done' \
    WHEN instr(outcome, '\"code\":\"cancelled\"') > 0 THEN 'cancelled' ELSE 'failed' END";

/// Of jobs in one answer.
const MAX_STATES: i64 = 10_000;

/// A job, and its place.
pub struct PlacedJob {
    pub job: Job,
    /// In the order of acceptance.
    pub seq: u64,
    /// Among those that wait, from 1.
    pub queue_position: Option<u32>,
}

impl Store {
    pub async fn job(&self, id: JobId) -> Result<Option<Job>> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?"
        )))
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| job(&row)).transpose()
    }

    /// Which of these jobs have ended.
    pub async fn ended(&self, ids: &[JobId]) -> Result<Vec<JobId>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let rows = sqlx::query(
            "SELECT id, state FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND state = 'done'",
        )
        .bind(to_json(&ids)?)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok(id_and_state(row)?.0)).collect()
    }

    /// Jobs, each with its position if it waits.
    pub async fn placed(&self, ids: &[JobId]) -> Result<Vec<PlacedJob>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT seq, {JOB_COLUMNS}, {QUEUE_POSITION} FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
        )))
        .bind(to_json(&ids)?)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .iter()
            .filter_map(|row| readable(placed_job(row)))
            .collect())
    }

    /// The same, newest first.
    pub async fn list(&self, query: &JobQuery) -> Result<Vec<PlacedJob>> {
        let state = match query.state {
            Some(_) => format!("{TOLD_STATE} = ?3 AND"),
            None => String::new(),
        };
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT seq, {JOB_COLUMNS}, {QUEUE_POSITION} FROM jobs \
             WHERE {state} deleted_at IS NULL AND seq < ?1 ORDER BY seq DESC LIMIT ?2"
        )))
        .bind(query.before.map_or(i64::MAX, |seq| seq as i64))
        .bind(query.limit)
        .bind(query.state.map(PublicState::name))
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .iter()
            .filter_map(|row| readable(placed_job(row)))
            .collect())
    }

    /// The newest job of the same specifications whose videos are there.
    pub async fn find_same(&self, job: &Job) -> Result<Option<Job>> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE spec_hash = ? AND state = 'done' AND deleted_at IS NULL \
             AND substr(outcome, 1, 5) = '{{\"Ok\"' ORDER BY seq DESC LIMIT 1"
        )))
        .bind(row::spec_hash(&job.request.specs)?)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| self::job(&row)).transpose()
    }

    pub async fn load(&self) -> Result<Vec<LaneLoad>> {
        let mut loads = Vec::new();
        // A query for each state, as each has an index of its own.
        for lane in [Lane::Express, Lane::Normal] {
            let row = sqlx::query(
                "SELECT (SELECT count(*) FROM jobs WHERE state = 'queued' AND lane = ?1) AS waiting, \
                 (SELECT count(*) FROM jobs WHERE state = 'running' AND lane = ?1) AS running, \
                 (SELECT min(created_at) FROM jobs WHERE state = 'queued' AND lane = ?1) AS oldest",
            )
            .bind(lane_number(lane))
            .fetch_one(&self.readers)
            .await?;
            let (waiting, running): (i64, i64) = (row.try_get("waiting")?, row.try_get("running")?);
            let oldest: Option<i64> = row.try_get("oldest")?;
            let age = |at| Duration::from_secs_f64(Timestamp::now().seconds_since(Timestamp(at)));
            loads.push(LaneLoad {
                lane,
                waiting: waiting.unsigned_abs(),
                running: running.unsigned_abs(),
                oldest: oldest.map(age),
            });
        }
        Ok(loads)
    }

    pub async fn states_since(&self, since: Timestamp) -> Result<Vec<(JobId, JobState)>> {
        let rows = sqlx::query(
            "SELECT id, state FROM jobs WHERE changed_at >= ? ORDER BY changed_at DESC LIMIT ?",
        )
        .bind(since.0)
        .bind(MAX_STATES)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(id_and_state).collect()
    }
}

fn placed_job(row: &SqliteRow) -> Result<PlacedJob> {
    let seq: i64 = row.try_get("seq")?;
    Ok(PlacedJob {
        job: job(row)?,
        seq: seq.unsigned_abs(),
        queue_position: row.try_get("queue_position")?,
    })
}

fn id_and_state(row: &SqliteRow) -> Result<(JobId, JobState)> {
    Ok(row::id_and_state(&FromRow::from_row(row)?)?)
}
