// What became of one event, for each subscription that it concerns: a row says so, else the cursor does.

import type { Failure } from '../../deliver/port.js'
import { deliveryId, endOfTick, type StoredEvent } from '../../event/stored.js'
import type { DeliveryView, InspectPort } from '../../inspect/port.js'
import { hash32 } from '../../kernel/index.js'
import type { RunOutcome } from '../../settle/port.js'
import type { Connection, Database } from './database.js'
import { bounded, millisecondsOf } from './inspect-page.js'
import { runSpanMax } from './runs.js'

/** Runs of one event that are shown, and replays that are searched for it. */
const runsMax = 500
const replaysMax = 200

interface SubscriptionRow {
  readonly name: string
  /** Whether one of its patterns takes the event's type. */
  readonly matches: boolean
  readonly shards: number
  readonly policies: string
  readonly created_ms: number
}

interface PlaceRow {
  readonly subscription: string
  readonly replay: string
  readonly cursor_tick: number | null
  readonly cursor_seq: number | null
  readonly from_ms: number | null
  readonly open_state: 'retry' | 'running' | 'waiting' | null
  readonly open_attempt: number | null
  readonly open_failure: string | null
  readonly due_ms: number | null
  readonly letter_state: 'dead' | 'redriving' | 'redriven' | 'discarded' | null
  readonly letter_attempts: number | null
  readonly letter_failure: string | null
}

interface RunRow {
  readonly subscription: string
  readonly replay: string
  readonly worker: string
  readonly round: number | null
  readonly attempt: number | null
  readonly outcome: string | null
  readonly started_ms: number
  readonly duration_us: number
  readonly failure: string | null
}

const selectSubscriptions = `SELECT name, shards, policies, ${millisecondsOf('created_at')} AS created_ms, EXISTS (
  SELECT 1 FROM unnest(types) AS t(pattern)
  WHERE $1::text LIKE replace(regexp_replace(t.pattern, '([\\\\%_])', '\\\\\\1', 'g'), '*', '%')) AS matches
FROM eventspine.subscription ORDER BY name`

// Snapshots only grow, so the first that sees the transaction is its tick. Begun a second early for clock steps.
const selectTick = `SELECT t.number FROM eventspine.tick t
WHERE t.number >= (SELECT number FROM eventspine.tick
    WHERE made_at >= to_timestamp($1::float8 / 1000) - interval '1 second' ORDER BY made_at LIMIT 1)
  AND t.epoch = $2 AND pg_visible_in_snapshot($3::text::xid8, t.snapshot)
ORDER BY t.number LIMIT 1`

const selectPlaces = `SELECT p.subscription, p.replay, c.tick AS cursor_tick, c.seq AS cursor_seq,
  ${millisecondsOf('c.from_time')} AS from_ms, d.state AS open_state, d.attempt AS open_attempt, d.failure AS open_failure,
  ${millisecondsOf('d.due_at')} AS due_ms, l.state AS letter_state, l.attempts AS letter_attempts, l.failure AS letter_failure
FROM (
  SELECT i.subscription, '' AS replay, i.shard FROM unnest($1::text[], $2::int[]) AS i(subscription, shard)
  UNION ALL
  SELECT i.subscription, r.id, i.shard FROM unnest($1::text[], $2::int[]) AS i(subscription, shard)
  JOIN (SELECT id, subscription FROM eventspine.replay ORDER BY created_at DESC LIMIT ${replaysMax}) r USING (subscription)) p
LEFT JOIN eventspine.consumer c ON c.subscription = p.subscription AND c.replay = p.replay AND c.shard = p.shard
LEFT JOIN eventspine.delivery d ON d.subscription = p.subscription AND d.replay = p.replay AND d.shard = p.shard
  AND d.epoch = $3 AND d.seq = $4
LEFT JOIN eventspine.dead_letter l ON l.subscription = p.subscription AND l.replay = p.replay AND l.shard = p.shard
  AND l.epoch = $3 AND l.seq = $4
ORDER BY p.subscription, p.replay`

const selectRuns = `SELECT r.subscription, r.replay, r.worker, a.round, a.attempt, a.outcome::text AS outcome,
  ${millisecondsOf('r.started_at')} + a.after_ms AS started_ms, a.duration_us, r.failures -> (a.place - 1)::int::text AS failure
FROM eventspine.run r
CROSS JOIN LATERAL unnest(r.seqs, r.rounds, r.attempts, r.started_after_ms, r.duration_us, r.outcomes)
  WITH ORDINALITY AS a(seq, round, attempt, after_ms, duration_us, outcome, place)
WHERE r.seq_max BETWEEN $2::bigint AND $2::bigint + ${runSpanMax} AND r.seq_min <= $2 AND r.epoch = $1
  AND $2 = ANY(r.seqs) AND a.seq = $2
ORDER BY started_ms, a.round, a.attempt LIMIT ${runsMax}`

const outcomes: Readonly<Record<string, RunOutcome>> = { d: 'done', r: 'retry', x: 'dead' }

const failureOf = (json: string | null) => (json === null ? null : (JSON.parse(json) as Failure))

type RunView = DeliveryView['runs'][number]

const runOf = (row: RunRow): RunView => ({
  worker: row.worker,
  round: row.round ?? 0,
  attempt: row.attempt ?? 1,
  startedAtMs: row.started_ms,
  durationMs: row.duration_us / 1000,
  outcome: outcomes[row.outcome ?? 'd'] ?? 'done',
  failure: failureOf(row.failure),
})

async function runsOf(connection: Connection, event: StoredEvent): Promise<ReadonlyMap<string, RunView[]>> {
  const runs = new Map<string, RunView[]>()
  for (const row of await connection.query<RunRow>('inspect.runs', selectRuns, [event.epoch, event.seq])) {
    const id = deliveryId(row.subscription, row.replay, event.epoch, event.seq)
    const list = runs.get(id) ?? []
    list.push(runOf(row))
    runs.set(id, list)
  }
  return runs
}

async function tickOf(connection: Connection, event: StoredEvent): Promise<number | undefined> {
  const values = [event.recordedAtMs, event.epoch, String(event.xid)]
  return (await connection.query<{ number: number }>('inspect.tick-of', selectTick, values))[0]?.number
}

interface Facts {
  readonly event: StoredEvent
  readonly tick: number | undefined
  readonly subscription: SubscriptionRow
  readonly row: PlaceRow
  readonly runs: readonly RunView[]
}

function viewOf(facts: Facts): DeliveryView | undefined {
  const { event, row, runs } = facts
  const state = row.letter_state ?? row.open_state ?? stateByCursor(facts)
  if (state === undefined) return undefined
  const retries = row.open_state === 'retry' || row.open_state === 'running'
  return {
    id: deliveryId(row.subscription, row.replay, event.epoch, event.seq),
    subscription: row.subscription,
    replay: row.replay === '' ? null : row.replay,
    state,
    attempt: row.open_attempt ?? row.letter_attempts ?? runs.at(-1)?.attempt ?? 0,
    dueAtMs: retries ? row.due_ms : null,
    failure: failureOf(row.open_failure ?? row.letter_failure),
    runs,
  }
}

// Without a row: done when its cursor has passed it. A run proves it; without one (history has its own, shorter
// retention) only a subscription that takes every event of the type surely ran it.
function stateByCursor({ event, tick, subscription, row, runs }: Facts): 'pending' | 'completed' | undefined {
  if (runs.length > 0 && passed(row, tick, event.seq)) return 'completed'
  if (!subscription.matches || row.replay !== '' || row.cursor_tick === null) return undefined
  if (row.from_ms !== null && event.recordedAtMs < row.from_ms) return undefined
  if (!passed(row, tick, event.seq)) return 'pending'
  const policies = JSON.parse(subscription.policies) as {
    readonly filter?: unknown
    readonly start?: unknown
  }
  const filtered = policies.filter !== undefined && policies.filter !== null
  const older = event.recordedAtMs < subscription.created_ms && policies.start !== 'beginning'
  return filtered || older ? undefined : 'completed'
}

function passed(row: PlaceRow, tick: number | undefined, seq: number): boolean {
  if (tick === undefined || row.cursor_tick === null) return false
  if (row.cursor_tick !== tick) return row.cursor_tick > tick
  return (row.cursor_seq ?? endOfTick) >= seq
}

export function deliveryInspection(database: Database): Pick<InspectPort, 'deliveries'> {
  return {
    deliveries: (event) =>
      bounded(database, async (connection) => {
        const subscriptions = await connection.query<SubscriptionRow>(
          'inspect.wanting',
          selectSubscriptions,
          [event.type],
        )
        const hash = hash32(event.key ?? event.id)
        const shards = subscriptions.map((subscription) => hash % subscription.shards)
        const values = [subscriptions.map(({ name }) => name), shards, event.epoch, event.seq]
        const tick = await tickOf(connection, event)
        const rows = await connection.query<PlaceRow>('inspect.places', selectPlaces, values)
        const runs = await runsOf(connection, event)
        const byName = new Map(subscriptions.map((subscription) => [subscription.name, subscription]))
        return rows.flatMap((row) => {
          const id = deliveryId(row.subscription, row.replay, event.epoch, event.seq)
          const subscription = byName.get(row.subscription) as SubscriptionRow
          const view = viewOf({ event, tick, subscription, row, runs: runs.get(id) ?? [] })
          return view === undefined ? [] : [view]
        })
      }),
  }
}
