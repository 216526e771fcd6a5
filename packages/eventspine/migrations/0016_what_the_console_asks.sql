-- additive: what workers run, and indexes for what the console asks again and again.

-- Handlers that ran at its last heartbeat, by subscription. A worker of an older version says nothing of it.
ALTER TABLE eventspine.worker ADD COLUMN running json NOT NULL DEFAULT '{}';

-- The newest attempts of each subscription. A row is a settlement, not an attempt.
CREATE INDEX run_lately ON eventspine.run (subscription, replay, recorded_at);
