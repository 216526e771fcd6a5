-- additive: which events a subscription chooses, as it was registered last, and what each worker chooses. A worker with another
-- choice neither gets its leases nor records what lies behind the change. Workers of older versions of this library know nothing
-- of it: stop them before the first deployment that changes a subscription.
ALTER TABLE eventspine.subscription ADD COLUMN selection text NOT NULL DEFAULT '', ADD COLUMN build bigint NOT NULL DEFAULT 0;
ALTER TABLE eventspine.worker ADD COLUMN selections text[] NOT NULL DEFAULT '{}';
-- The last tick that the holder of before may record; null from the next grant on.
ALTER TABLE eventspine.consumer ADD COLUMN superseded_tick bigint;
