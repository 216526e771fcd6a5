// How subscriptions handle: how long attempts took, from run history, and what runs and waits. It reads so many attempts of
// each subscription at most, through an index: what it costs does not grow with the history.
import { type Handling, handlingRunsMax, handlingWindowMs, type InspectPort } from '../../inspect/port.js'
import type { Database } from './database.js'
import { bounded, millisecondsOf } from './inspect-page.js'

// A row holds the attempts of one settlement, at least one: so no more rows than attempts are read. `now()` and not
// clock_timestamp(), which an index cannot be asked for.
export const selectHandling = `WITH running AS MATERIALIZED (
  SELECT r.key AS subscription, sum(r.value::int)::int AS running
  FROM eventspine.worker w CROSS JOIN LATERAL json_each_text(w.running) AS r
  WHERE w.heartbeat_at > clock_timestamp() - interval '15 seconds' GROUP BY r.key
), retries AS MATERIALIZED (
  SELECT d.subscription, count(*)::int AS retries FROM eventspine.delivery d
  WHERE d.state = 'retry' AND d.replay = '' GROUP BY d.subscription)
SELECT s.name AS subscription, coalesce(running.running, 0) AS running, coalesce(retries.retries, 0) AS retries,
  lately.runs, lately.since_ms AS "sinceMs", lately.p50 / 1000 AS "p50Ms", lately.p99 / 1000 AS "p99Ms"
FROM eventspine.subscription s
LEFT JOIN running ON running.subscription = s.name LEFT JOIN retries ON retries.subscription = s.name
CROSS JOIN LATERAL (
  SELECT count(*)::int AS runs, ${millisecondsOf('min(a.recorded_at)')} AS since_ms,
    (percentile_disc(0.5) WITHIN GROUP (ORDER BY a.took))::float8 AS p50,
    (percentile_disc(0.99) WITHIN GROUP (ORDER BY a.took))::float8 AS p99
  FROM (SELECT newest.recorded_at, took FROM (
      SELECT r.recorded_at, r.duration_us FROM eventspine.run r
      WHERE r.subscription = s.name AND r.replay = '' AND r.recorded_at > now() - interval '${handlingWindowMs / 1_000} seconds'
      ORDER BY r.recorded_at DESC LIMIT ${handlingRunsMax}) newest
    CROSS JOIN LATERAL unnest(newest.duration_us) AS took LIMIT ${handlingRunsMax}) a) lately
ORDER BY s.name`

export function handlingInspection(database: Database): Pick<InspectPort, 'handling'> {
  return {
    handling: () =>
      bounded(database, (connection) => connection.query<Handling>('inspect.handling', selectHandling)),
  }
}
