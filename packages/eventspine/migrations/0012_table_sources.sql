-- additive: tables of others whose changes become events.
CREATE TABLE eventspine.table_source (
  name text PRIMARY KEY,
  app text NOT NULL,
  -- Under every hash of a redacted value, so that nobody outside of this database can guess what was hashed.
  salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
  installed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Through replication: where it is read from, up to where it has been, and when nothing more was there.
  slot text,
  position pg_lsn,
  caught_up_at timestamptz
);

-- What all triggers of table sources end in. Here and not in each of them: a migration that changes the event table
-- changes this with it, and triggers that were installed before go on. They set search_path, and run as their owner.
-- Never fails for what a row holds: it would fail the transaction that wrote the row. A tenant and a key that no event
-- can have are known by their hash. Where the body is larger than `bytes_max`, columns larger than
-- `value_bytes_max` are left out and named.
CREATE FUNCTION eventspine.append_change(
  its_source text, its_type text, its_tenant text, its_key text, operation text, relation text,
  before json, after json, changed text[], bytes_max int, value_bytes_max int, happened_at timestamptz
) RETURNS void LANGUAGE plpgsql AS $append_change$
DECLARE
  now_ms bigint := floor(extract(epoch FROM coalesce(happened_at, clock_timestamp())) * 1000);
  -- In two parts: the schema's name takes the place of `eventspine.`, and these settings are called the same everywhere.
  prefix constant text := 'eventspine' || '.';
  traceparent text := current_setting(prefix || 'traceparent', true);
  correlation text := current_setting(prefix || 'correlation_id', true);
  causation text := current_setting(prefix || 'causation_id', true);
  omitted text[] := '{}';
  id text;
  body json;
BEGIN
  body := json_build_object('operation', operation, 'table', relation, 'before', before, 'after', after,
    'changed', changed, 'omitted', omitted);
  IF octet_length(body::text) > bytes_max THEN
    omitted := ARRAY(
      SELECT DISTINCT e.key FROM (SELECT * FROM json_each(before) UNION ALL SELECT * FROM json_each(after)) AS e
      WHERE octet_length(e.value::text) > value_bytes_max ORDER BY e.key);
    IF before IS NOT NULL THEN
      before := coalesce((SELECT json_object_agg(e.key, e.value) FROM json_each(before) AS e WHERE e.key <> ALL (omitted)), '{}');
    END IF;
    IF after IS NOT NULL THEN
      after := coalesce((SELECT json_object_agg(e.key, e.value) FROM json_each(after) AS e WHERE e.key <> ALL (omitted)), '{}');
    END IF;
    body := json_build_object('operation', operation, 'table', relation, 'before', before, 'after', after,
      'changed', changed, 'omitted', omitted);
  END IF;
  IF its_tenant = '' OR length(its_tenant) > 100 OR its_tenant ~ '[[:cntrl:]]' THEN
    its_tenant := 'sha256:' || encode(sha256(convert_to(its_tenant, 'UTF8')), 'hex');
  END IF;
  IF its_key = '' OR octet_length(its_key) > 500 OR its_key ~ '[[:cntrl:]]' THEN
    its_key := 'sha256:' || encode(sha256(convert_to(its_key, 'UTF8')), 'hex');
  END IF;
  -- UUID v7: the time, and the rest of a v4.
  id := encode(overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(now_ms) FROM 3) FROM 1), 'hex');
  id := concat(substr(id, 1, 8), '-', substr(id, 9, 4), '-7', substr(id, 14, 3), '-', substr(id, 17, 4), '-', substr(id, 21));
  IF traceparent !~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' OR traceparent ~ '-0{16,32}-' OR traceparent IS NULL THEN
    traceparent := '00-' || encode(uuid_send(gen_random_uuid()), 'hex') || '-' || encode(substring(uuid_send(gen_random_uuid()) FROM 9), 'hex') || '-01';
  END IF;
  IF correlation = '' OR length(correlation) > 250 OR correlation ~ '[[:cntrl:]]' OR correlation IS NULL THEN
    correlation := id;
  END IF;
  IF causation = '' OR length(causation) > 250 OR causation ~ '[[:cntrl:]]' THEN
    causation := NULL;
  END IF;
  INSERT INTO eventspine.event (time, version, id, type, tenant, source, key, traceparent, correlation_id, causation_id, data)
  VALUES (to_timestamp(now_ms / 1000.0), 1, id, its_type, its_tenant, '/sources/' || its_source, its_key, traceparent,
    correlation, causation, body);
END
$append_change$;
