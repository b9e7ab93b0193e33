-- What Kinora's own API needs: jobs by their state, requests that are sent again, and files that were deleted.

ALTER TABLE kinora.jobs
    ADD COLUMN deleted_at      bigint,                 -- when the files of a finished job were deleted
    ADD COLUMN idempotency_key text,                   -- the client's name for the request
    ADD COLUMN request_hash    text;                   -- of the request that had this key

CREATE UNIQUE INDEX jobs_idempotency ON kinora.jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- The state that clients are told.
CREATE FUNCTION kinora.told_state(state text, outcome text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN state <> 'done' THEN state
        WHEN starts_with(outcome, '{"Ok"') THEN 'done'
        WHEN strpos(outcome, '"code":"cancelled"') > 0 THEN 'cancelled'
        ELSE 'failed' END;

CREATE INDEX jobs_by_state ON kinora.jobs (kinora.told_state(state, outcome), seq) WHERE deleted_at IS NULL;

-- Videos that need not be made again.
CREATE INDEX jobs_made ON kinora.jobs (md5(spec), seq) WHERE state = 'done' AND deleted_at IS NULL;

-- Accepts a job, unless one was accepted with the same key less than `key_lifetime` milliseconds ago. Tells the id of that job, or of this one;
-- 'full', or 'mismatch' if the key had another request.
CREATE FUNCTION kinora.accept_once(
    job_id uuid, job_dialect text, job_endpoint text, job_dialect_data text, job_client_id text,
    job_webhook_url text, job_lane smallint, job_spec text, job_needs smallint,
    job_created_at bigint, bound bigint, key text, hash text, key_lifetime bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    -- One at a time of those with this key.
    PERFORM pg_advisory_xact_lock(hashtextextended(key, 0));
    SELECT id, request_hash INTO known FROM kinora.jobs
        WHERE idempotency_key = key AND created_at > kinora.now_ms() - key_lifetime;
    IF FOUND THEN
        RETURN CASE WHEN known.request_hash = hash THEN known.id::text ELSE 'mismatch' END;
    END IF;
    IF NOT kinora.accept(job_id, job_dialect, job_endpoint, job_dialect_data, job_client_id, job_webhook_url,
            job_lane, job_spec, job_needs, job_created_at, bound) THEN
        RETURN 'full';
    END IF;
    UPDATE kinora.jobs SET idempotency_key = NULL WHERE idempotency_key = key;
    UPDATE kinora.jobs SET idempotency_key = key, request_hash = hash WHERE id = job_id;
    RETURN job_id::text;
END
$$;

-- Newest first, for lists.
ALTER TABLE kinora.webhooks ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
CREATE INDEX webhooks_by_seq ON kinora.webhooks (seq);
CREATE INDEX webhooks_by_state ON kinora.webhooks (state, seq);
