//! The webhook outbox: its statements.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::database::Result;
use super::store::{Store, milliseconds};
use crate::job::{JobId, Timestamp};
use crate::jobs::backend::{
    ClaimedWebhooks, Delivery, DueWebhook, ListedWebhook, NEW, NewWebhook, Receivers, WebhookClaim,
    WebhookQuery, WebhookState, later_webhook_id,
};
use crate::jobs::row;

/// How late a webhook is that another node should have sent.
const LATE: Duration = Duration::from_secs(3);

/// What `$7` says of the receivers that `$6` names.
const ONLY: &str = "only";
const ALL_BUT: &str = "all but";
const NEW_BUT: &str = "new but";

/// Each receiver has an index of its own to be read, and of it only as many rows as may be sent to it: thousands that
/// wait for one receiver hold up no other. One row is not of a webhook: it tells when the next falls due.
const CLAIM: &str = "\
    WITH RECURSIVE now AS MATERIALIZED (SELECT kinora.now_ms() AS ms), \
    names AS MATERIALIZED (SELECT name, turn FROM unnest($6::text[]) WITH ORDINALITY AS names (name, turn)), \
    every AS ( \
        (SELECT host FROM kinora.webhooks WHERE state = 'pending' AND $7 = 'all but' ORDER BY host LIMIT 1) \
        UNION ALL \
        SELECT (SELECT webhooks.host FROM kinora.webhooks \
                WHERE state = 'pending' AND webhooks.host > every.host ORDER BY webhooks.host LIMIT 1) \
        FROM every WHERE every.host IS NOT NULL), \
    hosts AS ( \
        SELECT name AS host, turn FROM names WHERE $7 = 'only' \
        UNION ALL \
        SELECT host, 0 FROM every WHERE host IS NOT NULL AND NOT EXISTS (SELECT FROM names WHERE name = every.host)), \
    claimed_before AS MATERIALIZED ( \
        SELECT host, count(*) AS count FROM kinora.webhooks \
        WHERE state = 'pending' AND sender = $1 AND claimed_until > (SELECT ms FROM now) \
            AND ($7 = 'only') = EXISTS (SELECT FROM names WHERE name = webhooks.host) \
            AND ($7 <> 'new but' OR attempt = 0 AND next_at >= (SELECT ms FROM now) - $9) GROUP BY host), \
    claimed_of_hosts AS ( \
        SELECT split_part(host, '/', 1) AS name, sum(count) AS count FROM claimed_before GROUP BY 1), \
    candidates AS ( \
        SELECT due.id, hosts.host, due.next_at, hosts.turn FROM hosts LEFT JOIN claimed_before USING (host) CROSS JOIN LATERAL ( \
            SELECT id, next_at FROM kinora.webhooks \
            WHERE state = 'pending' AND webhooks.host = hosts.host AND next_at <= (SELECT ms FROM now) \
                AND (sender = $1 OR next_at <= (SELECT ms FROM now) - $2) \
                AND (claimed_until IS NULL OR claimed_until <= (SELECT ms FROM now)) \
            ORDER BY next_at LIMIT greatest(0, $3 - coalesce(claimed_before.count, 0))) AS due \
        UNION ALL \
        SELECT id, host, next_at, -next_at FROM kinora.webhooks \
        WHERE $7 = 'new but' AND state = 'pending' AND attempt = 0 AND sender = $1 \
            AND next_at BETWEEN (SELECT ms FROM now) - $9 AND (SELECT ms FROM now) \
            AND (claimed_until IS NULL OR claimed_until <= (SELECT ms FROM now)) \
            AND NOT EXISTS (SELECT FROM names WHERE name = webhooks.host)), \
    of_receivers AS ( \
        SELECT id, host, next_at, turn, row_number() OVER (PARTITION BY host ORDER BY turn, next_at) AS place \
        FROM candidates), \
    of_hosts AS ( \
        SELECT id, host, next_at, turn, place, \
            row_number() OVER (PARTITION BY split_part(host, '/', 1) ORDER BY place, turn, next_at) AS of_host \
        FROM of_receivers WHERE place <= $3), \
    free AS ( \
        SELECT id FROM of_hosts LEFT JOIN claimed_of_hosts ON name = split_part(host, '/', 1) \
        WHERE of_host + coalesce(count, 0) <= $8 ORDER BY place, turn, next_at LIMIT $4), \
    locked AS ( \
        SELECT id FROM kinora.webhooks WHERE id = ANY(ARRAY(SELECT id FROM free)) AND state = 'pending' \
            AND (claimed_until IS NULL OR claimed_until <= (SELECT ms FROM now)) FOR UPDATE SKIP LOCKED), \
    claimed AS ( \
        UPDATE kinora.webhooks SET sender = $1, claimed_until = (SELECT ms FROM now) + $5 \
        WHERE id = ANY(ARRAY(SELECT id FROM locked)) RETURNING id, url, host, body, attempt) \
    SELECT id, url, host, body, attempt, NULL::bigint AS next_in FROM claimed \
    UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, min(next.next_at) - (SELECT ms FROM now) FROM hosts CROSS JOIN LATERAL ( \
        SELECT next_at FROM kinora.webhooks \
        WHERE state = 'pending' AND webhooks.host = hosts.host AND next_at > (SELECT ms FROM now) \
        ORDER BY next_at LIMIT 1) AS next";

impl Store {
    /// Claims pending webhooks that are due. Those of other nodes when they are late, which nobody tells of.
    pub async fn claim_webhooks(&self, claim: WebhookClaim<'_>) -> Result<ClaimedWebhooks> {
        let (names, to) = match claim.to {
            Receivers::Only(names) => (names, ONLY),
            Receivers::AllBut(names) => (names, ALL_BUT),
            Receivers::NewBut(names) => (names, NEW_BUT),
        };
        let claimed = sqlx::query(CLAIM)
            .bind(self.holder())
            .bind(milliseconds(LATE))
            .bind(i64::from(claim.per_receiver))
            .bind(i64::from(claim.limit))
            .bind(milliseconds(self.webhook_lease()))
            .bind(names)
            .bind(to)
            .bind(i64::from(claim.per_host))
            .bind(milliseconds(NEW));
        let mut found = ClaimedWebhooks {
            due: Vec::new(),
            next_in: Some(LATE),
        };
        for row in self.database.rows(claimed).await? {
            match row.try_get("id")? {
                Some(id) => found.due.push(webhook(id, &row)?),
                None => found.next_in = next_in(&row)?.or(Some(LATE)).map(|wait| wait.min(LATE)),
            }
        }
        Ok(found)
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

    /// Writes a webhook that is not of the end of its job. Tells its id.
    pub async fn add_webhook(&self, job: JobId, webhook: &NewWebhook) -> Result<String> {
        let id = later_webhook_id(job);
        let added = sqlx::query(
            "INSERT INTO kinora.webhooks (id, url, host, body, next_at, sender) \
             VALUES ($1, $2, $3, $4, kinora.now_ms() + $5, $6)",
        )
        .bind(&id)
        .bind(&webhook.url)
        .bind(webhook.receiver())
        .bind(&webhook.body)
        .bind(milliseconds(webhook.delay))
        .bind(self.holder());
        self.database.rows(added).await?;
        Ok(id)
    }

    /// Newest first.
    pub async fn list_webhooks(&self, query: &WebhookQuery) -> Result<Vec<ListedWebhook>> {
        let listed = sqlx::query(
            "SELECT seq, id, url, state, attempt, next_at, last_error FROM kinora.webhooks \
             WHERE seq < $1 AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR id = $4) \
             ORDER BY seq DESC LIMIT $2",
        )
        .bind(query.before.map_or(i64::MAX, |seq| seq as i64))
        .bind(i64::from(query.limit))
        .bind(query.state.map(WebhookState::name))
        .bind(&query.id);
        let rows = self.database.rows(listed).await?;
        rows.iter().map(listed_webhook).collect()
    }

    /// Unless another node has claimed it meanwhile, as this one was late, or a claim after this one has ended.
    pub async fn record_delivery(&self, id: &str, attempt: u32, delivery: &Delivery) -> Result<()> {
        let (state, wait, error) = match delivery {
            Delivery::Delivered => ("delivered", None, None),
            Delivery::RetryIn(wait, error) => ("pending", Some(milliseconds(*wait)), Some(error)),
            Delivery::GivenUp(error) => ("given_up", None, Some(error)),
        };
        let recorded = sqlx::query(
            "UPDATE kinora.webhooks SET attempt = attempt + 1, state = $2, \
                 next_at = kinora.now_ms() + $3, last_error = $4, claimed_until = NULL \
             WHERE id = $1 AND sender = $5 AND attempt = $6 AND state = 'pending'",
        )
        .bind(id)
        .bind(state)
        .bind(wait)
        .bind(error)
        .bind(self.holder())
        .bind(i64::from(attempt));
        self.database.rows(recorded).await?;
        Ok(())
    }
}

fn webhook(id: String, row: &PgRow) -> Result<DueWebhook> {
    let attempt: i32 = row.try_get("attempt")?;
    Ok(DueWebhook {
        id,
        url: row.try_get("url")?,
        receiver: row.try_get("host")?,
        body: row.try_get("body")?,
        attempt: u32::try_from(attempt).unwrap_or(0),
    })
}

fn listed_webhook(row: &PgRow) -> Result<ListedWebhook> {
    let state: String = row.try_get("state")?;
    let (seq, attempts): (i64, i32) = (row.try_get("seq")?, row.try_get("attempt")?);
    let next_at: Option<i64> = row.try_get("next_at")?;
    Ok(ListedWebhook {
        id: row.try_get("id")?,
        url: row.try_get("url")?,
        state: row::webhook_state(&state)?,
        attempts: u32::try_from(attempts).unwrap_or(0),
        last_error: row.try_get("last_error")?,
        next_at: next_at.map(Timestamp),
        seq: seq.unsigned_abs(),
    })
}

fn next_in(row: &PgRow) -> Result<Option<Duration>> {
    let wait: Option<i64> = row.try_get("next_in")?;
    Ok(wait
        .and_then(|wait| u64::try_from(wait).ok())
        .map(Duration::from_millis))
}
