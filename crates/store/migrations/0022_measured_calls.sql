-- Most calls were measured in nothing: whoever reads one finds that out without going through its log.
CREATE INDEX call_log_measured ON call_log (call_id, kind) WHERE kind IN ('turn', 'sound');
