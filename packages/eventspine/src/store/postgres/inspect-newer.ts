// Which events wait for a process that knows their version. Of each consumer so many open deliveries are looked at, in the
// order of an index: what it costs does not grow with what else waits.
import { newerVersionName } from '../../deliver/port.js'
import { type InspectPort, type NewerEvents, newerDeliveriesMax } from '../../inspect/port.js'
import type { Database } from './database.js'
import { bounded, millisecondsOf } from './inspect-page.js'

// One that was redriven has its event with it; it may be in the log no more.
export const selectNewer = `WITH waiting AS MATERIALIZED (
  SELECT c.subscription, d.epoch, d.xid, d.seq, d.event FROM eventspine.consumer c CROSS JOIN LATERAL (
    SELECT o.epoch, o.xid, o.seq, o.event, o.failure FROM eventspine.delivery o
    WHERE o.subscription = c.subscription AND o.replay = c.replay AND o.shard = c.shard AND o.state <> 'waiting'
    ORDER BY o.due_at LIMIT ${newerDeliveriesMax}) d
  WHERE d.failure ->> 'name' = '${newerVersionName}'
), found AS (
  SELECT w.subscription, coalesce(w.event ->> 'type', e.type) AS type, coalesce((w.event ->> 'version')::int, e.version) AS version,
    coalesce((w.event ->> 'recordedAtMs')::float8, ${millisecondsOf('e.recorded_at')}) AS recorded_ms
  FROM waiting w LEFT JOIN eventspine.event e ON w.event IS NULL AND e.epoch = w.epoch AND e.xid = w.xid AND e.seq = w.seq)
SELECT subscription, type, version, count(*)::int AS events, min(recorded_ms) AS "sinceMs",
  ${millisecondsOf('clock_timestamp()')} / 1000 - min(recorded_ms) / 1000 AS "ageSeconds"
FROM found WHERE type IS NOT NULL GROUP BY subscription, type, version ORDER BY subscription, type, version`

export function newerInspection(database: Database): Pick<InspectPort, 'newerEvents'> {
  return {
    newerEvents: () =>
      bounded(database, (connection) => connection.query<NewerEvents>('inspect.newer', selectNewer)),
  }
}
