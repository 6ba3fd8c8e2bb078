-- What happened to leads: who changed what, and which were found to be one person.
CREATE TABLE lead_changes (
    id {id} PRIMARY KEY,
    lead_id {id} NOT NULL,
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    changed_by TEXT,
    call_id {id},
    changes {json} NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX lead_changes_of_lead ON lead_changes (lead_id, created_at, id);

-- A lead that has become part of another one, with what it was known by: whoever asks for it is led to the other.
CREATE TABLE lead_merges (
    from_id {id} PRIMARY KEY,
    into_id {id} NOT NULL,
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    phone_e164 TEXT,
    email_key TEXT,
    merged_at {time} NOT NULL
);
CREATE INDEX lead_merges_into ON lead_merges (into_id);
CREATE INDEX lead_merges_by_phone ON lead_merges (business_id, mode, phone_e164) WHERE phone_e164 IS NOT NULL;
CREATE INDEX lead_merges_by_email ON lead_merges (business_id, mode, email_key) WHERE email_key IS NOT NULL;
