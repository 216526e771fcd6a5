-- additive: API keys that all servers of a log share, the sessions that people open with them, and the audit by who, what and whom.
CREATE TABLE eventspine.api_key (
  id text PRIMARY KEY,
  -- SHA-256 of the key: what stands here opens nothing.
  hash text NOT NULL,
  name text NOT NULL,
  scopes text[] NOT NULL,
  tenant text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by text NOT NULL,
  -- A key that is withdrawn stays known: the audit names it.
  withdrawn_at timestamptz,
  withdrawn_by text,
  withdrawn_reason text,
  CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_reason IS NULL))
);
CREATE TABLE eventspine.console_session (
  -- Of the token in the cookie, which is nowhere else.
  token_hash text PRIMARY KEY,
  -- Of a key that stands in the table above, or in a file of its server.
  key_id text NOT NULL,
  key_hash text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX console_session_key ON eventspine.console_session (key_id, opened_at);
CREATE INDEX audit_actor ON eventspine.audit (actor, id);
CREATE INDEX audit_action ON eventspine.audit (action text_pattern_ops, id);
CREATE INDEX audit_target ON eventspine.audit (target text_pattern_ops, id);
