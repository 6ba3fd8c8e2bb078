-- Lists that are narrowed by a filter read what they show and no more, however many rows there are.

-- Which calls are completed and which have failed is told by columns that are written once, at the end of a call: an index on the
-- state would be written anew at each step of it.
CREATE INDEX calls_completed ON calls (business_id, mode, direction, created_at, id) WHERE finished_at IS NOT NULL AND failure IS NULL;
CREATE INDEX calls_failed ON calls (business_id, mode, direction, created_at, id) WHERE failure IS NOT NULL;
CREATE INDEX calls_completed_of_agent ON calls (agent_id, mode, direction, created_at, id)
    WHERE finished_at IS NOT NULL AND failure IS NULL;
CREATE INDEX calls_failed_of_agent ON calls (agent_id, mode, direction, created_at, id) WHERE failure IS NOT NULL;
DROP INDEX calls_running;
CREATE INDEX calls_running ON calls (business_id, mode, created_at, id) WHERE finished_at IS NULL;

CREATE INDEX leads_by_source ON leads (business_id, mode, source, created_at, id);
CREATE INDEX leads_of_agent ON leads (business_id, mode, agent_id, created_at, id) WHERE agent_id IS NOT NULL;
CREATE INDEX leads_by_score ON leads (business_id, mode, score, created_at, id) WHERE score IS NOT NULL;
CREATE INDEX leads_by_given_phone ON leads (business_id, mode, phone, created_at, id) WHERE phone IS NOT NULL AND phone_e164 IS NULL;
CREATE INDEX leads_by_change ON leads (business_id, mode, updated_at);
