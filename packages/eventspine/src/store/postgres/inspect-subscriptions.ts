// Subscriptions with their counts and lag, workers, and the audit: what the first page of a console shows. Nothing
// here counts over the log further than a bounded look.
import { endOfTick } from '../../event/stored.js'
import type { AuditQuery, AuditRow, InspectPort, SubscriptionView } from '../../inspect/port.js'
import type { Database } from './database.js'
import { addPattern, Conditions, isoText } from './inspect-conditions.js'
import { type Behind, type Lag, lagsOf } from './inspect-lag.js'
import { bounded, limitOf, millisecondsOf, pageOf, readCursor, writeCursor } from './inspect-page.js'
import { workerOfRow } from './lease.js'

// One statement, hence one view: read one after another, matched = completed + retrying + dead + skipped would be off
// by what settled in between.
//
// `unticked` is what the newest tick does not see yet: begun after its snapshot, or open in it. A consumer behind
// every tick lags only by that. The age of the first tick that it has not read stands for the age of its events.
//
// Halted keys are told apart by columns: as records, which can only be sorted, 100,000 of them took 0.8 to 1.3 s, and take 0.2 to 0.4 s so. Of their two
// conditions on the state the first is that of the index.
//
// `one`: of that one alone, $1: a page of it that somebody watches does not count the letters of all others.
const textOf = (one: boolean) => {
  const only = one ? 'AND subscription = $1' : ''
  return `WITH newest AS MATERIALIZED (
  SELECT number, epoch, snapshot FROM eventspine.tick ORDER BY number DESC LIMIT 1
), unticked AS MATERIALIZED (
  (SELECT e.recorded_at FROM eventspine.event e
   WHERE e.epoch = (SELECT epoch FROM newest) AND e.xid >= (SELECT pg_snapshot_xmax(snapshot) FROM newest)
   ORDER BY e.epoch, e.xid, e.seq LIMIT 1)
  UNION ALL
  (SELECT found.recorded_at FROM pg_snapshot_xip((SELECT snapshot FROM newest)) AS open(xid)
   CROSS JOIN LATERAL (SELECT e.recorded_at FROM eventspine.event e
     WHERE e.epoch = (SELECT epoch FROM newest) AND e.xid = open.xid ORDER BY e.epoch, e.xid, e.seq LIMIT 1) found
   ORDER BY found.recorded_at LIMIT 1)
), live AS (
  SELECT subscription, sum(matched)::bigint AS matched, sum(completed)::bigint AS completed, sum(skipped)::bigint AS skipped,
    sum(discarded)::bigint AS discarded_before,
    (array_agg(tick ORDER BY tick, seq))[1] AS tick, (array_agg(seq ORDER BY tick, seq))[1] AS seq,
    max(from_time) AS from_time, count(DISTINCT (tick, seq)) = 1 AS together,
    array_agg(DISTINCT owner) FILTER (WHERE owner IS NOT NULL AND lease_until > clock_timestamp()) AS owners
  FROM eventspine.consumer WHERE replay = '' ${only} GROUP BY subscription
), open AS (
  SELECT subscription, count(*)::bigint AS retrying FROM eventspine.delivery WHERE replay = '' ${only} GROUP BY subscription
), dead AS (
  SELECT subscription, (count(*) FILTER (WHERE replay = ''))::bigint AS dead,
    (count(*) FILTER (WHERE replay <> ''))::bigint AS replay_dead
  FROM eventspine.dead_letter WHERE state = 'dead' ${only} GROUP BY subscription
), discarded AS (
  SELECT subscription, count(*)::bigint AS discarded FROM eventspine.dead_letter
  WHERE replay = '' AND state = 'discarded' ${only} GROUP BY subscription
), halted AS (
  SELECT subscription, count(*)::bigint AS halted FROM (
    SELECT DISTINCT subscription, tenant, key, replay, shard FROM eventspine.dead_letter
    WHERE halts AND state IN ('dead', 'redriving') AND state = 'dead' ${only}) keys GROUP BY subscription)
SELECT s.name, s.app, s.state, s.priority, s.types, s.shards, s.policies, live.matched, live.completed, live.skipped, live.owners,
  live.tick, live.seq, live.together, ${millisecondsOf('live.from_time')} AS from_ms,
  open.retrying, dead.dead, dead.replay_dead, live.discarded_before, discarded.discarded, halted.halted, (SELECT last_value - (NOT is_called)::int FROM eventspine.event_seq) AS seq_last,
  coalesce(CASE WHEN live.seq = ${endOfTick} THEN (SELECT t.seq_estimate FROM eventspine.tick t
      WHERE t.number <= live.tick ORDER BY t.number DESC LIMIT 1) ELSE live.seq END,
    (SELECT min(e.seq) - 1 FROM eventspine.event e), 0) AS seq_cursor,
  (extract(epoch FROM clock_timestamp() - CASE WHEN live.tick IS NULL THEN NULL ELSE coalesce(
    (SELECT t.made_at FROM eventspine.tick t WHERE t.number >= live.tick + (live.seq = ${endOfTick})::int ORDER BY t.number LIMIT 1),
    (SELECT min(recorded_at) FROM unticked)) END))::float8 AS behind_seconds
FROM eventspine.subscription s
LEFT JOIN live ON live.subscription = s.name LEFT JOIN open ON open.subscription = s.name
LEFT JOIN dead ON dead.subscription = s.name LEFT JOIN discarded ON discarded.subscription = s.name
LEFT JOIN halted ON halted.subscription = s.name
${one ? 'WHERE s.name = $1' : ''}
ORDER BY s.name`
}
const selectSubscriptions = textOf(false)
const selectSubscription = textOf(true)

interface SubscriptionRow {
  readonly name: string
  readonly app: string
  readonly state: SubscriptionView['state']
  readonly priority: SubscriptionView['priority']
  readonly types: readonly string[]
  readonly shards: number
  readonly policies: string
  readonly matched: number | null
  readonly completed: number | null
  readonly skipped: number | null
  readonly owners: readonly string[] | null
  readonly retrying: number | null
  readonly dead: number | null
  readonly replay_dead: number | null
  readonly discarded: number | null
  readonly halted: number | null
  /** Removed by retention since. */
  readonly discarded_before: number | null
  readonly tick: number | null
  readonly seq: number | null
  /** All its shards stand at one place. */
  readonly together: boolean | null
  readonly from_ms: number | null
  readonly seq_last: number
  readonly seq_cursor: number
  /** Null at the end of the log. */
  readonly behind_seconds: number | null
}

const viewOf = (row: SubscriptionRow, lag: Lag | undefined): SubscriptionView => ({
  name: row.name,
  app: row.app,
  state: row.state,
  priority: row.priority,
  on: row.types,
  shards: row.shards,
  policies: JSON.parse(row.policies) as Record<string, unknown>,
  matched: row.matched ?? 0,
  completed: row.completed ?? 0,
  retrying: row.retrying ?? 0,
  dead: row.dead ?? 0,
  replayDead: row.replay_dead ?? 0,
  discarded: (row.discarded ?? 0) + (row.discarded_before ?? 0),
  skipped: row.skipped ?? 0,
  haltedKeys: row.halted ?? 0,
  lagEvents: lag?.events ?? 0,
  // Of several shards the slowest is looked at, and the others may have taken some of it.
  lagExact: lag === undefined || (lag.exact && (lag.events === 0 || row.together === true)),
  lagSeconds: Math.max(
    0,
    lag === undefined || lag.events === 0 ? 0 : (lag.ageSeconds ?? row.behind_seconds ?? 0),
  ),
  owners: row.owners ?? [],
})

// Numbers of transactions that rolled back are never filled: only the tick says that nothing is left.
const behindOf = ({ tick, seq, behind_seconds, ...row }: SubscriptionRow): Behind[] =>
  tick === null || seq === null || behind_seconds === null ? [] : [{ ...row, tick, seq }]

const selectWorkers = `SELECT id, identity, host, process_id, version, consumers, running,
  ${millisecondsOf('started_at')} AS started_ms, ${millisecondsOf('heartbeat_at')} AS heartbeat_ms
FROM eventspine.worker WHERE heartbeat_at > clock_timestamp() - interval '15 seconds' ORDER BY started_at, id`

interface AuditDataRow extends Omit<AuditRow, 'atMs' | 'details'> {
  readonly at_ms: number
  readonly details: string
}

function auditConditions({ id, actor, action, target, after, before }: AuditQuery): Conditions {
  const where = new Conditions().add('id', id, (parameter) => `id = ${parameter}::bigint`)
  where.add('actor', actor, (parameter) => `actor = ${parameter}`)
  addPattern(where, 'action', 'action', action)
  addPattern(where, 'target', 'target', target)
  const [from, until] = [after && isoText(after, 'after'), before && isoText(before, 'before')]
  where.add('after', from, (parameter) => `at >= ${parameter}::timestamptz`)
  return where.add('before', until, (parameter) => `at < ${parameter}::timestamptz`)
}

const auditOf = ({ id, at_ms, actor, action, target, details }: AuditDataRow): AuditRow => ({
  id,
  atMs: at_ms,
  actor,
  action,
  target,
  details: JSON.parse(details) as Record<string, unknown>,
})

export function subscriptionInspection(
  database: Database,
): Pick<InspectPort, 'subscriptions' | 'workers' | 'audit'> {
  return {
    async subscriptions(name) {
      return await bounded(database, async (connection) => {
        const rows =
          name === undefined
            ? await connection.query<SubscriptionRow>('inspect.subscriptions', selectSubscriptions)
            : await connection.query<SubscriptionRow>('inspect.subscription', selectSubscription, [name])
        const lags = await lagsOf(connection, rows.flatMap(behindOf))
        return rows.map((row) => viewOf(row, lags.get(row.name)))
      })
    },

    async workers() {
      type Row = Parameters<typeof workerOfRow>[0]
      const rows = await bounded(database, (connection) =>
        connection.query<Row>('inspect.workers', selectWorkers),
      )
      return rows.map(workerOfRow)
    },

    async audit(query) {
      const limit = limitOf(query)
      const [id] = readCursor('audit', query.cursor, ['number']) ?? []
      const where = auditConditions(query).add('cursor', id, (parameter) => `id < ${parameter}`)
      const text = `SELECT id, ${millisecondsOf('at')} AS at_ms, actor, action, target, details
FROM eventspine.audit WHERE ${where.text} ORDER BY id DESC LIMIT ${where.value(limit + 1)}`
      const rows = await bounded(database, (connection) =>
        connection.query<AuditDataRow>(`inspect.audit${where.shape}`, text, where.values),
      )
      return pageOf(rows, limit, auditOf, (row) => writeCursor('audit', [row.id]))
    },
  }
}
