-- Photos that were uploaded: where they are, and when they were last named in an order.
CREATE TABLE kinora.photos (
    file      text    PRIMARY KEY,           -- the name in the storage
    storage   text   ,              -- the name of the storage; NULL: the directory that is built in
    id        text    NOT NULL,              -- SHA-256 of the bytes, in hex
    width     integer NOT NULL,              -- upright
    height    integer NOT NULL,
    bytes     bigint  NOT NULL,
    used_at   bigint  NOT NULL,              -- when it was uploaded or last named in an order
    state     text    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'stored', 'retired'))
);
CREATE INDEX photos_by_id ON kinora.photos (id);
CREATE INDEX photos_by_use ON kinora.photos (used_at);

-- What retention looks for: jobs with videos and without, and what was sent of a job.
CREATE INDEX jobs_with_videos ON kinora.jobs (changed_at, seq)
    WHERE state = 'done' AND deleted_at IS NULL AND starts_with(outcome, '{"Ok"');
CREATE INDEX jobs_without_videos ON kinora.jobs (changed_at)
    WHERE state = 'done' AND (deleted_at IS NOT NULL OR NOT starts_with(outcome, '{"Ok"'));
CREATE INDEX webhooks_by_job ON kinora.webhooks (substr(id, 5, 36));
