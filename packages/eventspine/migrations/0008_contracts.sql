-- additive: what each version of an event looks like, as the apps that share this log have registered it.
CREATE TABLE eventspine.event_contract (
  type text NOT NULL,
  version int NOT NULL,
  -- Of what decides which data fit. Empty where the schema cannot be told in JSON Schema.
  fingerprint text NOT NULL,
  -- JSON Schema, draft 2020-12.
  schema json,
  description text,
  -- The app that registered it first, or replaced it.
  app text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (type, version)
);
