-- additive: how far schedules have come.

-- One row per schedule. Whoever moves it on names where it stood: each tick is taken once, however many look.
CREATE TABLE eventspine.schedule (
  name text PRIMARY KEY,
  -- Its pattern and time zone. With another it begins anew.
  plan text NOT NULL,
  -- All ticks up to here are dealt with, in milliseconds since 1970, by the database's clock.
  ticked_ms bigint NOT NULL
);
