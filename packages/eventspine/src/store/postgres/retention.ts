// Removes what is old and done with: partitions by detaching them, ticks behind the oldest event that is kept. Nothing
// goes while a consumer still has to read it or an open delivery points into it, whatever its age.
import { endOfTick } from '../../event/stored.js'
import type { Logger } from '../../observe/log.js'
import type { Database } from './database.js'
import { type Exclusive, type Execute, exclusively } from './exclusive.js'
import { type EventPartition, eventPartitions } from './partitions.js'

const partitionsPerCallMax = 8
/** Retention is no safety matter, but an event must not go a moment too early by a clock that was set. */
const marginMs = 60_000

/** Every transaction before `xid` of `epoch`, and every earlier epoch, has been read by every consumer. */
interface Horizon {
  readonly epoch: number
  readonly xid: number
  /** The first tick that a cursor stands at. */
  readonly tick: number
}

// A cursor at the end of its tick has settled all that the tick's snapshot sees, one inside it all that the tick
// before it saw. Without consumers the last tick is the horizon. A cursor whose tick is gone stands before them all.
const horizonText = `
WITH last AS (SELECT number, epoch, snapshot FROM eventspine.tick ORDER BY number DESC LIMIT 1),
cursor AS (
  SELECT c.tick AS number, coalesce(t.epoch, 0) AS epoch,
    coalesce(pg_snapshot_xmin(CASE WHEN c.seq >= ${endOfTick} THEN t.snapshot ELSE t.after END), '0') AS xid
  FROM eventspine.consumer c LEFT JOIN eventspine.tick t ON t.number = c.tick
  WHERE NOT c.finished AND (c.replay = '' OR EXISTS (SELECT FROM eventspine.replay r WHERE r.id = c.replay AND r.state = 'running'))
  UNION ALL
  SELECT number, epoch, pg_snapshot_xmin(snapshot) FROM last
)
SELECT epoch, xid, (SELECT min(number) FROM cursor) AS tick FROM cursor ORDER BY epoch, xid LIMIT 1`

/** Null when the log was never begun. */
export async function readHorizon(execute: Execute): Promise<Horizon | null> {
  const [row] = await execute<Horizon>('retention.horizon', horizonText)
  return row ?? null
}

/** Detaches, then drops, event partitions that are past `eventsMs` and done with, oldest first. Answers their names. */
export async function dropEventPartitions(
  database: Database,
  eventsMs: number,
  logger: Logger,
): Promise<readonly string[]> {
  const dropped: string[] = []
  while (dropped.length < partitionsPerCallMax) {
    const answer = await exclusively(database, 'eventspine.maintain', (execute) =>
      detachOldest(execute, eventsMs),
    )
    if (answer.state !== 'done' || answer.result === null) break
    dropped.push(answer.result)
  }
  await dropDetached(database, 'event_[0-9]+_[0-9]+')
  if (dropped.length > 0)
    logger.info('retention dropped event partitions', { schema: database.schema, partitions: dropped })
  return dropped
}

// Judged twice: once to spare publishers the lock where nothing is to be done, and once under it, where no consumer
// can begin to read the partition and no delivery can be opened into it.
async function detachOldest(execute: Execute, eventsMs: number): Promise<string | null> {
  const [oldest] = await eventPartitions(execute)
  if (oldest === undefined || !(await isDoneWith(execute, oldest, eventsMs))) return null
  await execute('retention.lock', 'LOCK TABLE ONLY eventspine.event IN ACCESS EXCLUSIVE MODE')
  if (!(await isDoneWith(execute, oldest, eventsMs))) return null
  await execute('retention.detach', `ALTER TABLE eventspine.event DETACH PARTITION eventspine.${oldest.name}`)
  return oldest.name
}

async function isDoneWith(execute: Execute, partition: EventPartition, eventsMs: number): Promise<boolean> {
  const horizon = await readHorizon(execute)
  if (horizon === null || !isBehind(partition, horizon)) return false
  // The highest seq is the youngest row: both are taken as the row is written.
  const [youngest] = await execute<{ age_ms: number }>(
    'retention.age',
    `SELECT (extract(epoch FROM clock_timestamp() - recorded_at) * 1000)::float8 AS age_ms
     FROM eventspine.${partition.name} ORDER BY seq DESC LIMIT 1`,
  )
  if (youngest !== undefined && youngest.age_ms < eventsMs + marginMs) return false
  const open = await execute(
    'retention.open',
    'SELECT FROM eventspine.delivery WHERE epoch = $1 AND xid >= $2::xid8 AND xid < $3::xid8 AND event IS NULL LIMIT 1',
    [partition.epoch, String(partition.from), String(partition.until)],
  )
  return open.length === 0
}

const isBehind = (partition: EventPartition, horizon: Horizon) =>
  partition.epoch < horizon.epoch || (partition.epoch === horizon.epoch && partition.until <= horizon.xid)

const runDay = /^run_(\d{4})(\d{2})(\d{2})$/
const dayMs = 86_400_000

/** Drops days of run history that ended before `runsMs`. Answers their names. */
export async function dropRunPartitions(database: Database, runsMs: number): Promise<readonly string[]> {
  const answer: Exclusive<readonly string[]> = await exclusively(
    database,
    'eventspine.maintain',
    async (execute) => {
      const expired = (await expiredRunPartitions(execute, runsMs)).slice(0, partitionsPerCallMax)
      for (const name of expired)
        await execute('retention.detach', `ALTER TABLE eventspine.run DETACH PARTITION eventspine.${name}`)
      return expired
    },
  )
  await dropDetached(database, 'run_[0-9]{8}')
  return answer.state === 'done' ? answer.result : []
}

async function expiredRunPartitions(execute: Execute, runsMs: number): Promise<readonly string[]> {
  const rows = await execute<{ name: string; now_ms: number }>(
    'retention.runs',
    `SELECT c.relname AS name, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'eventspine.run'::regclass ORDER BY 1`,
  )
  return rows.flatMap(({ name, now_ms }) => {
    const [, year, month, day] = runDay.exec(name) ?? []
    if (year === undefined) return []
    return Date.parse(`${year}-${month}-${day}T00:00:00Z`) + dayMs < now_ms - runsMs ? [name] : []
  })
}

// Apart from detaching, since to unlink a large file takes long and nobody should wait for it. It also finds what a
// crash between the two left behind.
async function dropDetached(database: Database, pattern: string): Promise<void> {
  for (let count = 0; count < partitionsPerCallMax; count++) {
    const answer = await exclusively(database, 'eventspine.maintain', async (execute) => {
      const [table] = await execute<{ name: string }>(
        'retention.detached',
        `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind = 'r' AND NOT c.relispartition AND c.relname ~ ('^' || $2 || '$') LIMIT 1`,
        [database.schema, pattern],
      )
      if (table !== undefined) await execute('retention.drop', `DROP TABLE eventspine.${table.name}`)
      return table !== undefined
    })
    if (answer.state !== 'done' || !answer.result) return
  }
}

/** Removes the oldest rows that lie in the default partitions, where nothing should, once they are done with. */
export async function sweepDefaultPartitions(
  execute: Execute,
  eventsMs: number,
  runsMs: number,
  rowsMax: number,
): Promise<number> {
  const horizon = await readHorizon(execute)
  if (horizon === null) return 0
  const [events] = await execute<{ count: number }>('retention.default-events', defaultEventsText, [
    rowsMax,
    horizon.epoch,
    String(horizon.xid),
    eventsMs + marginMs,
  ])
  const [runs] = await execute<{ count: number }>('retention.default-runs', defaultRunsText, [
    rowsMax,
    runsMs,
  ])
  return (events?.count ?? 0) + (runs?.count ?? 0)
}

const defaultEventsText = `
WITH oldest AS MATERIALIZED (
  SELECT epoch, xid, seq, recorded_at FROM eventspine.event_default ORDER BY epoch, xid, seq LIMIT $1),
gone AS (
  DELETE FROM eventspine.event_default e USING oldest o
  WHERE e.epoch = o.epoch AND e.xid = o.xid AND e.seq = o.seq
    AND (o.epoch < $2 OR (o.epoch = $2 AND o.xid < $3::xid8))
    AND o.recorded_at < clock_timestamp() - $4::float8 * interval '1 millisecond'
    AND NOT EXISTS (SELECT FROM eventspine.delivery d WHERE d.epoch = o.epoch AND d.xid = o.xid AND d.seq = o.seq AND d.event IS NULL)
  RETURNING 1)
SELECT count(*)::int AS count FROM gone`

const defaultRunsText = `
WITH gone AS (
  DELETE FROM eventspine.run_default WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM eventspine.run_default WHERE recorded_at < clock_timestamp() - $2::float8 * interval '1 millisecond' LIMIT $1))
  RETURNING 1)
SELECT count(*)::int AS count FROM gone`

/**
 * Removes ticks that no cursor stands at or before and whose batch is gone. The last tick always stays. Looks at the
 * `rowsMax` oldest ones and no further: what is kept would otherwise be looked at each time.
 */
export async function sweepTicks(execute: Execute, rowsMax: number): Promise<number> {
  const horizon = await readHorizon(execute)
  const [oldest] = await eventPartitions(execute)
  if (horizon === null || oldest === undefined) return 0
  const [row] = await execute<{ count: number }>('retention.ticks', ticksText, [
    rowsMax,
    horizon.tick,
    oldest.epoch,
    String(oldest.from),
    marginMs,
  ])
  return row?.count ?? 0
}

const ticksText = `
WITH gone AS (
  DELETE FROM eventspine.tick WHERE number = ANY(ARRAY(
    SELECT oldest.number FROM (SELECT * FROM eventspine.tick ORDER BY number LIMIT $1) AS oldest
    WHERE oldest.number < $2
      AND (oldest.epoch < $3 OR (oldest.epoch = $3 AND pg_snapshot_xmax(oldest.snapshot) <= $4::xid8))
      AND oldest.made_at < clock_timestamp() - $5::float8 * interval '1 millisecond'))
  RETURNING 1)
SELECT count(*)::int AS count FROM gone`
