-- What Kinora's own API needs: jobs by their state, requests that are sent again, and files that were deleted.

ALTER TABLE jobs ADD COLUMN deleted_at INTEGER;        -- when the files of a finished job were deleted
ALTER TABLE jobs ADD COLUMN idempotency_key TEXT;      -- the client's name for the request
ALTER TABLE jobs ADD COLUMN request_hash TEXT;         -- of the request that had this key
ALTER TABLE jobs ADD COLUMN spec_hash TEXT;            -- of the specifications

CREATE UNIQUE INDEX jobs_idempotency ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- By the state that clients are told, for lists.
CREATE INDEX jobs_by_state ON jobs (
    CASE WHEN state <> 'done' THEN state
        WHEN substr(outcome, 1, 5) = '{"Ok"' THEN 'done'
        WHEN instr(outcome, '"code":"cancelled"') > 0 THEN 'cancelled'
        ELSE 'failed' END,
    seq
) WHERE deleted_at IS NULL;

-- Videos that need not be made again.
CREATE INDEX jobs_made ON jobs (spec_hash, seq) WHERE state = 'done' AND deleted_at IS NULL;

-- Newest first, for lists: an index ends with the row's number.
CREATE INDEX webhooks_by_state ON webhooks (state);
