-- Times are in milliseconds since the Unix epoch, by the clock of the database. Nodes of the last version
-- may be running while a migration is applied: it may add, and must not take away what they use.

CREATE FUNCTION kinora.now_ms() RETURNS bigint LANGUAGE sql VOLATILE
    RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- The gates of the lanes: who accepts a job locks the row of its lane while it counts.
CREATE TABLE kinora.lanes (
    lane smallint PRIMARY KEY                     -- 0: express, 1: normal
);
INSERT INTO kinora.lanes VALUES (0), (1);

CREATE TABLE kinora.jobs (
    seq              bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id               uuid     NOT NULL UNIQUE,
    dialect          text     NOT NULL,           -- which API accepted it
    endpoint         text     NOT NULL,           -- the path that was called
    dialect_data     text,                        -- JSON, in a form of the dialect's own
    client_id        text,                        -- JSON: the caller's own name for the request
    webhook_url      text,
    lane             smallint NOT NULL,
    spec             text     NOT NULL,           -- JSON: the VideoSpec
    needs            smallint NOT NULL,           -- the version of the specification that a worker has to know
    state            text     NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done')),
    attempt          integer  NOT NULL DEFAULT 0, -- counts the claims, and is the fence of each
    crashes          integer  NOT NULL DEFAULT 0, -- attempts whose holder died
    cancel_requested boolean  NOT NULL DEFAULT false,
    holder           text,                        -- of the running attempt: the data directory of its node
    lease_until      bigint,                      -- of the running attempt
    progress         double precision NOT NULL DEFAULT 0,
    unstored         text,                        -- JSON: the video on the holder's disk until it is stored
    created_at       bigint   NOT NULL,
    started_at       bigint,
    changed_at       bigint   NOT NULL,           -- of the last change of state
    finished_at      bigint,
    outcome          text,                        -- JSON: the video, or the failure
    process          text                         -- JSON: which process finished it
) WITH (fillfactor = 80);

-- In the order in which jobs are served.
CREATE INDEX jobs_waiting ON kinora.jobs (lane, crashes, seq) WHERE state = 'queued';
-- Of what changes with every renewal, nothing is indexed: renewals write no index.
CREATE INDEX jobs_running ON kinora.jobs (holder) WHERE state = 'running';
CREATE INDEX jobs_changed ON kinora.jobs (changed_at);

-- A row is written by the statement that records the job's result.
CREATE TABLE kinora.webhooks (
    id            text    PRIMARY KEY,            -- sent as webhook-id, the same at every attempt
    url           text    NOT NULL,
    host          text    NOT NULL,               -- host and port of the URL; each has its fair share
    body          bytea   NOT NULL,
    attempt       integer NOT NULL DEFAULT 0,
    next_at       bigint,                         -- NULL once delivered or given up
    state         text    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'given_up')),
    sender        text,                           -- the node that sends it, unless it is late
    claimed_until bigint,
    last_error    text
);

-- Each receiver's own queue.
CREATE INDEX webhooks_pending ON kinora.webhooks (host, next_at) WHERE state = 'pending';
CREATE INDEX webhooks_claimed ON kinora.webhooks (sender) WHERE state = 'pending' AND claimed_until IS NOT NULL;

-- Accepts a job, unless as many of its lane wait as may. One call, so that a node that freezes in the
-- middle leaves no lock behind.
CREATE FUNCTION kinora.accept(
    job_id uuid, job_dialect text, job_endpoint text, job_dialect_data text, job_client_id text,
    job_webhook_url text, job_lane smallint, job_spec text, job_needs smallint,
    job_created_at bigint, bound bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF bound IS NOT NULL THEN
        -- Without the lock at first: who is refused in a rush holds up nobody, and writes nothing.
        FOR is_locked IN 0..1 LOOP
            IF is_locked = 1 THEN
                PERFORM FROM kinora.lanes WHERE lane = job_lane FOR UPDATE;
            END IF;
            -- A statement of its own, which sees what was accepted before the lock was given.
            IF bound <= (SELECT count(*) FROM (
                SELECT FROM kinora.jobs WHERE lane = job_lane AND state = 'queued' LIMIT bound
            ) AS waiting) THEN
                RETURN false;
            END IF;
        END LOOP;
    END IF;
    INSERT INTO kinora.jobs (id, dialect, endpoint, dialect_data, client_id, webhook_url, lane, spec, needs,
        created_at, changed_at)
    VALUES (job_id, job_dialect, job_endpoint, job_dialect_data, job_client_id, job_webhook_url, job_lane,
        job_spec, job_needs, job_created_at, kinora.now_ms());
    PERFORM pg_notify('kinora', 'queued ' || job_lane);
    RETURN true;
END
$$;
