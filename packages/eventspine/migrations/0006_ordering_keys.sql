-- breaking: keys are ordered for each tenant apart. Stop the workers of older versions first: they take the same key of two
-- tenants for one. The first index also finds what an instance of a workflow waits for.
DROP INDEX eventspine.dead_letter_halted;
CREATE INDEX dead_letter_halted ON eventspine.dead_letter (subscription, tenant, key, replay, shard)
  WHERE halts AND state IN ('dead', 'redriving');
DROP INDEX eventspine.delivery_key;
CREATE INDEX delivery_key ON eventspine.delivery (subscription, replay, shard, tenant, key, tick, seq);
