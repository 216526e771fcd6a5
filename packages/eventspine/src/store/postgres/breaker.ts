// Breakers, shared by all workers: one row each, judged by the database's clock and written only when a call failed,
// when a probe is asked for or answered, and by an operator. A healthy downstream costs nothing.
import type { BreakerPort, BreakerState } from '../../deliver/port.js'
import type { Database } from './database.js'

interface BreakerRow {
  readonly name: string
  readonly tenant: string
  readonly key: string
  readonly state: BreakerState['state']
  readonly failures: number
  readonly opened_ms: number | null
  readonly opens_for_ms: number
  readonly closed_for_ms: number | null
  readonly last_error: string | null
}

const milliseconds = (interval: string) => `(extract(epoch FROM ${interval}) * 1000)::float8`

// GREATEST passes over NULL: without CASE a breaker that never opened would look closed just now and ramp for nothing.
const selectBreakers = `
SELECT name, tenant, key, state, failures, ${milliseconds('opened_at')} AS opened_ms,
  CASE WHEN state = 'open' THEN greatest(0, coalesce(${milliseconds('opens_until - clock_timestamp()')}, 0)) ELSE 0 END AS opens_for_ms,
  CASE WHEN closed_at IS NOT NULL THEN greatest(0, ${milliseconds('clock_timestamp() - closed_at')}) END AS closed_for_ms, last_error
FROM eventspine.breaker
WHERE $1::float8 IS NULL OR state <> 'closed' OR closed_at >= clock_timestamp() - $1::float8 * interval '1 millisecond'
ORDER BY name, tenant, key`

const breakerOfRow = (row: BreakerRow): BreakerState => ({
  name: row.name,
  tenant: row.tenant,
  key: row.key,
  state: row.state,
  failures: row.failures,
  openedAtMs: row.opened_ms,
  opensForMs: row.opens_for_ms,
  closedForMs: row.closed_for_ms,
  lastError: row.last_error,
})

// One statement, so that reports of many workers add up. A window that is over begins anew with these failures. While
// it is open, late failures of attempts that began before change nothing: they must not keep it open for ever. While
// it is half-open one failure is enough, and it stays open since when it first opened.
const failed = `
INSERT INTO eventspine.breaker AS b (name, tenant, key, state, failures, opened_at, opens_until, last_error)
SELECT $1, $2, $8, CASE WHEN opens THEN 'open' ELSE 'closed' END, $3, CASE WHEN opens THEN clock_timestamp() END,
  CASE WHEN opens THEN clock_timestamp() + $6::float8 * interval '1 millisecond' END, $7
FROM (SELECT $3::int >= $4::int AS opens) AS judged
ON CONFLICT (name, tenant, key) DO UPDATE SET (state, failures, successes, window_began_at, opened_at, opens_until, probe_until, last_error) = (
  SELECT CASE WHEN opens THEN 'open' ELSE b.state END,
    CASE WHEN b.state = 'closed' THEN counted.failures ELSE b.failures END,
    CASE WHEN opens THEN 0 ELSE b.successes END,
    CASE WHEN b.state = 'closed' AND counted.anew THEN clock_timestamp() ELSE b.window_began_at END,
    CASE WHEN opens THEN coalesce(b.opened_at, clock_timestamp()) ELSE b.opened_at END,
    CASE WHEN opens THEN clock_timestamp() + $6::float8 * interval '1 millisecond' ELSE b.opens_until END,
    CASE WHEN opens THEN NULL ELSE b.probe_until END,
    $7
  FROM (SELECT judged.anew, CASE WHEN judged.anew THEN 0 ELSE b.failures END + $3::int AS failures
    FROM (SELECT b.window_began_at < clock_timestamp() - $5::float8 * interval '1 millisecond' AS anew) AS judged) AS counted
  CROSS JOIN LATERAL (SELECT b.state = 'half-open' OR (b.state = 'closed' AND counted.failures >= $4::int) AS opens) AS opening)`

// The row lock makes it one probe at a time over all workers; a prober that died gives its place up at `probe_until`.
const probe = `
UPDATE eventspine.breaker SET state = 'half-open', probe_until = clock_timestamp() + $3::float8 * interval '1 millisecond'
WHERE name = $1 AND tenant = $2 AND key = $4 AND state IN ('open', 'half-open') AND opens_until <= clock_timestamp()
  AND (probe_until IS NULL OR probe_until <= clock_timestamp())
RETURNING name`

const succeeded = `
UPDATE eventspine.breaker b SET probe_until = NULL, successes = b.successes + 1,
  state = CASE WHEN closes THEN 'closed' ELSE b.state END,
  failures = CASE WHEN closes THEN 0 ELSE b.failures END,
  closed_at = CASE WHEN closes THEN clock_timestamp() ELSE b.closed_at END,
  opened_at = CASE WHEN closes THEN NULL ELSE b.opened_at END,
  opens_until = CASE WHEN closes THEN NULL ELSE b.opens_until END
FROM (SELECT k.name, k.tenant, k.key, k.successes + 1 >= $3::int AS closes FROM eventspine.breaker k
  WHERE k.name = $1 AND k.tenant = $2 AND k.key = $4 FOR UPDATE) AS judged
WHERE b.name = judged.name AND b.tenant = judged.tenant AND b.key = judged.key AND b.state = 'half-open'`

const setByHand = `
WITH before AS (SELECT state FROM eventspine.breaker WHERE name = $1 AND tenant = $2 AND key = $6),
changed AS (
  INSERT INTO eventspine.breaker AS b (name, tenant, key, state, opened_at, opens_until)
  VALUES ($1, $2, $6, $3, CASE WHEN $3 = 'open' THEN clock_timestamp() END,
    CASE WHEN $3 = 'open' THEN clock_timestamp() + $4::float8 * interval '1 millisecond' END)
  ON CONFLICT (name, tenant, key) DO UPDATE SET state = excluded.state, failures = 0, successes = 0, probe_until = NULL,
    window_began_at = clock_timestamp(), opens_until = excluded.opens_until,
    opened_at = CASE WHEN $3 = 'open' THEN coalesce(b.opened_at, excluded.opened_at) END,
    closed_at = CASE WHEN $3 = 'closed' AND b.state <> 'closed' THEN clock_timestamp() ELSE b.closed_at END
  RETURNING state)
INSERT INTO eventspine.audit (actor, action, target, details)
SELECT $5, CASE changed.state WHEN 'open' THEN 'breaker.open' ELSE 'breaker.close' END, concat_ws('/', $1::text, nullif($2, ''), nullif($6, '')),
  json_build_object('name', $1::text, 'tenant', $2::text, 'key', $6::text, 'before', coalesce((SELECT state FROM before), 'closed'),
    'after', changed.state, 'cooldownMs', $4::float8, 'reason', $7::text)
FROM changed`

export function breakerStatements(database: Database): BreakerPort {
  return {
    async breakers(closedMsMax) {
      const values = [closedMsMax ?? null]
      const rows = await database.query<BreakerRow>('deliver', 'breaker.list', selectBreakers, values)
      return rows.map(breakerOfRow)
    },

    async breakerFailed({ name, tenant, key, count, failuresMax, windowMs, cooldownMs, error }) {
      await database.query('deliver', 'breaker.failed', failed, [
        name,
        tenant,
        count,
        failuresMax,
        windowMs,
        cooldownMs,
        error,
        key,
      ])
    },

    async breakerProbe({ name, tenant, key }, probeMs) {
      const values = [name, tenant, probeMs, key]
      return (await database.query('deliver', 'breaker.probe', probe, values)).length > 0
    },

    async breakerSucceeded({ name, tenant, key }, probes) {
      await database.query('deliver', 'breaker.succeeded', succeeded, [name, tenant, probes, key])
    },

    async breakerSet({ name, tenant, key }, state, cooldownMs, actor, reason) {
      const values = [name, tenant, state, cooldownMs, actor, key, reason ?? null]
      await database.query('deliver', 'breaker.set', setByHand, values)
    },
  }
}
