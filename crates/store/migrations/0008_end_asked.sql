-- When somebody asked for the end of a call. Its engine is asked again until the call has ended.

ALTER TABLE calls ADD COLUMN end_asked_at {time};
CREATE INDEX calls_to_end ON calls (end_asked_at) WHERE end_asked_at IS NOT NULL AND finished_at IS NULL;
