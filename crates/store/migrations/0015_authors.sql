-- Who made a version of an agent (the id of a key or an e-mail address), and which earlier version it brought back.
ALTER TABLE agent_versions ADD COLUMN created_by TEXT;
ALTER TABLE agent_versions ADD COLUMN rollback_of {integer};
