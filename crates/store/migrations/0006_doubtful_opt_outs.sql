-- A wish not to be called that was never confirmed: the caller left before they could be asked.
ALTER TABLE opt_outs ADD COLUMN is_doubtful {bool} NOT NULL DEFAULT 0;
