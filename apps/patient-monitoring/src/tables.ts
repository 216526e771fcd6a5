// The application's own tables, in the same database as the log: what a function writes here and what it publishes commit in one
// transaction. Each is written by one function, so that none waits for a lock of another's; whoever wants to see the ward reads them.

/** Safe to run again at each start. */
export const createTables = `
  CREATE SCHEMA IF NOT EXISTS ward;

  -- qualify: what is known of each bed. Written with each reading: room in the page keeps it from growing.
  CREATE TABLE IF NOT EXISTS ward.bed (
    bed text PRIMARY KEY,
    ward text NOT NULL,
    state jsonb NOT NULL,
    heard_at timestamptz NOT NULL
  ) WITH (fillfactor = 50);

  -- beds: wards whose devices speak of a bed that is not theirs, and are refused. watch: the alarm that it is.
  CREATE TABLE IF NOT EXISTS ward.refused (
    bed text NOT NULL,
    ward text NOT NULL,
    refused_at timestamptz NOT NULL,
    alarm text,
    PRIMARY KEY (bed, ward)
  );

  -- duty, devices: who is told, and where.
  CREATE TABLE IF NOT EXISTS ward.duty (
    ward text NOT NULL,
    position int NOT NULL,
    person text NOT NULL,
    PRIMARY KEY (ward, position)
  );
  CREATE TABLE IF NOT EXISTS ward.device (
    id text PRIMARY KEY,
    person text NOT NULL,
    endpoint text NOT NULL,
    p256dh text NOT NULL,
    auth text NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE INDEX IF NOT EXISTS device_person ON ward.device (person, registered_at);
  -- Those that a push service has called gone: the phone asks, and subscribes anew.
  CREATE TABLE IF NOT EXISTS ward.device_gone (id text PRIMARY KEY, at timestamptz NOT NULL);

  -- address: which device was tried for which alarm, and what the person is told of it. Without a device ('') where none was left to try.
  CREATE TABLE IF NOT EXISTS ward.push (
    alarm text NOT NULL,
    person text NOT NULL,
    device text NOT NULL,
    brief jsonb NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (alarm, person, device)
  );
  CREATE INDEX IF NOT EXISTS push_person ON ward.push (person, asked_at DESC);

  -- acknowledge: who has seen it first.
  CREATE TABLE IF NOT EXISTS ward.acknowledgement (
    alarm text PRIMARY KEY,
    person text NOT NULL,
    at timestamptz NOT NULL
  );

  -- history: each alarm, and each thing that became of it.
  CREATE TABLE IF NOT EXISTS ward.alarm (
    id text PRIMARY KEY,
    ward text NOT NULL,
    bed text NOT NULL,
    rule text NOT NULL,
    priority text NOT NULL,
    text text NOT NULL,
    value double precision,
    began_at timestamptz NOT NULL,
    raised_at timestamptz NOT NULL
  );
  CREATE INDEX IF NOT EXISTS alarm_bed ON ward.alarm (bed, raised_at DESC);
  CREATE INDEX IF NOT EXISTS alarm_ward ON ward.alarm (ward, raised_at DESC);
  CREATE TABLE IF NOT EXISTS ward.alarm_step (
    event text PRIMARY KEY,
    alarm text NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL,
    person text,
    device text,
    detail text
  );
  CREATE INDEX IF NOT EXISTS alarm_step_alarm ON ward.alarm_step (alarm, at);

  -- charts: aggregates of each minute and each hour.
  CREATE TABLE IF NOT EXISTS ward.chart (
    bed text NOT NULL,
    parameter text NOT NULL,
    span text NOT NULL CHECK (span IN ('minute', 'hour')),
    start timestamptz NOT NULL,
    readings int NOT NULL,
    sum double precision NOT NULL,
    lowest double precision,
    highest double precision,
    last double precision,
    last_at timestamptz,
    artefacts int NOT NULL,
    too_late int NOT NULL,
    PRIMARY KEY (bed, parameter, span, start)
  ) WITH (fillfactor = 70);
  -- Of tables that are older. Asked first: ALTER would wait for whoever holds the table, and with it the start of a worker.
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'ward.chart'::regclass AND attname = 'too_late') THEN
      ALTER TABLE ward.chart ADD COLUMN too_late int NOT NULL DEFAULT 0;
    END IF;
  END $$;

  -- board: a row for each bed, and the course of its score.
  CREATE TABLE IF NOT EXISTS ward.board (
    bed text PRIMARY KEY,
    ward text NOT NULL,
    score int,
    response text,
    missing text[] NOT NULL DEFAULT '{}',
    trend int NOT NULL DEFAULT 0,
    last_reading_at timestamptz,
    alarms jsonb NOT NULL DEFAULT '{}'
  ) WITH (fillfactor = 70);
  CREATE INDEX IF NOT EXISTS board_ward ON ward.board (ward, bed);
  CREATE TABLE IF NOT EXISTS ward.score (
    bed text NOT NULL,
    at timestamptz NOT NULL,
    total int NOT NULL,
    response text NOT NULL,
    PRIMARY KEY (bed, at)
  );

  -- report: what happened in each shift of each ward.
  CREATE TABLE IF NOT EXISTS ward.report (
    ward text NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (ward, from_at, to_at)
  );

  -- pages: who may sign in, and who has. Hashes alone: whoever reads them cannot sign in by them.
  CREATE TABLE IF NOT EXISTS ward.sign_in_code (
    hash text PRIMARY KEY,
    person text NOT NULL,
    ward text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('carer', 'display')),
    expires_at timestamptz NOT NULL
  );
  CREATE TABLE IF NOT EXISTS ward.session (
    hash text PRIMARY KEY,
    person text NOT NULL,
    ward text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('carer', 'display')),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
  );
  CREATE INDEX IF NOT EXISTS session_person ON ward.session (person, opened_at DESC);

  -- prepare: keys that are made once, where the environment gives none.
  CREATE TABLE IF NOT EXISTS ward.key (name text PRIMARY KEY, value text NOT NULL);
`
