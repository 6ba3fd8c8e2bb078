-- Engines that run elsewhere: what they keep for us, what they tell, and when to ask.

-- The version of the agent that the engine holds; null while that is not certain.
ALTER TABLE agents ADD COLUMN engine_version {integer};
-- Somebody is changing the agent at the engine until then.
ALTER TABLE agents ADD COLUMN engine_busy_until {time};
CREATE INDEX agents_to_prepare ON agents (updated_at) 
    WHERE vapi_assistant_id IS NOT NULL AND (engine_version IS NULL OR engine_version <> version);

-- Agents that may exist at the engine and not here.
CREATE TABLE agent_intents (
    agent_id {id} PRIMARY KEY,
    node_id {id} NOT NULL,
    begun_at {time} NOT NULL
);

-- When the engine is to be asked after a call, and since when it has been known to be over.
ALTER TABLE calls ADD COLUMN check_at {time};
ALTER TABLE calls ADD COLUMN end_seen_at {time};
CREATE INDEX calls_to_check ON calls (check_at) WHERE check_at IS NOT NULL AND finished_at IS NULL;
CREATE UNIQUE INDEX calls_incoming_once ON calls (engine, conversation_id)
    WHERE direction = 'inbound' AND conversation_id IS NOT NULL;

CREATE TABLE engine_messages (
    engine TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    key TEXT NOT NULL,
    call_id {id} NOT NULL,
    kind TEXT NOT NULL,
    body {json} NOT NULL,
    received_at {time} NOT NULL,
    PRIMARY KEY (engine, conversation_id, key)
);
CREATE INDEX engine_messages_by_age ON engine_messages (received_at);

CREATE TABLE findings (
    call_id {id} PRIMARY KEY,
    body {json} NOT NULL,
    found_at {time} NOT NULL
);
