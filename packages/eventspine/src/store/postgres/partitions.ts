// Event partitions by (epoch, xid) and run partitions by day, made before they are needed. A partition that is
// missing costs no event (there is a default one), but what lies in the default one cannot be dropped cheaply.
import type { Logger } from '../../observe/log.js'
import type { Database } from './database.js'
import { type Exclusive, type Execute, exclusively, hasCode } from './exclusive.js'

/** Holds the transactions `from` up to and without `until` of one epoch. */
export interface EventPartition {
  readonly name: string
  readonly epoch: number
  readonly from: number
  readonly until: number
}

export const widthXidsMin = 2 ** 18
/** An hour of 18,000 transactions a second. */
export const widthXidsMax = 2 ** 26
// Statements that cannot name a partition before they run lock and open each: 5.5 µs a partition for one that looks
// once, measured on PostgreSQL 15. So there are to be some dozens of them, whatever the retention, and not an hour each.
const partitionsKept = 64
const spanSecondsMin = 3_600
const aheadXidsMin = 2 ** 21
const aheadPartitionsMin = 3
const aheadSeconds = 900
const partitionsPerCallMax = 16

/** How many transactions a new partition takes: its share of the retention at the measured rate, a power of two. */
export function partitionWidth(xidsPerSecond: number, eventsMs: number): number {
  const seconds = Math.max(spanSecondsMin, eventsMs / 1_000 / partitionsKept)
  const width = 2 ** Math.round(Math.log2(Math.max(1, xidsPerSecond * seconds)))
  return Math.min(widthXidsMax, Math.max(widthXidsMin, width))
}

export interface PartitionPlan {
  readonly epoch: number
  /** The partitions of this epoch, in order. */
  readonly partitions: readonly EventPartition[]
  /** No transaction below it is open or will begin. */
  readonly xidMin: number
  /** The next transaction id. */
  readonly xidNext: number
  readonly xidsPerSecond: number
  readonly width: number
}

/** The partitions that are missing ahead, in order, at most 16. */
export function partitionsToMake(plan: PartitionPlan): readonly EventPartition[] {
  const ahead = Math.max(aheadXidsMin, aheadPartitionsMin * plan.width, aheadSeconds * plan.xidsPerSecond)
  const made: EventPartition[] = []
  let from = plan.partitions.at(-1)?.until ?? Math.floor(plan.xidMin / widthXidsMin) * widthXidsMin
  while (from < plan.xidNext + ahead && made.length < partitionsPerCallMax) {
    made.push(eventPartition(plan.epoch, from, from + plan.width))
    from += plan.width
  }
  return made
}

const eventPartition = (epoch: number, from: number, until: number): EventPartition => ({
  name: `event_${epoch}_${from}`,
  epoch,
  from,
  until,
})

const bounds = /FROM \('?(\d+)'?, '(\d+)'\) TO \('?\d+'?, '(\d+)'\)/

/** The event partitions but the default one, in order. The catalog is the only record of them. */
export async function eventPartitions(execute: Execute): Promise<readonly EventPartition[]> {
  const rows = await execute<{ name: string; bounds: string }>(
    'partition.list',
    `SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'eventspine.event'::regclass`,
  )
  return rows
    .flatMap((row) => {
      const [, epoch, from, until] = bounds.exec(row.bounds) ?? []
      return epoch === undefined
        ? []
        : [{ name: row.name, epoch: Number(epoch), from: Number(from), until: Number(until) }]
    })
    .sort((a, b) => a.epoch - b.epoch || a.from - b.from)
}

/** Makes what is missing ahead of the newest epoch, inside the caller's transaction. For a log that nobody uses yet. */
export async function makeFirstPartitions(execute: Execute): Promise<void> {
  for (const partition of partitionsToMake(await planPartitions(execute, 0)))
    await attachEventPartition(execute, partition)
  for (const day of await runDaysToMake(execute)) await attachRunPartition(execute, day)
}

// Table first, then ATTACH: that takes no lock that appends or reads through the parent wait for, except on the
// empty default partition. CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE on the parent.
async function attachEventPartition(
  execute: Execute,
  { name, epoch, from, until }: EventPartition,
): Promise<void> {
  await execute(
    'partition.attach',
    `CREATE TABLE eventspine.${name} (LIKE eventspine.event INCLUDING ALL);
     ALTER TABLE eventspine.event ATTACH PARTITION eventspine.${name} FOR VALUES FROM (${epoch}, '${from}') TO (${epoch}, '${until}')`,
  )
}

async function planPartitions(execute: Execute, eventsMs: number): Promise<PartitionPlan> {
  const [row] = await execute<{ epoch: number; xid_min: number; xid_next: number; rate: number }>(
    'partition.rate',
    rateText,
  )
  if (row === undefined) throw new Error('The log has no epoch')
  const partitions = (await eventPartitions(execute)).filter((partition) => partition.epoch === row.epoch)
  return {
    epoch: row.epoch,
    partitions,
    xidMin: row.xid_min,
    xidNext: row.xid_next,
    xidsPerSecond: row.rate,
    width: partitionWidth(row.rate, eventsMs),
  }
}

// The faster of the last hour and the last five minutes, so that a new load is seen at once and a lull does not
// shrink what comes next. A tick that opens an epoch sees nothing and says nothing about the rate.
const rateText = `
WITH newest AS (SELECT max(epoch) AS epoch FROM eventspine.epoch),
sample AS (
  SELECT found.* FROM (VALUES (interval '1 hour'), (interval '5 minutes')) AS span(length)
  CROSS JOIN LATERAL (
    SELECT t.epoch, t.made_at, pg_snapshot_xmax(t.snapshot)::text::bigint AS xid FROM eventspine.tick t
    WHERE t.made_at <= (SELECT clock_timestamp()) - span.length ORDER BY t.made_at DESC LIMIT 1) AS found
  UNION ALL
  (SELECT t.epoch, t.made_at, pg_snapshot_xmax(t.snapshot)::text::bigint FROM eventspine.tick t ORDER BY t.number LIMIT 1)
)
SELECT newest.epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xid_min, pg_snapshot_xmax(pg_current_snapshot()) AS xid_next,
  (SELECT coalesce(max((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - sample.xid)
     / greatest(60, extract(epoch FROM clock_timestamp() - sample.made_at))), 0)::float8
   FROM sample WHERE sample.epoch = newest.epoch AND sample.xid > 3) AS rate
FROM newest`

const attemptsMax = 5
const pauseMs = 40

/** Makes what is missing ahead, each partition in a transaction of its own. False when another worker is at it. */
export async function makePartitions(database: Database, eventsMs: number, logger: Logger): Promise<boolean> {
  return (
    (await repeat(database, logger, (skip) => makeEventPartition(database, eventsMs, skip))) &&
    (await repeat(database, logger, (skip) => makeRunPartition(database, skip)))
  )
}

type Made = Exclusive<string | undefined>

// A table in use (a long transaction that read the default partition, say) is tried a few times and then left to the
// next call: enough is made ahead for that.
async function repeat(
  database: Database,
  logger: Logger,
  make: (skip: boolean) => Promise<Made>,
): Promise<boolean> {
  let failures = 0
  let skip = false
  for (let made = 0; made < partitionsPerCallMax && failures < attemptsMax; ) {
    try {
      const answer = await make(skip)
      if (answer.state === 'taken') return false
      if (answer.state === 'done') {
        if (answer.result === undefined) return true
        made++
        continue
      }
      failures++
      await database.clock.sleep(pauseMs)
    } catch (error) {
      if (!hasCode(error, 'check_violation')) throw error
      // The default partition holds rows of the range: they stay there, until retention, and the range begins later.
      logger.warn('partition skips a range whose rows lie in the default partition', {
        schema: database.schema,
      })
      failures++
      skip = true
    }
  }
  if (failures >= attemptsMax)
    logger.warn('partition could not be made now, its table is in use', { schema: database.schema })
  return true
}

const makeEventPartition = (database: Database, eventsMs: number, skip: boolean): Promise<Made> =>
  exclusively(database, 'eventspine.maintain', async (execute) => {
    const plan = await planPartitions(execute, eventsMs)
    const [next] = partitionsToMake(skip ? behindPresent(plan) : plan)
    if (next !== undefined) await attachEventPartition(execute, next)
    return next?.name
  })

/** Transactions that begin while the partition is made; later ones find it. */
const slackXids = 2 ** 14

/** The same plan, but nothing is made for transactions that may have written already. */
function behindPresent(plan: PartitionPlan): PartitionPlan {
  const from = Math.max(plan.partitions.at(-1)?.until ?? 0, plan.xidNext + slackXids)
  return { ...plan, partitions: [{ name: '', epoch: plan.epoch, from, until: from }] }
}

const daysAhead = 3
const dayMs = 86_400_000

const makeRunPartition = (database: Database, skip: boolean): Promise<Made> =>
  exclusively(database, 'eventspine.maintain', async (execute) => {
    const days = await runDaysToMake(execute)
    // Of all days only today can have rows already.
    const next = skip ? days.find((day) => day !== days[0]) : days[0]
    if (next !== undefined) await attachRunPartition(execute, next)
    return next === undefined ? undefined : runPartition(next)
  })

const runPartition = (dayMsBegin: number) =>
  `run_${new Date(dayMsBegin).toISOString().slice(0, 10).replaceAll('-', '')}`

/** Beginnings (UTC, in milliseconds) of the days that lack a partition: today, by the database clock, and three more. */
async function runDaysToMake(execute: Execute): Promise<readonly number[]> {
  const [row] = await execute<{ now_ms: number; names: string[] }>(
    'partition.days',
    `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms, ARRAY(
       SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'eventspine.run'::regclass) AS names`,
  )
  const today = Math.floor((row?.now_ms ?? 0) / dayMs) * dayMs
  const days = Array.from({ length: daysAhead + 1 }, (_, index) => today + index * dayMs)
  return days.filter((day) => !row?.names.includes(runPartition(day)))
}

async function attachRunPartition(execute: Execute, day: number): Promise<void> {
  const [from, until] = [new Date(day).toISOString(), new Date(day + dayMs).toISOString()]
  await execute(
    'partition.attach',
    `CREATE TABLE eventspine.${runPartition(day)} (LIKE eventspine.run INCLUDING ALL);
     ALTER TABLE eventspine.run ATTACH PARTITION eventspine.${runPartition(day)} FOR VALUES FROM ('${from}') TO ('${until}')`,
  )
}
