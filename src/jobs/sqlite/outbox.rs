//! The webhook outbox: its statements.

use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::{Store, StoreError};
use crate::job::{JobId, Timestamp};
use crate::jobs::backend::{
    Delivery, DueWebhook, ListedWebhook, NEW, NewWebhook, Receivers, WebhookClaim, WebhookQuery,
    WebhookState, later_webhook_id, webhook_id,
};
use crate::jobs::row;

/// Those that are named, in their order.
const ONLY: &str = "\
    receivers (receiver, turn) AS (SELECT value, key FROM json_each(?1))";

/// All for which something is pending, from one to the next, but for those that are named.
const ALL_BUT: &str = "\
    names (name) AS MATERIALIZED (SELECT value FROM json_each(?1)), \
    every (receiver) AS ( \
        SELECT * FROM (SELECT host FROM webhooks INDEXED BY webhooks_by_receiver \
            WHERE state = 'pending' ORDER BY host LIMIT 1) \
        UNION ALL \
        SELECT (SELECT host FROM webhooks INDEXED BY webhooks_by_receiver \
                WHERE state = 'pending' AND host > every.receiver ORDER BY host LIMIT 1) \
        FROM every WHERE every.receiver IS NOT NULL), \
    receivers (receiver, turn) AS ( \
        SELECT receiver, 0 FROM every WHERE receiver IS NOT NULL AND receiver NOT IN names)";

/// Each of them has an index of its own to be read, and of it only as many rows as may be sent to it.
const OF_RECEIVERS: &str = "\
    candidates AS ( \
        SELECT id, host, next_at, turn FROM receivers CROSS JOIN webhooks ON id IN ( \
            SELECT id FROM webhooks AS due \
            WHERE due.state = 'pending' AND due.host = receivers.receiver AND due.next_at <= ?2 \
            ORDER BY due.next_at LIMIT ?3))";

/// The newest first.
const NEW_BUT: &str = "\
    names (name) AS MATERIALIZED (SELECT value FROM json_each(?1)), \
    candidates AS ( \
        SELECT id, host, next_at, -next_at AS turn FROM webhooks INDEXED BY webhooks_new \
        WHERE state = 'pending' AND attempt = 0 AND next_at BETWEEN ?2 - ?6 AND ?2 AND host NOT IN names)";

/// So many of each receiver and of each host, each of them in turn.
const IN_TURN: &str = "\
    of_receivers AS ( \
        SELECT id, host, next_at, turn, \
            ROW_NUMBER() OVER (PARTITION BY host ORDER BY turn, next_at, id) AS place \
        FROM candidates), \
    of_hosts AS ( \
        SELECT id, next_at, turn, place, ROW_NUMBER() OVER ( \
            PARTITION BY substr(host, 1, instr(host || '/', '/') - 1) ORDER BY place, turn, next_at) AS of_host \
        FROM of_receivers WHERE place <= ?3), \
    due AS ( \
        SELECT id, next_at, turn, place FROM of_hosts WHERE of_host <= ?4 ORDER BY place, turn, next_at LIMIT ?5) \
    SELECT id, url, host, body, attempt FROM due JOIN webhooks USING (id) ORDER BY due.place, due.turn, due.next_at";

type Result<T> = std::result::Result<T, StoreError>;

/// Writes the webhook of a job, inside the transaction that ends the job.
pub async fn insert(
    transaction: &mut SqliteConnection,
    job: JobId,
    webhook: &NewWebhook,
) -> Result<()> {
    insert_as(transaction, &webhook_id(job), webhook).await
}

async fn insert_as(
    connection: &mut SqliteConnection,
    id: &str,
    webhook: &NewWebhook,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO webhooks (id, url, host, body, next_at, state) VALUES (?, ?, ?, ?, ?, 'pending')",
    )
    .bind(id)
    .bind(&webhook.url)
    .bind(webhook.receiver())
    .bind(&webhook.body)
    .bind(Timestamp::now().after(webhook.delay).0)
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Pending webhooks that are due: `most` of them at most, those that are claimed included.
    pub async fn due_webhooks(
        &self,
        now: Timestamp,
        claim: WebhookClaim<'_>,
        most: usize,
    ) -> Result<Vec<DueWebhook>> {
        let (names, candidates) = match claim.to {
            Receivers::Only(names) => (names, format!("{ONLY}, {OF_RECEIVERS}")),
            Receivers::AllBut(names) => (names, format!("{ALL_BUT}, {OF_RECEIVERS}")),
            Receivers::NewBut(names) => (names, NEW_BUT.to_owned()),
        };
        let statement = format!("WITH RECURSIVE {candidates}, {IN_TURN}");
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(json!(names).to_string())
            .bind(now.0)
            .bind(claim.per_receiver)
            .bind(claim.per_host)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .bind(NEW.as_millis() as i64)
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(DueWebhook {
                    id: row.try_get("id")?,
                    url: row.try_get("url")?,
                    receiver: row.try_get("host")?,
                    body: row.try_get("body")?,
                    attempt: row.try_get("attempt")?,
                })
            })
            .collect()
    }

    /// When the next webhook after `now` falls due.
    pub async fn next_webhook_at(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        // The index is named, as SQLite takes another one and reads all of it.
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT next_at FROM webhooks INDEXED BY webhooks_pending \
             WHERE state = 'pending' AND next_at > ? ORDER BY next_at LIMIT 1",
        )
        .bind(now.0)
        .fetch_optional(&self.readers)
        .await?;
        Ok(next.map(Timestamp))
    }

    /// Writes a webhook that is not of the end of its job. Tells its id.
    pub async fn add_webhook(&self, job: JobId, webhook: &NewWebhook) -> Result<String> {
        let id = later_webhook_id(job);
        let mut connection = self.writer.acquire().await?;
        insert_as(&mut connection, &id, webhook).await?;
        Ok(id)
    }

    /// Newest first.
    pub async fn list_webhooks(&self, query: &WebhookQuery) -> Result<Vec<ListedWebhook>> {
        let state = match query.state {
            Some(_) => "state = ?3 AND",
            None => "",
        };
        let id = match query.id {
            Some(_) => "id = ?4 AND",
            None => "",
        };
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT rowid AS seq, id, url, state, attempt, next_at, last_error FROM webhooks \
             WHERE {state} {id} rowid < ?1 ORDER BY rowid DESC LIMIT ?2"
        )))
        .bind(query.before.map_or(i64::MAX, |seq| seq as i64))
        .bind(query.limit)
        .bind(query.state.map(WebhookState::name))
        .bind(&query.id)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(listed_webhook).collect()
    }

    pub async fn record_delivery(&self, id: &str, attempt: u32, delivery: &Delivery) -> Result<()> {
        let (mut writer, now) = self.writer().await?;
        let (state, next_at, error) = match delivery {
            Delivery::Delivered => ("delivered", None, None),
            Delivery::RetryIn(wait, error) => ("pending", Some(now.after(*wait)), Some(error)),
            Delivery::GivenUp(error) => ("given_up", None, Some(error)),
        };
        sqlx::query(
            "UPDATE webhooks SET attempt = attempt + 1, state = ?, next_at = ?, last_error = ? \
             WHERE id = ? AND attempt = ? AND state = 'pending'",
        )
        .bind(state)
        .bind(next_at.map(|at| at.0))
        .bind(error)
        .bind(id)
        .bind(attempt)
        .execute(&mut *writer)
        .await?;
        Ok(())
    }
}

fn listed_webhook(row: &SqliteRow) -> Result<ListedWebhook> {
    let state: String = row.try_get("state")?;
    let seq: i64 = row.try_get("seq")?;
    let next_at: Option<i64> = row.try_get("next_at")?;
    Ok(ListedWebhook {
        id: row.try_get("id")?,
        url: row.try_get("url")?,
        state: row::webhook_state(&state)?,
        attempts: row.try_get("attempt")?,
        last_error: row.try_get("last_error")?,
        next_at: next_at.map(Timestamp),
        seq: seq.unsigned_abs(),
    })
}
