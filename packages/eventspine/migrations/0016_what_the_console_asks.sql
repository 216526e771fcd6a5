-- additive: what workers run, and indexes for what the console asks again and again.

-- Handlers that ran at its last heartbeat, by subscription. A worker of an older version says nothing of it.
ALTER TABLE eventspine.worker ADD COLUMN running json NOT NULL DEFAULT '{}';

-- Dead letters are counted, grouped and chosen for a redrive through this alone, without a look at the letters themselves.
DROP INDEX eventspine.dead_letter_group;
CREATE INDEX dead_letter_group ON eventspine.dead_letter (subscription, category, fingerprint, died_at)
  INCLUDE (replay, shard, epoch, seq, round, tenant, event_type) WHERE state = 'dead';
CREATE INDEX dead_letter_discarded ON eventspine.dead_letter (subscription, replay) WHERE state = 'discarded';
-- A tenant that has few letters finds them among those of the others.
CREATE INDEX dead_letter_tenant ON eventspine.dead_letter (tenant, died_at);

-- The newest attempts of each subscription. A row is a settlement, not an attempt.
CREATE INDEX run_lately ON eventspine.run (subscription, replay, recorded_at);
