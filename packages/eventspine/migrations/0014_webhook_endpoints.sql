-- additive: endpoints of webhooks that fail or are disabled. One that succeeds has no row.
CREATE TABLE eventspine.webhook_endpoint (
  webhooks text NOT NULL,
  tenant text NOT NULL,
  endpoint text NOT NULL,
  failing_since timestamptz,
  failures bigint NOT NULL DEFAULT 0,
  last_failed_at timestamptz,
  last_error text,
  disabled_at timestamptz,
  cause text CHECK (cause IN ('gone', 'failing', 'person')),
  disabled_by text,
  reason text,
  PRIMARY KEY (webhooks, tenant, endpoint),
  CHECK ((disabled_at IS NULL) = (cause IS NULL) AND (disabled_at IS NULL) = (disabled_by IS NULL))
);
