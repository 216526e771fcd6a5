-- additive: instances of workflows and their histories.

-- One row per instance. Its updates between start and end touch no indexed column unless a timer is set, and stay in
-- the page.
CREATE TABLE eventspine.workflow (
  number bigint GENERATED ALWAYS AS IDENTITY,
  tenant text NOT NULL,
  name text NOT NULL,
  id text NOT NULL,
  version int NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'compensating', 'completed', 'failed', 'compensated', 'cancelled')),
  -- Entries of its history: whoever adds some names how many there were.
  entries int NOT NULL,
  parent json,
  wake_at timestamptz,
  deadline_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  PRIMARY KEY (tenant, name, id)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE UNIQUE INDEX workflow_number ON eventspine.workflow (number);
CREATE INDEX workflow_wake ON eventspine.workflow (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX workflow_deadline ON eventspine.workflow (deadline_at) WHERE deadline_at IS NOT NULL;
CREATE INDEX workflow_open ON eventspine.workflow (name, number) WHERE ended_at IS NULL;
CREATE INDEX workflow_unwell ON eventspine.workflow (state, number) WHERE state NOT IN ('running', 'completed');
CREATE INDEX workflow_ended ON eventspine.workflow (ended_at) WHERE ended_at IS NOT NULL;

-- What each instance was told and answered. Appended, never changed; `token` is the lease under which it was written.
CREATE TABLE eventspine.workflow_entry (
  number bigint NOT NULL,
  position int NOT NULL,
  kind text NOT NULL,
  place text NOT NULL,
  name text NOT NULL,
  data json,
  at timestamptz NOT NULL,
  token bigint NOT NULL,
  PRIMARY KEY (number, position)
);
