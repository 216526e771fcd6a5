-- additive: who runs the sources that bring messages in, and how they fare.
CREATE TABLE eventspine.source_lease (
  source text NOT NULL,
  slot text NOT NULL,
  worker text NOT NULL,
  identity text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'failing')),
  failures int NOT NULL,
  error text,
  lease_until timestamptz NOT NULL,
  PRIMARY KEY (source, slot)
);
