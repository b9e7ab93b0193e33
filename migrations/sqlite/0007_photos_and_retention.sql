-- Photos that were uploaded: where they are, and when they were last named in an order.
CREATE TABLE photos (
    file      TEXT    PRIMARY KEY,           -- the name in the storage
    storage   TEXT   ,              -- the name of the storage; NULL: the directory that is built in
    id        TEXT    NOT NULL,              -- SHA-256 of the bytes, in hex
    width     INTEGER NOT NULL,              -- upright
    height    INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    used_at   INTEGER NOT NULL,              -- when it was uploaded or last named in an order
    state     TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'stored', 'retired'))
);
CREATE INDEX photos_by_id ON photos (id);
CREATE INDEX photos_by_use ON photos (used_at);

-- What retention looks for: jobs with videos and without, and what was sent of a job.
CREATE INDEX jobs_with_videos ON jobs (changed_at, seq)
    WHERE state = 'done' AND deleted_at IS NULL AND substr(outcome, 1, 5) = '{"Ok"';
CREATE INDEX jobs_without_videos ON jobs (changed_at)
    WHERE state = 'done' AND (deleted_at IS NOT NULL OR substr(outcome, 1, 5) <> '{"Ok"');
CREATE INDEX webhooks_by_job ON webhooks (substr(id, 5, 36));
