-- The first shape of the database. Times are microseconds since 1970 in UTC; modes are `live` and `test`.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE businesses (
    id {id} PRIMARY KEY,
    name TEXT NOT NULL,
    phone TEXT,
    timezone TEXT NOT NULL,
    country_calling_code TEXT NOT NULL,
    webhook_secret {bytes} NOT NULL,
    created_at {time} NOT NULL
);

CREATE TABLE users (
    id {id} PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at {time} NOT NULL
);

CREATE TABLE memberships (
    user_id {id} NOT NULL REFERENCES users (id),
    business_id {id} NOT NULL REFERENCES businesses (id),
    PRIMARY KEY (user_id, business_id)
);

CREATE TABLE sessions (
    id {id} PRIMARY KEY,
    user_id {id} NOT NULL REFERENCES users (id),
    token_hash {bytes} NOT NULL UNIQUE,
    created_at {time} NOT NULL,
    last_seen_at {time} NOT NULL,
    expires_at {time} NOT NULL
);
CREATE INDEX sessions_expiring ON sessions (expires_at);

CREATE TABLE keys (
    id {id} PRIMARY KEY,
    user_id {id} NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    mode TEXT NOT NULL,
    scopes TEXT NOT NULL,
    business_id {id} REFERENCES businesses (id),
    hash {bytes} NOT NULL UNIQUE,
    created_at {time} NOT NULL,
    last_used_at {time},
    expires_at {time},
    revoked_at {time}
);
CREATE INDEX keys_of_user ON keys (user_id, created_at, id);

CREATE TABLE agents (
    id {id} PRIMARY KEY,
    business_id {id} NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL,
    config {json} NOT NULL,
    vapi_assistant_id TEXT,
    version {integer} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX agents_of_business ON agents (business_id, created_at, id);

CREATE TABLE agent_versions (
    agent_id {id} NOT NULL,
    number {integer} NOT NULL,
    config {json} NOT NULL,
    config_hash TEXT NOT NULL,
    source TEXT NOT NULL,
    diff_summary TEXT,
    created_at {time} NOT NULL,
    PRIMARY KEY (agent_id, number)
);

CREATE TABLE numbers (
    id {id} PRIMARY KEY,
    phone_number TEXT NOT NULL UNIQUE,
    business_id {id} REFERENCES businesses (id),
    agent_id {id} REFERENCES agents (id),
    created_at {time} NOT NULL
);
CREATE INDEX numbers_of_business ON numbers (business_id, created_at, id);
CREATE INDEX numbers_of_agent ON numbers (agent_id, created_at);

CREATE TABLE leads (
    id {id} PRIMARY KEY,
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    agent_id {id},
    name TEXT,
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    email_key TEXT,
    phone TEXT,
    phone_e164 TEXT,
    address TEXT,
    city TEXT,
    state TEXT,
    zip TEXT,
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    source_url TEXT,
    source_page TEXT,
    notes TEXT,
    message TEXT,
    event_date TEXT,
    event_type TEXT,
    timezone TEXT,
    score {integer},
    score_explanation TEXT,
    interaction_count {integer} NOT NULL,
    last_contacted_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX leads_of_business ON leads (business_id, mode, created_at, id);
CREATE INDEX leads_by_status ON leads (business_id, mode, status, created_at, id);
CREATE INDEX leads_by_phone ON leads (business_id, mode, phone_e164, created_at, id) WHERE phone_e164 IS NOT NULL;
CREATE INDEX leads_by_email ON leads (business_id, mode, email_key, created_at, id) WHERE email_key IS NOT NULL;

CREATE TABLE opt_outs (
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (business_id, mode, phone_number)
);

CREATE TABLE calls (
    id {id} PRIMARY KEY,
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    agent_id {id} NOT NULL,
    direction TEXT NOT NULL,
    to_number TEXT NOT NULL,
    from_number TEXT,
    name TEXT,
    context TEXT,
    first_message TEXT,
    lead_id {id},
    webhook_url TEXT,
    max_duration_s {integer} NOT NULL,
    engine TEXT NOT NULL,
    node_id {id},
    conversation_id TEXT,
    state TEXT NOT NULL,
    answered_at {time},
    talked_ms {integer},
    wrap_up_until {time},
    failure TEXT,
    ringing_at {time},
    ended_at {time},
    ended_reason TEXT,
    cost_cents {integer} NOT NULL,
    summary TEXT,
    quality TEXT,
    analyst TEXT,
    recording_key TEXT,
    recording_type TEXT,
    recording_duration_ms {integer},
    policy_reason TEXT NOT NULL,
    refusal TEXT,
    heard_at {time} NOT NULL,
    created_at {time} NOT NULL,
    finished_at {time}
);
CREATE INDEX calls_of_business ON calls (business_id, mode, created_at, id);
CREATE INDEX calls_of_agent ON calls (agent_id, mode, created_at, id);
CREATE INDEX calls_of_lead ON calls (lead_id, mode, created_at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX calls_by_conversation ON calls (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX calls_running ON calls (business_id, mode, created_at) WHERE finished_at IS NULL;

CREATE TABLE call_log (
    call_id {id} NOT NULL,
    seq {integer} NOT NULL,
    at {time} NOT NULL,
    kind TEXT NOT NULL,
    data {json} NOT NULL,
    PRIMARY KEY (call_id, seq)
){without_rowid};

CREATE TABLE transcripts (
    call_id {id} PRIMARY KEY,
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    agent_id {id} NOT NULL,
    created_at {time} NOT NULL,
    text TEXT NOT NULL,
    utterances {json} NOT NULL
);
CREATE INDEX transcripts_of_business ON transcripts (business_id, mode, created_at, call_id);
CREATE INDEX transcripts_of_agent ON transcripts (agent_id, mode, created_at, call_id);

CREATE TABLE events (
    id {id} PRIMARY KEY,
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    event_type TEXT NOT NULL,
    object_type TEXT NOT NULL,
    object_id {id} NOT NULL,
    call_id {id},
    payload {json} NOT NULL,
    created_at {time} NOT NULL
);
-- Each call ends with exactly one event.
CREATE UNIQUE INDEX events_ending_calls ON events (call_id) WHERE event_type IN ('call.completed', 'call.failed');
CREATE INDEX events_of_business ON events (business_id, mode, created_at, id);
CREATE INDEX events_by_age ON events (created_at);

CREATE TABLE endpoints (
    id {id} PRIMARY KEY,
    business_id {id} NOT NULL REFERENCES businesses (id),
    url TEXT NOT NULL,
    secret {bytes} NOT NULL,
    event_types TEXT NOT NULL,
    description TEXT,
    is_active {bool} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX endpoints_of_business ON endpoints (business_id, created_at, id);

CREATE TABLE deliveries (
    id {id} PRIMARY KEY,
    event_id {id} NOT NULL,
    business_id {id} NOT NULL,
    endpoint_id {id},
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts {integer} NOT NULL,
    first_attempt_at {time},
    next_attempt_at {time},
    created_at {time} NOT NULL
);
CREATE INDEX deliveries_of_event ON deliveries (event_id, created_at);

CREATE TABLE attempts (
    id {id} PRIMARY KEY,
    delivery_id {id} NOT NULL,
    event_id {id} NOT NULL,
    number {integer} NOT NULL,
    started_at {time} NOT NULL,
    duration_ms {integer} NOT NULL,
    response_status {integer},
    response_body TEXT,
    error TEXT,
    request_headers {json} NOT NULL
);
CREATE INDEX attempts_of_delivery ON attempts (delivery_id, number);
CREATE INDEX attempts_by_age ON attempts (started_at);

CREATE TABLE jobs (
    id {id} PRIMARY KEY,
    kind TEXT NOT NULL,
    queue TEXT NOT NULL,
    subject {id} NOT NULL,
    lane {id},
    attempts {integer} NOT NULL,
    run_at {time} NOT NULL,
    node_id {id},
    lease_until {time},
    created_at {time} NOT NULL,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (queue, run_at);

CREATE TABLE nodes (
    id {id} PRIMARY KEY,
    lease_until {time} NOT NULL
);

CREATE TABLE idempotency (
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash {bytes} NOT NULL,
    resource {id} NOT NULL,
    node_id {id} NOT NULL,
    status {integer},
    body {bytes},
    created_at {time} NOT NULL,
    PRIMARY KEY (business_id, mode, route, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE usage_log (
    id {id} PRIMARY KEY,
    key_id {id} NOT NULL,
    user_id {id} NOT NULL,
    business_id {id},
    mode TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    status_code {integer} NOT NULL,
    call_id {id},
    created_at {time} NOT NULL
);
CREATE INDEX usage_of_user ON usage_log (user_id, mode, created_at, id);
CREATE INDEX usage_of_business ON usage_log (business_id, mode, created_at, id) WHERE business_id IS NOT NULL;

CREATE TABLE talked (
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    month TEXT NOT NULL,
    talked_ms {integer} NOT NULL,
    PRIMARY KEY (business_id, mode, month)
);
