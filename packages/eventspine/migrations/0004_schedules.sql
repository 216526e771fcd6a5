-- additive: how far schedules have come.

-- One row per schedule and plan, so that two versions of an app can run beside each other. Whoever moves it on names where it
-- stood: each tick is taken once, however many look.
CREATE TABLE eventspine.schedule (
  name text NOT NULL,
  -- Its pattern and time zone. With another it begins anew.
  plan text NOT NULL,
  -- All ticks up to here are dealt with, in milliseconds since 1970, by the database's clock.
  ticked_ms bigint NOT NULL,
  -- When a process last looked, to the minute: a plan that nobody follows any more is forgotten.
  looked_ms bigint NOT NULL,
  PRIMARY KEY (name, plan)
);
