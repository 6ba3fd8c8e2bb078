-- Claims step from lane to lane, so that the queue of one receiver costs the others nothing.

CREATE INDEX jobs_of_lane ON jobs (lane, run_at) WHERE failed_at IS NULL AND lane IS NOT NULL;
