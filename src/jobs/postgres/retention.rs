//! Jobs whose time is over: their statements.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row};

use super::database::Result;
use super::store::{JOB_COLUMNS, Store, job, milliseconds, readable};
use crate::job::Job;

/// Of jobs that have ended.
const HAS_VIDEOS: &str = "deleted_at IS NULL AND starts_with(outcome, '{\"Ok\"')";

impl Store {
    pub async fn old_videos(&self, older_than: Duration, limit: u32) -> Result<Vec<Job>> {
        let old = sqlx::query(AssertSqlSafe(format!(
            "SELECT {JOB_COLUMNS} FROM kinora.jobs WHERE state = 'done' AND {HAS_VIDEOS} \
             AND changed_at < kinora.now_ms() - $1 ORDER BY changed_at LIMIT $2"
        )))
        .bind(milliseconds(older_than))
        .bind(i64::from(limit));
        let rows = self.database.rows(old).await?;
        Ok(rows.iter().filter_map(|row| readable(job(row))).collect())
    }

    pub async fn remove_jobs(
        &self,
        older_than: Duration,
        keeps_videos: bool,
        limit: u32,
    ) -> Result<usize> {
        let but = match keeps_videos {
            true => format!("AND NOT ({HAS_VIDEOS})"),
            false => String::new(),
        };
        let removed = sqlx::query(AssertSqlSafe(format!(
            "WITH old AS (SELECT seq FROM kinora.jobs WHERE state = 'done' AND changed_at < kinora.now_ms() - $1 {but} \
                 AND NOT EXISTS (SELECT 1 FROM kinora.webhooks \
                     WHERE substr(webhooks.id, 5, 36) = jobs.id::text AND webhooks.state = 'pending') \
                 ORDER BY changed_at LIMIT $2 FOR UPDATE SKIP LOCKED), \
             removed AS (DELETE FROM kinora.jobs WHERE seq IN (SELECT seq FROM old) RETURNING id::text), \
             told AS (DELETE FROM kinora.webhooks WHERE substr(id, 5, 36) IN (SELECT id FROM removed)) \
             SELECT count(*) FROM removed"
        )))
        .bind(milliseconds(older_than))
        .bind(i64::from(limit));
        let Some(row) = self.database.row(removed).await? else {
            return Ok(0);
        };
        let count: i64 = row.try_get(0)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}
