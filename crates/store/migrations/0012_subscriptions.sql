-- Subscriptions: they belong to a mode, exchange their secrets with an overlap, and are switched off when nothing arrives any more.
-- None could be made before this version.

ALTER TABLE endpoints ADD COLUMN mode TEXT NOT NULL DEFAULT 'live';
ALTER TABLE endpoints ADD COLUMN secret_hint TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN previous_secret {bytes};
ALTER TABLE endpoints ADD COLUMN exchanged_until {time};
ALTER TABLE endpoints ADD COLUMN failing_since {time};
ALTER TABLE endpoints ADD COLUMN last_error TEXT;
ALTER TABLE endpoints ADD COLUMN last_error_at {time};
ALTER TABLE endpoints ADD COLUMN disabled_at {time};
ALTER TABLE endpoints ADD COLUMN disabled_reason TEXT;
DROP INDEX endpoints_of_business;
CREATE INDEX endpoints_of_business ON endpoints (business_id, mode, created_at, id);

-- Calls that name an address of their own are signed with the secret of their business, which is exchanged in the same way.
ALTER TABLE businesses ADD COLUMN previous_webhook_secret {bytes};
ALTER TABLE businesses ADD COLUMN webhook_secret_exchanged_until {time};

-- Whether anybody was to hear of an event: `skipped` if not, `failed` if somebody did not get it, else `sent`.
ALTER TABLE events ADD COLUMN outcome TEXT;
UPDATE events SET outcome = CASE
    WHEN EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = events.id AND d.state = 'failed') THEN 'failed'
    WHEN EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = events.id) THEN 'sent'
    ELSE 'skipped' END;
CREATE INDEX events_by_type ON events (business_id, mode, event_type, created_at, id);
CREATE INDEX events_of_object ON events (object_id, created_at, id);
CREATE INDEX events_failed ON events (business_id, mode, created_at, id) WHERE outcome = 'failed';
CREATE INDEX events_skipped ON events (business_id, mode, created_at, id) WHERE outcome = 'skipped';

-- Attempts that were made before an event was last asked to be sent again: its schedule begins anew, its attempts are counted on.
ALTER TABLE deliveries ADD COLUMN earlier_attempts {integer} NOT NULL DEFAULT 0;

-- Attempts are lists of a business, and say where they went.
ALTER TABLE attempts ADD COLUMN business_id {id};
ALTER TABLE attempts ADD COLUMN mode TEXT;
ALTER TABLE attempts ADD COLUMN endpoint_id {id};
ALTER TABLE attempts ADD COLUMN url TEXT;
UPDATE attempts SET
    business_id = (SELECT d.business_id FROM deliveries d WHERE d.id = attempts.delivery_id),
    mode = (SELECT e.mode FROM events e WHERE e.id = attempts.event_id),
    url = (SELECT d.url FROM deliveries d WHERE d.id = attempts.delivery_id);
CREATE INDEX attempts_of_business ON attempts (business_id, mode, started_at, id);
CREATE INDEX attempts_of_endpoint ON attempts (endpoint_id, started_at, id) WHERE endpoint_id IS NOT NULL;
CREATE INDEX attempts_failed ON attempts (business_id, mode, started_at, id)
    WHERE response_status IS NULL OR response_status < 200 OR response_status > 299;
