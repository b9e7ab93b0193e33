//! The webhook outbox: its statements.

use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError};
use crate::job::{JobId, Timestamp};
use crate::jobs::backend::{Delivery, DueWebhook, NewWebhook};

type Result<T> = std::result::Result<T, StoreError>;

/// Writes the webhook of a job, inside the transaction that ends the job.
pub async fn insert(
    transaction: &mut SqliteConnection,
    job: JobId,
    webhook: &NewWebhook,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO webhooks (id, url, host, body, next_at, state) VALUES (?, ?, ?, ?, ?, 'pending')",
    )
    .bind(format!("msg_{job}"))
    .bind(&webhook.url)
    .bind(webhook.receiver())
    .bind(&webhook.body)
    .bind(webhook.first_at.0)
    .execute(transaction)
    .await?;
    Ok(())
}

impl Store {
    /// Pending webhooks that are due: at most `per_host` for each receiver and `limit` in all.
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

    pub async fn record_delivery(&self, id: &str, attempt: u32, delivery: &Delivery) -> Result<()> {
        let (state, next_at, error) = match delivery {
            Delivery::Delivered => ("delivered", None, None),
            Delivery::RetryAt(at, error) => ("pending", Some(at.0), Some(error)),
            Delivery::GivenUp(error) => ("given_up", None, Some(error)),
        };
        sqlx::query(
            "UPDATE webhooks SET attempt = attempt + 1, state = ?, next_at = ?, last_error = ? \
             WHERE id = ? AND attempt = ? AND state = 'pending'",
        )
        .bind(state)
        .bind(next_at)
        .bind(error)
        .bind(id)
        .bind(attempt)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
