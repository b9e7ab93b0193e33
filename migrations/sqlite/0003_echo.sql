-- JSON: what the dialect wants back with the job, in a form of its own.
ALTER TABLE jobs ADD COLUMN echo TEXT;
