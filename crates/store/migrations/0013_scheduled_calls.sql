-- When a call is to be dialled that is not dialled at once, and the same again as long as it waits for that time.
ALTER TABLE calls ADD COLUMN scheduled_at {time};
ALTER TABLE calls ADD COLUMN waits_until {time};
CREATE INDEX calls_scheduled ON calls (business_id, mode, waits_until, id) WHERE waits_until IS NOT NULL;
