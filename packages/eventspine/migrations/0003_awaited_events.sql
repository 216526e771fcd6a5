-- additive: the events that instances of workflows wait for.

CREATE TABLE eventspine.workflow_awaited (
  number bigint NOT NULL,
  place text NOT NULL,
  tenant text NOT NULL,
  type text NOT NULL,
  key text NOT NULL,
  PRIMARY KEY (number, place)
);
CREATE INDEX workflow_awaited_by ON eventspine.workflow_awaited (key, type, tenant);
