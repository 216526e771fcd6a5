-- additive: which ordering keys have a delivery under way, by one probe for each.

CREATE INDEX delivery_active ON eventspine.delivery (subscription, replay, shard, tenant, key)
  WHERE state <> 'waiting' AND key IS NOT NULL;
