-- A video is made first and stored afterwards, by whichever process is there then.

ALTER TABLE jobs ADD COLUMN unstored TEXT;        -- JSON: the video that is on disk until it is stored
