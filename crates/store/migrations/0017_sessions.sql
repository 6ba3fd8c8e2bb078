-- From where somebody logged in, so that they recognise their sessions.
ALTER TABLE sessions ADD COLUMN browser TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;
CREATE INDEX sessions_of_a_user ON sessions (user_id, created_at);
