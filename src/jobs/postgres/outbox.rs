//! The webhook outbox: its statements.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::database::Result;
use super::store::{Store, milliseconds, milliseconds_until};
use crate::jobs::backend::{ClaimedWebhooks, Delivery, DueWebhook};

/// How late a webhook is that another node should have sent.
const LATE: Duration = Duration::from_secs(3);

/// One row is not of a webhook: it tells when the next falls due.
const CLAIM: &str = "\
    WITH pending AS ( \
        SELECT id, host, next_at + CASE sender WHEN $1 THEN 0 ELSE $2 END AS due_at, \
            claimed_until IS NOT NULL AND claimed_until > kinora.now_ms() AS in_hand, sender = $1 AS is_own \
        FROM kinora.webhooks WHERE state = 'pending'), \
    due AS (SELECT * FROM pending WHERE due_at <= kinora.now_ms() AND (is_own OR NOT in_hand)), \
    placed AS (SELECT *, row_number() OVER (PARTITION BY host ORDER BY in_hand DESC, due_at, id) AS place FROM due), \
    free AS ( \
        SELECT id FROM placed WHERE place <= $3 AND NOT in_hand ORDER BY place, due_at \
        LIMIT greatest(0, $4 - (SELECT count(*) FROM due WHERE in_hand))), \
    locked AS ( \
        SELECT id FROM kinora.webhooks WHERE id IN (SELECT id FROM free) AND state = 'pending' \
            AND (claimed_until IS NULL OR claimed_until <= kinora.now_ms()) FOR UPDATE SKIP LOCKED), \
    claimed AS ( \
        UPDATE kinora.webhooks SET sender = $1, claimed_until = kinora.now_ms() + $5 \
        WHERE id IN (SELECT id FROM locked) RETURNING id, url, body, attempt) \
    SELECT id, url, body, attempt, NULL::bigint AS next_in FROM claimed \
    UNION ALL SELECT NULL, NULL, NULL, NULL, min(due_at) - kinora.now_ms() \
        FROM pending WHERE due_at > kinora.now_ms()";

impl Store {
    /// Claims pending webhooks that are due: at most `per_host` for each receiver and `limit` in all, those
    /// that this node has in hand included. Those of other nodes when they are late.
    pub async fn claim_webhooks(&self, per_host: u32, limit: u32) -> Result<ClaimedWebhooks> {
        let claim = sqlx::query(CLAIM)
            .bind(self.holder())
            .bind(milliseconds(LATE))
            .bind(i64::from(per_host))
            .bind(i64::from(limit))
            .bind(milliseconds(self.webhook_lease()));
        let mut claimed = ClaimedWebhooks {
            due: Vec::new(),
            next_in: None,
        };
        for row in self.database.rows(claim).await? {
            match row.try_get("id")? {
                Some(id) => claimed.due.push(webhook(id, &row)?),
                None => claimed.next_in = next_in(&row)?,
            }
        }
        Ok(claimed)
    }

    /// Takes back what the last process with this data directory has claimed.
    pub async fn recover_webhooks(&self) -> Result<()> {
        let free = sqlx::query(
            "UPDATE kinora.webhooks SET claimed_until = NULL \
             WHERE state = 'pending' AND sender = $1 AND claimed_until IS NOT NULL",
        );
        self.database.rows(free.bind(self.holder())).await?;
        Ok(())
    }

    pub async fn record_delivery(&self, id: &str, delivery: &Delivery) -> Result<()> {
        let (state, wait, error) = match delivery {
            Delivery::Delivered => ("delivered", None, None),
            Delivery::RetryAt(at, error) => ("pending", Some(milliseconds_until(*at)), Some(error)),
            Delivery::GivenUp(error) => ("given_up", None, Some(error)),
        };
        // Another node that has claimed it meanwhile, as this one was late, records it itself.
        let recorded = sqlx::query(
            "UPDATE kinora.webhooks SET attempt = attempt + 1, state = $2, \
                 next_at = kinora.now_ms() + $3, last_error = $4, claimed_until = NULL \
             WHERE id = $1 AND sender = $5",
        )
        .bind(id)
        .bind(state)
        .bind(wait)
        .bind(error)
        .bind(self.holder());
        self.database.rows(recorded).await?;
        Ok(())
    }
}

fn webhook(id: String, row: &PgRow) -> Result<DueWebhook> {
    let attempt: i32 = row.try_get("attempt")?;
    Ok(DueWebhook {
        id,
        url: row.try_get("url")?,
        body: row.try_get("body")?,
        attempt: u32::try_from(attempt).unwrap_or(0),
    })
}

fn next_in(row: &PgRow) -> Result<Option<Duration>> {
    let wait: Option<i64> = row.try_get("next_in")?;
    Ok(wait
        .and_then(|wait| u64::try_from(wait).ok())
        .map(Duration::from_millis))
}
