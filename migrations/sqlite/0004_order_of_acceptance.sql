-- Jobs are served in the order of `seq`, a number that is given at acceptance. The dialect that
-- accepted a job has a column of its own, and names are those of the code.

CREATE TABLE numbered_jobs (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT    NOT NULL UNIQUE,
    dialect          TEXT    NOT NULL,            -- which API accepted it
    endpoint         TEXT    NOT NULL,            -- the path that was called
    dialect_data     TEXT,                        -- JSON, in a form of the dialect's own
    client_id        TEXT,                        -- the caller's own name for the request
    webhook_url      TEXT,
    lane             INTEGER NOT NULL,            -- 0: express, 1: normal
    spec             TEXT    NOT NULL,            -- JSON: the VideoSpec
    state            TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done')),
    attempt          INTEGER NOT NULL DEFAULT 0,  -- counts the claims, and is the fence of each
    crashes          INTEGER NOT NULL DEFAULT 0,  -- attempts whose process died
    cancel_requested INTEGER NOT NULL DEFAULT 0,  -- while an attempt was running
    created_at       INTEGER NOT NULL,            -- milliseconds since the Unix epoch, as all times
    started_at       INTEGER,
    changed_at       INTEGER NOT NULL,            -- of the last change of state
    outcome          TEXT,                        -- JSON: the video, or the failure
    process          TEXT                         -- JSON: which process finished it
) STRICT;

INSERT INTO numbered_jobs (id, dialect, endpoint, dialect_data, client_id, webhook_url, lane, spec,
    state, attempt, crashes, created_at, started_at, changed_at, outcome, process)
SELECT id, CASE endpoint WHEN '/v1-beta/generate-video' THEN 'digitalcarbon' ELSE 'revid' END,
    endpoint, echo, client_id, webhook_url, priority, spec,
    state, attempt, max(attempt - 1, 0), created_at, started_at, changed_at, outcome, stamp
FROM jobs ORDER BY created_at, rowid;

DROP TABLE jobs;
ALTER TABLE numbered_jobs RENAME TO jobs;

CREATE INDEX jobs_waiting ON jobs (lane, crashes, seq) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (id) WHERE state = 'running';
CREATE INDEX jobs_changed ON jobs (changed_at);
