-- What a business allows its agents when they call somebody.
ALTER TABLE businesses ADD COLUMN daily_budget_cents {integer};
ALTER TABLE businesses ADD COLUMN consent TEXT NOT NULL DEFAULT 'off';
ALTER TABLE businesses ADD COLUMN attempts_per_day {integer};
ALTER TABLE businesses ADD COLUMN attempts_per_week {integer};

-- What a call is for, the day against whose budgets it counts, and for how much: what is set aside for it while it runs, then what it cost.
ALTER TABLE calls ADD COLUMN purpose TEXT;
ALTER TABLE calls ADD COLUMN counted_on TEXT;
ALTER TABLE calls ADD COLUMN counted_cents {integer} NOT NULL DEFAULT 0;
CREATE INDEX calls_to_number ON calls (business_id, to_number, created_at) WHERE direction = 'outbound';

-- What the calls of a day that are over have cost, by the agent that made them.
CREATE TABLE spending (
    business_id {id} NOT NULL,
    mode TEXT NOT NULL,
    day TEXT NOT NULL,
    agent_id {id} NOT NULL,
    spent_cents {integer} NOT NULL,
    PRIMARY KEY (business_id, mode, day, agent_id)
);

-- Each time that somebody agreed to be called, or took it back. The latest word about a number counts.
CREATE TABLE consents (
    id {id} PRIMARY KEY,
    business_id {id} NOT NULL REFERENCES businesses (id),
    mode TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    lead_id {id},
    is_given {bool} NOT NULL,
    source TEXT NOT NULL,
    evidence TEXT,
    said_at {time} NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX consents_of_number ON consents (business_id, mode, phone_number, said_at, created_at);
CREATE INDEX consents_of_business ON consents (business_id, mode, created_at, id);
