-- Jobs that failed too often are kept, and nobody claims them.

ALTER TABLE jobs ADD COLUMN failed_at {time};
ALTER TABLE jobs ADD COLUMN last_error TEXT;
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (queue, run_at) WHERE failed_at IS NULL;
CREATE INDEX jobs_failed ON jobs (failed_at) WHERE failed_at IS NOT NULL;
