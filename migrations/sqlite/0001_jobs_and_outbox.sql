-- Times are in milliseconds since the Unix epoch.

CREATE TABLE jobs (
    id          TEXT    PRIMARY KEY,
    endpoint    TEXT    NOT NULL,            -- the path that was called
    client_id   TEXT,                        -- the caller's own name for the request
    webhook_url TEXT,
    priority    INTEGER NOT NULL,            -- 0: express, 1: normal
    spec        TEXT    NOT NULL,            -- JSON: the VideoSpec
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done')),
    attempt     INTEGER NOT NULL DEFAULT 0,  -- counts the starts, and fences off a late finish
    lease_until INTEGER,                     -- a running attempt has to be finished by then
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    changed_at  INTEGER NOT NULL,            -- of the last change of state
    outcome     TEXT,                        -- JSON: the video, or the failure
    stamp       TEXT                         -- JSON: who finished it
) STRICT;

CREATE INDEX jobs_unfinished ON jobs (priority, attempt, created_at) WHERE state <> 'done';
CREATE INDEX jobs_changed ON jobs (changed_at);

-- The outbox: a row is written in the transaction that records the job's result.
CREATE TABLE webhooks (
    id         TEXT    PRIMARY KEY,          -- sent as webhook-id, the same at every attempt
    url        TEXT    NOT NULL,
    host       TEXT    NOT NULL,             -- host and port of the URL; each has its fair share
    body       BLOB    NOT NULL,
    attempt    INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER,                      -- NULL once delivered or given up
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up')),
    last_error TEXT
) STRICT;

CREATE INDEX webhooks_pending ON webhooks (next_at) WHERE state = 'pending';
