-- additive: files that are imported, and how far each has come.
CREATE TABLE eventspine.file_import (
  id text PRIMARY KEY,
  source text NOT NULL,
  file text NOT NULL,
  size_bytes bigint NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed')),
  offset_bytes bigint NOT NULL DEFAULT 0,
  lines bigint NOT NULL DEFAULT 0,
  records bigint NOT NULL DEFAULT 0,
  published bigint NOT NULL DEFAULT 0,
  kept bigint NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);
CREATE INDEX file_import_started ON eventspine.file_import (started_at);
