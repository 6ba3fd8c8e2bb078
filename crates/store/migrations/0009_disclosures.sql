-- What the agents of a business say before anything else.
ALTER TABLE businesses ADD COLUMN disclose_ai {bool} NOT NULL DEFAULT 0;
ALTER TABLE businesses ADD COLUMN disclose_recording {bool} NOT NULL DEFAULT 0;

-- What the agent was heard to disclose in a call, as words separated by commas, and how soon somebody has to look at it.
ALTER TABLE calls ADD COLUMN disclosed TEXT;
ALTER TABLE calls ADD COLUMN urgency TEXT;
