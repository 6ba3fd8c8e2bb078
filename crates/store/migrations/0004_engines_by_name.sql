-- Engines side by side: what each of them holds of an agent, and who is preferred for calls.

-- An agent as an engine keeps it. A row may come before its agent: it is written when the agent is about to be made there.
CREATE TABLE engine_agents (
    agent_id {id} NOT NULL,
    engine TEXT NOT NULL,
    -- What the engine calls it; null while that is not known.
    external_id TEXT,
    -- The version that the engine holds; null while that is not certain.
    version {integer},
    -- Somebody is changing it at the engine until then.
    busy_until {time},
    -- It may exist at the engine and not here: who was about to make it, and since when.
    intent_node {id},
    intent_at {time},
    PRIMARY KEY (agent_id, engine)
);
CREATE INDEX engine_agents_intended ON engine_agents (engine, intent_at) WHERE intent_at IS NOT NULL;
CREATE INDEX engine_agents_kept ON engine_agents (engine, agent_id) WHERE external_id IS NOT NULL;

-- Until now there was one engine that keeps agents. Its columns stay for the previous release.
INSERT INTO engine_agents (agent_id, engine, external_id, version, busy_until)
    SELECT id, 'vapi', vapi_assistant_id, engine_version, engine_busy_until FROM agents
    WHERE vapi_assistant_id IS NOT NULL;
INSERT INTO engine_agents (agent_id, engine, intent_node, intent_at)
    SELECT agent_id, 'vapi', node_id, begun_at FROM agent_intents WHERE true
    ON CONFLICT (agent_id, engine) DO UPDATE SET intent_node = excluded.intent_node, intent_at = excluded.intent_at;

-- The engine that carries a number, and the one that an agent's calls prefer.
ALTER TABLE numbers ADD COLUMN engine TEXT;
ALTER TABLE agents ADD COLUMN engine TEXT;
