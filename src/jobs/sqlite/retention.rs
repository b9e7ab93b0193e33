//! Jobs whose time is over: their statements.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection};

use super::store::{JOB_COLUMNS, Store, StoreError, before, job, readable};
use crate::job::Job;
use crate::jobs::row::to_json;

type Result<T> = std::result::Result<T, StoreError>;

/// Of jobs that have ended.
const HAS_VIDEOS: &str = "deleted_at IS NULL AND substr(outcome, 1, 5) = '{\"Ok\"'";

impl Store {
    pub async fn old_videos(&self, older_than: Duration, limit: u32) -> Result<Vec<Job>> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE state = 'done' AND {HAS_VIDEOS} AND changed_at < ? \
             ORDER BY changed_at LIMIT ?"
        )))
        .bind(before(older_than))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
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
        let mut connection = self.writer.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let removed: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE state = 'done' AND changed_at < ? {but} \
             AND NOT EXISTS (SELECT 1 FROM webhooks WHERE substr(webhooks.id, 5, 36) = jobs.id AND webhooks.state = 'pending') \
             ORDER BY changed_at LIMIT ?) RETURNING id"
        )))
        .bind(before(older_than))
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM webhooks WHERE substr(id, 5, 36) IN (SELECT value FROM json_each(?))",
        )
        .bind(to_json(&removed)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(removed.len())
    }
}
