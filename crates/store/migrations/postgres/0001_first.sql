-- The first shape of the database. Times are microseconds since 1970 in UTC; modes are `live` and `test`.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE businesses (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    phone TEXT,
    timezone TEXT NOT NULL,
    country_calling_code TEXT NOT NULL,
    webhook_secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    user_id UUID NOT NULL REFERENCES users (id),
    business_id UUID NOT NULL REFERENCES businesses (id),
    PRIMARY KEY (user_id, business_id)
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    token_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiring ON sessions (expires_at);

CREATE TABLE keys (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    mode TEXT NOT NULL,
    scopes TEXT NOT NULL,
    business_id UUID REFERENCES businesses (id),
    hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX keys_of_user ON keys (user_id, created_at, id);

CREATE TABLE agents (
    id UUID PRIMARY KEY,
    business_id UUID NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL,
    config TEXT NOT NULL,
    vapi_assistant_id TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX agents_of_business ON agents (business_id, created_at, id);

CREATE TABLE agent_versions (
    agent_id UUID NOT NULL,
    number BIGINT NOT NULL,
    config TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    source TEXT NOT NULL,
    diff_summary TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (agent_id, number)
);

CREATE TABLE numbers (
    id UUID PRIMARY KEY,
    phone_number TEXT NOT NULL UNIQUE,
    business_id UUID REFERENCES businesses (id),
    agent_id UUID REFERENCES agents (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX numbers_of_business ON numbers (business_id, created_at, id);
CREATE INDEX numbers_of_agent ON numbers (agent_id, created_at);

CREATE TABLE leads (
    id UUID PRIMARY KEY,
    business_id UUID NOT NULL,
    mode TEXT NOT NULL,
    agent_id UUID,
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
    score BIGINT,
    score_explanation TEXT,
    interaction_count BIGINT NOT NULL,
    last_contacted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX leads_of_business ON leads (business_id, mode, created_at, id);
CREATE INDEX leads_by_status ON leads (business_id, mode, status, created_at, id);
CREATE INDEX leads_by_phone ON leads (business_id, mode, phone_e164, created_at, id) WHERE phone_e164 IS NOT NULL;
CREATE INDEX leads_by_email ON leads (business_id, mode, email_key, created_at, id) WHERE email_key IS NOT NULL;

CREATE TABLE opt_outs (
    business_id UUID NOT NULL,
    mode TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (business_id, mode, phone_number)
);

CREATE TABLE calls (
    id UUID PRIMARY KEY,
    business_id UUID NOT NULL,
    mode TEXT NOT NULL,
    agent_id UUID NOT NULL,
    direction TEXT NOT NULL,
    to_number TEXT NOT NULL,
    from_number TEXT,
    name TEXT,
    context TEXT,
    first_message TEXT,
    lead_id UUID,
    webhook_url TEXT,
    max_duration_s BIGINT NOT NULL,
    engine TEXT NOT NULL,
    node_id UUID,
    conversation_id TEXT,
    state TEXT NOT NULL,
    answered_at BIGINT,
    talked_ms BIGINT,
    wrap_up_until BIGINT,
    failure TEXT,
    ringing_at BIGINT,
    ended_at BIGINT,
    ended_reason TEXT,
    cost_cents BIGINT NOT NULL,
    summary TEXT,
    quality TEXT,
    analyst TEXT,
    recording_key TEXT,
    recording_type TEXT,
    recording_duration_ms BIGINT,
    policy_reason TEXT NOT NULL,
    refusal TEXT,
    heard_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX calls_of_business ON calls (business_id, mode, created_at, id);
CREATE INDEX calls_of_agent ON calls (agent_id, mode, created_at, id);
CREATE INDEX calls_of_lead ON calls (lead_id, mode, created_at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX calls_by_conversation ON calls (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX calls_running ON calls (business_id, mode, created_at) WHERE finished_at IS NULL;

CREATE TABLE call_log (
    call_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (call_id, seq)
);

CREATE TABLE transcripts (
    call_id UUID PRIMARY KEY,
    business_id UUID NOT NULL,
    mode TEXT NOT NULL,
    agent_id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    text TEXT NOT NULL,
    utterances TEXT NOT NULL
);
CREATE INDEX transcripts_of_business ON transcripts (business_id, mode, created_at, call_id);
CREATE INDEX transcripts_of_agent ON transcripts (agent_id, mode, created_at, call_id);

CREATE TABLE events (
    id UUID PRIMARY KEY,
    business_id UUID NOT NULL,
    mode TEXT NOT NULL,
    event_type TEXT NOT NULL,
    object_type TEXT NOT NULL,
    object_id UUID NOT NULL,
    call_id UUID,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
-- Each call ends with exactly one event.
CREATE UNIQUE INDEX events_ending_calls ON events (call_id) WHERE event_type IN ('call.completed', 'call.failed');
CREATE INDEX events_of_business ON events (business_id, mode, created_at, id);
CREATE INDEX events_by_age ON events (created_at);

CREATE TABLE endpoints (
    id UUID PRIMARY KEY,
    business_id UUID NOT NULL REFERENCES businesses (id),
    url TEXT NOT NULL,
    secret BYTEA NOT NULL,
    event_types TEXT NOT NULL,
    description TEXT,
    is_active BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX endpoints_of_business ON endpoints (business_id, created_at, id);

CREATE TABLE deliveries (
    id UUID PRIMARY KEY,
    event_id UUID NOT NULL,
    business_id UUID NOT NULL,
    endpoint_id UUID,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    first_attempt_at BIGINT,
    next_attempt_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX deliveries_of_event ON deliveries (event_id, created_at);

CREATE TABLE attempts (
    id UUID PRIMARY KEY,
    delivery_id UUID NOT NULL,
    event_id UUID NOT NULL,
    number BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    response_status BIGINT,
    response_body TEXT,
    error TEXT,
    request_headers TEXT NOT NULL
);
CREATE INDEX attempts_of_delivery ON attempts (delivery_id, number);
CREATE INDEX attempts_by_age ON attempts (started_at);

CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    queue TEXT NOT NULL,
    subject UUID NOT NULL,
    lane UUID,
    attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    node_id UUID,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (queue, run_at);

CREATE TABLE nodes (
    id UUID PRIMARY KEY,
    lease_until BIGINT NOT NULL
);

CREATE TABLE idempotency (
    business_id UUID NOT NULL,
    mode TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash BYTEA NOT NULL,
    resource UUID NOT NULL,
    node_id UUID NOT NULL,
    status BIGINT,
    body BYTEA,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (business_id, mode, route, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE usage_log (
    id UUID PRIMARY KEY,
    key_id UUID NOT NULL,
    user_id UUID NOT NULL,
    business_id UUID,
    mode TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    status_code BIGINT NOT NULL,
    call_id UUID,
    created_at BIGINT NOT NULL
);
CREATE INDEX usage_of_user ON usage_log (user_id, mode, created_at, id);
CREATE INDEX usage_of_business ON usage_log (business_id, mode, created_at, id) WHERE business_id IS NOT NULL;

CREATE TABLE talked (
    business_id UUID NOT NULL,
    mode TEXT NOT NULL,
    month TEXT NOT NULL,
    talked_ms BIGINT NOT NULL,
    PRIMARY KEY (business_id, mode, month)
);
