-- What people show besides their password, and what they were asked while they log in.
CREATE TABLE second_factors (
    id {id} PRIMARY KEY,
    user_id {id} NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    credential {bytes} UNIQUE,
    secret {bytes} NOT NULL,
    counter BIGINT NOT NULL,
    wrong BIGINT NOT NULL,
    wrong_at {time},
    created_at {time} NOT NULL,
    last_used_at {time}
);
CREATE INDEX second_factors_of_a_user ON second_factors (user_id, created_at);

CREATE TABLE recovery_codes (
    user_id {id} NOT NULL REFERENCES users (id),
    code_hash {bytes} NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE login_steps (
    hash {bytes} PRIMARY KEY,
    user_id {id} NOT NULL REFERENCES users (id),
    challenge {bytes} NOT NULL,
    wrong BIGINT NOT NULL,
    expires_at {time} NOT NULL
);
CREATE INDEX login_steps_expiring ON login_steps (expires_at);

-- When the user of a session last showed who they are. Sessions from before do not say, and are asked.
ALTER TABLE sessions ADD COLUMN confirmed_at {time};
