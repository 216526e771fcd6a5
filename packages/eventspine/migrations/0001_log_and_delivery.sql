-- additive: the first schema. `eventspine.` is replaced by the schema's quoted name when it runs elsewhere.

-- One row per database cluster that this log has lived in. Transaction ids mean nothing in another cluster, so
-- every event and tick carries the epoch in which its xid was given out.
CREATE TABLE eventspine.epoch (
  epoch int PRIMARY KEY,
  system_identifier text NOT NULL,
  began_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- CACHE stays 1: sessions that cache numbers would break "acknowledged before called means seen before".
CREATE SEQUENCE eventspine.event_seq AS bigint CACHE 1;

-- The log. Appended once, never updated. The key starts with (epoch, xid) because that is how ticks are read,
-- and partitions are ranges of it, so one index serves reading, pruning and identity.
CREATE TABLE eventspine.event (
  epoch int NOT NULL DEFAULT 1,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint NOT NULL DEFAULT nextval('eventspine.event_seq'),
  time timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  version int NOT NULL,
  id text NOT NULL,
  type text NOT NULL,
  tenant text NOT NULL,
  source text NOT NULL,
  subject text,
  key text,
  traceparent text NOT NULL,
  correlation_id text NOT NULL,
  causation_id text,
  claim text,
  extensions json,
  data json,
  PRIMARY KEY (epoch, xid, seq)
) PARTITION BY RANGE (epoch, xid);

CREATE INDEX event_id ON eventspine.event (id);
-- The first event of a correlation is found by its id: most begin one and end it, and need no second entry.
CREATE INDEX event_correlation ON eventspine.event (correlation_id) WHERE correlation_id <> id;
CREATE INDEX event_key ON eventspine.event (key, seq) WHERE key IS NOT NULL;
CREATE INDEX event_type ON eventspine.event (type, seq);
CREATE INDEX event_seq_order ON eventspine.event (seq);

-- Catches what no partition covers, so that an append never fails for want of one. Alarmed at one row.
CREATE TABLE eventspine.event_default PARTITION OF eventspine.event DEFAULT;

-- Batch boundaries. The batch of a tick is what `snapshot` sees and `after` does not, in seq order.
CREATE TABLE eventspine.tick (
  number bigint PRIMARY KEY,
  epoch int NOT NULL,
  after pg_snapshot NOT NULL,
  snapshot pg_snapshot NOT NULL,
  seq_estimate bigint NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX tick_made_at ON eventspine.tick (made_at);

-- Ids that publishers gave, kept for the window.
CREATE TABLE eventspine.idempotency (
  tenant text NOT NULL,
  source text NOT NULL,
  id text NOT NULL,
  fingerprint text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, source, id)
);
CREATE INDEX idempotency_expiry ON eventspine.idempotency (expires_at);

CREATE TABLE eventspine.subscription (
  name text PRIMARY KEY,
  -- The app that registered it last: several may share a log.
  app text NOT NULL,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused')),
  priority text NOT NULL,
  shards int NOT NULL,
  types text[] NOT NULL,
  policies json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE eventspine.replay (
  id text PRIMARY KEY,
  subscription text NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'stopped')),
  from_time timestamptz,
  from_tick bigint NOT NULL,
  until_tick bigint NOT NULL,
  actor text NOT NULL,
  reason text,
  -- How far it had come when it was stopped, 0 to 1.
  progress real,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);
CREATE INDEX replay_created ON eventspine.replay (created_at);
CREATE INDEX replay_ended ON eventspine.replay (ended_at) WHERE ended_at IS NOT NULL;

-- A cursor with its lease. fillfactor and the absence of indexes on changing columns keep its updates in the page.
CREATE TABLE eventspine.consumer (
  subscription text NOT NULL,
  replay text NOT NULL DEFAULT '',
  shard int NOT NULL,
  tick bigint NOT NULL,
  seq bigint NOT NULL,
  from_time timestamptz,
  until_tick bigint,
  finished boolean NOT NULL DEFAULT false,
  owner text,
  token bigint NOT NULL DEFAULT 0,
  revision bigint NOT NULL DEFAULT 0,
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  deaths int NOT NULL DEFAULT 0,
  matched bigint NOT NULL DEFAULT 0,
  completed bigint NOT NULL DEFAULT 0,
  skipped bigint NOT NULL DEFAULT 0,
  -- Discarded dead letters that retention removed: keeps the balance of matched against what became of it.
  discarded bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription, replay, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Deliveries that did not succeed at once. A redriven one carries its own copy of the event.
CREATE TABLE eventspine.delivery (
  subscription text NOT NULL,
  replay text NOT NULL,
  shard int NOT NULL,
  epoch int NOT NULL,
  xid xid8 NOT NULL,
  seq bigint NOT NULL,
  tick bigint NOT NULL,
  key text,
  tenant text NOT NULL,
  state text NOT NULL CHECK (state IN ('retry', 'running', 'waiting')),
  attempt int NOT NULL,
  round int NOT NULL DEFAULT 0,
  deaths int NOT NULL DEFAULT 0,
  token bigint NOT NULL,
  due_at timestamptz NOT NULL,
  failure json,
  redrive text,
  event json,
  PRIMARY KEY (subscription, replay, shard, epoch, seq)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
CREATE INDEX delivery_due ON eventspine.delivery (subscription, replay, shard, due_at) WHERE state <> 'waiting';
CREATE INDEX delivery_key ON eventspine.delivery (subscription, replay, shard, key, tick, seq);
-- What retention asks: does an open delivery still need the event in the log?
CREATE INDEX delivery_event ON eventspine.delivery (epoch, xid) WHERE event IS NULL;
CREATE INDEX delivery_claim ON eventspine.delivery (((event ->> 'recordedAtMs')::float8)) WHERE (event ->> 'claim') IS NOT NULL;

-- Given up, kept for a person. One row for the life of a delivery: rounds raise its counter.
CREATE TABLE eventspine.dead_letter (
  subscription text NOT NULL,
  replay text NOT NULL,
  shard int NOT NULL,
  epoch int NOT NULL,
  xid xid8 NOT NULL,
  seq bigint NOT NULL,
  tick bigint NOT NULL,
  key text,
  tenant text NOT NULL,
  state text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'redriving', 'redriven', 'discarded')),
  attempts int NOT NULL,
  round int NOT NULL DEFAULT 0,
  category text NOT NULL,
  fingerprint text NOT NULL,
  failure json NOT NULL,
  halts boolean NOT NULL DEFAULT false,
  event_id text NOT NULL,
  event_type text NOT NULL,
  event json NOT NULL,
  redrive text,
  died_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  resolved_at timestamptz,
  resolved_by text,
  reason text,
  PRIMARY KEY (subscription, replay, shard, epoch, seq)
);
CREATE INDEX dead_letter_died ON eventspine.dead_letter (died_at);
CREATE INDEX dead_letter_group ON eventspine.dead_letter (subscription, category, fingerprint) WHERE state = 'dead';
CREATE INDEX dead_letter_redrive ON eventspine.dead_letter (redrive) WHERE redrive IS NOT NULL;
CREATE INDEX dead_letter_resolved ON eventspine.dead_letter (resolved_at) WHERE state IN ('redriven', 'discarded');
CREATE INDEX dead_letter_claim ON eventspine.dead_letter (((event ->> 'recordedAtMs')::float8)) WHERE (event ->> 'claim') IS NOT NULL;
CREATE INDEX dead_letter_halted ON eventspine.dead_letter (subscription, replay, shard, key) WHERE halts AND state IN ('dead', 'redriving');

CREATE TABLE eventspine.redrive (
  id text PRIMARY KEY,
  idempotency_key text UNIQUE,
  state text NOT NULL CHECK (state IN ('canary', 'running', 'completed', 'stopped')),
  filter json NOT NULL,
  rate real NOT NULL,
  canary int NOT NULL,
  stop_at_error_rate real NOT NULL,
  selected int NOT NULL,
  edited_data json,
  actor text NOT NULL,
  reason text,
  note text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);
CREATE INDEX redrive_ended ON eventspine.redrive (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX redrive_created ON eventspine.redrive (created_at);
CREATE INDEX redrive_running ON eventspine.redrive (created_at) WHERE state IN ('canary', 'running');
-- The letters of one redrive and what became of each: kept apart, since a letter outlives its redrives.
CREATE TABLE eventspine.redrive_item (
  redrive text NOT NULL,
  number int NOT NULL,
  subscription text NOT NULL,
  replay text NOT NULL,
  shard int NOT NULL,
  epoch int NOT NULL,
  seq bigint NOT NULL,
  state text NOT NULL DEFAULT 'selected' CHECK (state IN ('selected', 'sent', 'succeeded', 'failed', 'released')),
  PRIMARY KEY (redrive, number)
);
-- A letter is in one redrive at a time.
CREATE UNIQUE INDEX redrive_item_open ON eventspine.redrive_item (subscription, replay, shard, epoch, seq) WHERE state IN ('selected', 'sent');
CREATE INDEX redrive_item_next ON eventspine.redrive_item (redrive, number) WHERE state = 'selected';

-- Run history: one row per settlement, its attempts packed in arrays. A row per attempt would cost more than the
-- event itself. seq_max − seq_min is bounded by 65,536, so that one event's runs are found by a short range.
CREATE TABLE eventspine.run (
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  subscription text NOT NULL,
  replay text NOT NULL,
  shard int NOT NULL,
  worker text NOT NULL,
  epoch int NOT NULL,
  seq_min bigint NOT NULL,
  seq_max bigint NOT NULL,
  started_at timestamptz NOT NULL,
  seqs bigint[] NOT NULL,
  rounds smallint[],
  attempts smallint[],
  started_after_ms int[] NOT NULL,
  duration_us int[] NOT NULL,
  outcomes "char"[],
  failures json
) PARTITION BY RANGE (recorded_at);
CREATE INDEX run_seq ON eventspine.run (seq_max, epoch);
CREATE TABLE eventspine.run_default PARTITION OF eventspine.run DEFAULT;

CREATE TABLE eventspine.breaker (
  name text NOT NULL,
  tenant text NOT NULL DEFAULT '',
  state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half-open')),
  failures int NOT NULL DEFAULT 0,
  successes int NOT NULL DEFAULT 0,
  window_began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  opened_at timestamptz,
  opens_until timestamptz,
  probe_until timestamptz,
  closed_at timestamptz,
  last_error text,
  PRIMARY KEY (name, tenant)
);

CREATE TABLE eventspine.worker (
  id text PRIMARY KEY,
  identity text NOT NULL,
  host text NOT NULL,
  process_id int NOT NULL,
  version text NOT NULL,
  consumers int NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Bodies over the soft limit, when no other object store is configured.
CREATE TABLE eventspine.claim (
  reference text PRIMARY KEY,
  tenant text NOT NULL,
  body text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX claim_written ON eventspine.claim (written_at);

-- Who did what. Append-only.
CREATE TABLE eventspine.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  details json NOT NULL
);

CREATE TABLE eventspine.migration (
  name text PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
