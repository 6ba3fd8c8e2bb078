-- What users may do in each of their businesses. Whoever saw one before could do everything in it.
ALTER TABLE memberships ADD COLUMN role TEXT NOT NULL DEFAULT 'owner';

-- What programs say of the businesses that they make.
CREATE TABLE workspaces (
    business_id {id} PRIMARY KEY REFERENCES businesses (id),
    owner_id {id} NOT NULL REFERENCES users (id),
    external_ref TEXT,
    metadata {json} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE UNIQUE INDEX workspaces_by_ref ON workspaces (owner_id, external_ref) WHERE external_ref IS NOT NULL;

CREATE INDEX memberships_of_business ON memberships (business_id);
