-- breaking: a breaker may be for one key of a tenant. Stop the workers of older versions first: they cannot count failures any more.
ALTER TABLE eventspine.breaker ADD COLUMN key text NOT NULL DEFAULT '';
ALTER TABLE eventspine.breaker DROP CONSTRAINT breaker_pkey;
ALTER TABLE eventspine.breaker ADD PRIMARY KEY (name, tenant, key);
