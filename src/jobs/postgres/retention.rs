//! Jobs whose time is over: their statements.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row};

use super::database::Result;
use super::store::{JOB_COLUMNS, Store, job, milliseconds, readable};
use crate::jobs::backend::{OldVideos, PageEnd};

/// Of jobs that have ended, as they are indexed.
const WITH_VIDEOS: &str = "deleted_at IS NULL AND starts_with(outcome, '{\"Ok\"')";
const WITHOUT_VIDEOS: &str = "(deleted_at IS NOT NULL OR NOT starts_with(outcome, '{\"Ok\"'))";

/// The moment that is so many milliseconds ago, once for the statement: it can be looked for in an index.
const BEFORE: &str = "(SELECT kinora.now_ms()) - $1";

impl Store {
    pub async fn old_videos(
        &self,
        older_than: Duration,
        after: Option<PageEnd>,
        limit: u32,
    ) -> Result<OldVideos> {
        let old = sqlx::query(AssertSqlSafe(format!(
            "SELECT changed_at, seq, {JOB_COLUMNS} FROM kinora.jobs WHERE state = 'done' AND {WITH_VIDEOS} \
             AND changed_at < {BEFORE} AND (changed_at, seq) > ($2, $3) ORDER BY changed_at, seq LIMIT $4"
        )))
        .bind(milliseconds(older_than))
        .bind(after.map_or(i64::MIN, |end| end.changed_at))
        .bind(after.map_or(0, |end| end.seq))
        .bind(i64::from(limit));
        let rows = self.database.rows(old).await?;
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
        let removed = sqlx::query(AssertSqlSafe(format!(
            "WITH old AS (SELECT seq FROM kinora.jobs WHERE state = 'done' AND changed_at < {BEFORE} {but} \
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
