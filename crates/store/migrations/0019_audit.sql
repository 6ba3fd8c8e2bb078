-- Who changed what of how a business is set up, from where. A row concerns one business, or none where it concerns the installation.
CREATE TABLE audit_log (
    id {id} PRIMARY KEY,
    business_id {id},
    actor_kind TEXT NOT NULL,
    actor_id {id},
    actor_name TEXT,
    address TEXT,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id {id},
    target_name TEXT,
    changes {json} NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX audit_of_business ON audit_log (business_id, created_at, id);
CREATE INDEX audit_by_age ON audit_log (created_at, id);
