//! Jobs whose time is over: their statements.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Row};

use super::store::{JOB_COLUMNS, Store, StoreError, before, job, readable};
use crate::jobs::backend::{OldVideos, PageEnd};
use crate::jobs::row::to_json;

type Result<T> = std::result::Result<T, StoreError>;

/// Of jobs that have ended, as they are indexed.
const WITH_VIDEOS: &str = "deleted_at IS NULL AND substr(outcome, 1, 5) = '{\"Ok\"'";
const WITHOUT_VIDEOS: &str = "(deleted_at IS NOT NULL OR substr(outcome, 1, 5) <> '{\"Ok\"')";

impl Store {
    pub async fn old_videos(
        &self,
        older_than: Duration,
        after: Option<PageEnd>,
        limit: u32,
    ) -> Result<OldVideos> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT changed_at, seq, {JOB_COLUMNS} FROM jobs WHERE state = 'done' AND {WITH_VIDEOS} \
             AND changed_at < ? AND (changed_at, seq) > (?, ?) ORDER BY changed_at, seq LIMIT ?"
        )))
        .bind(before(older_than))
        .bind(after.map_or(i64::MIN, |end| end.changed_at))
        .bind(after.map_or(0, |end| end.seq))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let last = rows.last().filter(|_| rows.len() >= limit as usize);
        let end = last.map(|row| -> Result<PageEnd> {
            Ok(PageEnd {
                changed_at: row.try_get("changed_at")?,
                seq: row.try_get("seq")?,
            })
        });
        Ok(OldVideos {
            jobs: rows.iter().filter_map(|row| readable(job(row))).collect(),
            end: end.transpose()?,
        })
    }

    pub async fn remove_jobs(
        &self,
        older_than: Duration,
        keeps_videos: bool,
        limit: u32,
    ) -> Result<usize> {
        let but = match keeps_videos {
            true => format!("AND {WITHOUT_VIDEOS}"),
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
