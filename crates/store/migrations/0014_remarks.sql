-- What people noted about calls, by which filters they look at them, and why somebody is not to be called.
CREATE TABLE call_remarks (
    call_id {id} PRIMARY KEY REFERENCES calls (id),
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    note TEXT NOT NULL,
    tags TEXT NOT NULL,
    written_by TEXT NOT NULL,
    written_at {time} NOT NULL
);

CREATE TABLE saved_views (
    user_id {id} NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (user_id, name)
);

ALTER TABLE opt_outs ADD COLUMN reason TEXT;
