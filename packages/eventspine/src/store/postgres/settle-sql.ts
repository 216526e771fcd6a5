// The settle statement, put together from the parts that a flush needs. Every part hangs on `fenced`: what belongs to
// a consumer whose token, revision, tick or definition moved on is not written.
import type { Settlement } from '../../settle/port.js'
import {
  eventColumnsOf,
  eventInput,
  eventInputColumns,
  eventInsertColumns,
  eventInsertValues,
} from './append.js'
import { consumerColumns } from './lease.js'
import { copyOfEvent } from './rows.js'
import { packRuns } from './runs.js'

export interface SettleStatement {
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

class Parameters {
  readonly values: unknown[] = []
  /** Adds values; answers the number of the first. */
  add(values: readonly unknown[]): number {
    this.values.push(...values)
    return this.values.length - values.length + 1
  }
}

// The snapshot is compared, not the number alone: a tick lost in a crash is made anew under its number with a larger
// snapshot, and a worker that lived through it would skip what only the new one holds. A value and not EXISTS, which a
// plan for any parameters answers from a hash of all ticks.
function fenced(settlements: readonly Settlement[], parameters: Parameters): string {
  const first = parameters.add([
    ...consumerColumns(settlements),
    settlements.map((each) => each.token),
    settlements.map((each) => each.revision),
    settlements.map((each) => each.tick),
    settlements.map((each) => each.tickSnapshot),
    settlements.map((each) => each.seq),
    settlements.map((each) => each.counts.matched),
    settlements.map((each) => each.counts.completed),
    settlements.map((each) => each.counts.skipped),
    settlements.map((each) => each.finished),
  ])
  const types = [
    'text',
    'text',
    'int',
    'bigint',
    'bigint',
    'bigint',
    'text',
    'bigint',
    'bigint',
    'bigint',
    'bigint',
    'boolean',
  ]
  const arrays = types.map((type, index) => `$${first + index}::${type}[]`).join(', ')
  return `fenced AS (
  UPDATE eventspine.consumer c
  SET tick = m.tick, seq = m.seq, revision = c.revision + 1, finished = m.finished,
      deaths = CASE WHEN c.tick = m.tick AND c.seq = m.seq THEN c.deaths ELSE 0 END,
      matched = c.matched + m.matched, completed = c.completed + m.completed, skipped = c.skipped + m.skipped
  FROM ROWS FROM (unnest(${arrays})) WITH ORDINALITY
    AS m(subscription, replay, shard, token, revision, tick, snapshot, seq, matched, completed, skipped, finished, move)
  WHERE c.subscription = m.subscription AND c.replay = m.replay AND c.shard = m.shard
    AND c.token = m.token AND c.revision = m.revision AND (c.superseded_tick IS NULL OR m.tick <= c.superseded_tick)
    AND (m.snapshot IS NULL OR m.snapshot = (SELECT t.snapshot::text FROM eventspine.tick t WHERE t.number = m.tick))
  RETURNING m.move, c.subscription, c.replay, c.shard, c.token)`
}

function runs(settlements: readonly Settlement[], worker: string, parameters: Parameters): string {
  const first = parameters.add([worker, ...packRuns(settlements)])
  const types = [
    'int',
    'int',
    'bigint',
    'bigint',
    'float8',
    'text',
    'text',
    'text',
    'text',
    'text',
    'text',
    'text',
  ]
  const arrays = types.map((type, index) => `$${first + 1 + index}::${type}[]`).join(', ')
  return `runs AS (
  INSERT INTO eventspine.run (subscription, replay, shard, worker, epoch, seq_min, seq_max, started_at, seqs, rounds, attempts,
    started_after_ms, duration_us, outcomes, failures)
  SELECT f.subscription, f.replay, f.shard, $${first}::text, r.epoch, r.seq_min, r.seq_max, to_timestamp(r.started_ms / 1000), r.seqs::bigint[],
    r.rounds::smallint[], r.attempts::smallint[], r.started_after::int[], r.durations::int[], r.outcomes::"char"[], r.failures::json
  FROM unnest(${arrays}) AS r(move, epoch, seq_min, seq_max, started_ms, seqs, rounds, attempts, started_after, durations, outcomes, failures)
  JOIN fenced f USING (move))`
}

/** Flattens a list of each settlement into one JSON array whose rows carry the settlement's number. */
function listed<Item>(
  settlements: readonly Settlement[],
  items: (settlement: Settlement) => readonly Item[],
  row: (item: Item) => object,
): string | null {
  const rows: object[] = []
  settlements.forEach((settlement, index) => {
    for (const item of items(settlement)) rows.push({ move: index + 1, ...row(item) })
  })
  return rows.length === 0 ? null : JSON.stringify(rows)
}

function opened(settlements: readonly Settlement[], parameters: Parameters): string | null {
  const json = listed(
    settlements,
    (each) => each.opened,
    ({ event, failure, state, attempt, round, deaths, dueInMs }) => ({
      epoch: event.epoch,
      xid: String(event.xid),
      seq: event.seq,
      tick: event.tick,
      key: event.key,
      tenant: event.tenant,
      state,
      attempt,
      round,
      deaths,
      due: dueInMs,
      failure,
    }),
  )
  if (json === null) return null
  return `opened AS (
  INSERT INTO eventspine.delivery (subscription, replay, shard, epoch, xid, seq, tick, key, tenant, state, attempt, round, deaths, token, due_at, failure)
  SELECT f.subscription, f.replay, f.shard, o.epoch, o.xid::text::xid8, o.seq, o.tick, o.key, o.tenant, o.state, o.attempt, o.round,
    o.deaths, f.token, clock_timestamp() + o.due * interval '1 millisecond', o.failure
  FROM json_to_recordset($${parameters.add([json])}::json) AS o(move bigint, epoch int, xid text, seq bigint, tick bigint, key text,
    tenant text, state text, attempt int, round int, deaths int, due float8, failure json)
  JOIN fenced f USING (move))`
}

// A suspect whose attempt came to an end of its own is none any more: it ran, and the process lives.
function rescheduled(settlements: readonly Settlement[], parameters: Parameters): string | null {
  const json = listed(
    settlements,
    (each) => each.rescheduled,
    ({ epoch, seq, dueInMs, failure, counted }) => ({ epoch, seq, due: dueInMs, failure, counted }),
  )
  if (json === null) return null
  return `rescheduled AS (
  UPDATE eventspine.delivery d SET state = 'retry', due_at = clock_timestamp() + r.due * interval '1 millisecond', failure = coalesce(r.failure, d.failure),
    attempt = d.attempt - (NOT r.counted)::int, deaths = CASE WHEN r.counted THEN 0 ELSE d.deaths END
  FROM json_to_recordset($${parameters.add([json])}::json) AS r(move bigint, epoch int, seq bigint, due float8, failure json, counted boolean)
  JOIN fenced f USING (move)
  WHERE d.subscription = f.subscription AND d.replay = f.replay AND d.shard = f.shard AND d.epoch = r.epoch AND d.seq = r.seq)`
}

// A row that ends well ends its dead letter too, when it was one: resolved only now that success is seen. Both are found
// by a probe each: joined freely, a plan that was made while there were none reads all of them.
function closed(settlements: readonly Settlement[], parameters: Parameters): string | null {
  const dead = new Set(
    settlements.flatMap((each, index) =>
      each.dead.map((letter) => `${index} ${letter.event.epoch} ${letter.event.seq}`),
    ),
  )
  const rows = settlements.flatMap((each, index) =>
    each.closed.map(({ epoch, seq }) => ({
      move: index + 1,
      epoch,
      seq,
      dead: dead.has(`${index} ${epoch} ${seq}`),
    })),
  )
  if (rows.length === 0) return null
  const at = parameters.add([JSON.stringify(rows)])
  return `closed AS (
  DELETE FROM eventspine.delivery d
  USING json_to_recordset($${at}::json) AS r(move bigint, epoch int, seq bigint, dead boolean) JOIN fenced f USING (move)
  WHERE d.subscription = f.subscription AND d.replay = f.replay AND d.shard = f.shard AND d.epoch = r.epoch AND d.seq = r.seq
  RETURNING d.subscription, d.replay, d.shard, d.epoch, d.seq, d.redrive, r.dead
), items AS (
  UPDATE eventspine.redrive_item i SET state = CASE WHEN k.dead THEN 'failed' ELSE 'succeeded' END
  FROM closed k CROSS JOIN LATERAL (
    SELECT o.ctid AS row FROM eventspine.redrive_item o WHERE o.subscription = k.subscription AND o.replay = k.replay
      AND o.shard = k.shard AND o.epoch = k.epoch AND o.seq = k.seq AND o.state = 'sent' OFFSET 0) o
  WHERE i.ctid = o.row AND i.redrive = k.redrive
), redriven AS (
  UPDATE eventspine.dead_letter l SET state = 'redriven', resolved_at = clock_timestamp()
  FROM closed k CROSS JOIN LATERAL (
    SELECT o.ctid AS row FROM eventspine.dead_letter o WHERE o.subscription = k.subscription AND o.replay = k.replay
      AND o.shard = k.shard AND o.epoch = k.epoch AND o.seq = k.seq OFFSET 0) o
  WHERE NOT k.dead AND l.ctid = o.row AND l.state = 'redriving')`
}

function dead(settlements: readonly Settlement[], parameters: Parameters): string | null {
  const json = listed(
    settlements,
    (each) => each.dead,
    ({ event, attempt, round, failure, halts }) => ({
      epoch: event.epoch,
      xid: String(event.xid),
      seq: event.seq,
      tick: event.tick,
      key: event.key,
      tenant: event.tenant,
      attempt,
      round,
      category: failure.category,
      fingerprint: failure.fingerprint,
      failure,
      halts,
      id: event.id,
      type: event.type,
      copy: copyOfEvent(event),
    }),
  )
  if (json === null) return null
  return `dead AS (
  INSERT INTO eventspine.dead_letter AS l (subscription, replay, shard, epoch, xid, seq, tick, key, tenant, attempts, round, category,
    fingerprint, failure, halts, event_id, event_type, event)
  SELECT f.subscription, f.replay, f.shard, r.epoch, r.xid::text::xid8, r.seq, r.tick, r.key, r.tenant, r.attempt, r.round, r.category,
    r.fingerprint, r.failure, r.halts, r.id, r.type, r.copy::json
  FROM json_to_recordset($${parameters.add([json])}::json) AS r(move bigint, epoch int, xid text, seq bigint, tick bigint, key text,
    tenant text, attempt int, round int, category text, fingerprint text, failure json, halts boolean, id text, type text, copy text)
  JOIN fenced f USING (move)
  ON CONFLICT (subscription, replay, shard, epoch, seq) DO UPDATE SET state = 'dead', attempts = l.attempts + excluded.attempts,
    round = excluded.round, category = excluded.category, fingerprint = excluded.fingerprint, failure = excluded.failure,
    halts = excluded.halts, event = excluded.event, died_at = clock_timestamp(), resolved_at = NULL)`
}

function published(settlements: readonly Settlement[], parameters: Parameters): string | null {
  const events = settlements.flatMap((each) => each.published)
  if (events.length === 0) return null
  const moves = settlements.flatMap((each, index) => each.published.map(() => index + 1))
  const at = parameters.add([moves])
  const first = parameters.add(eventColumnsOf(events))
  const arrays = eventInput(first).slice('unnest('.length, -1)
  return `published AS (
  INSERT INTO eventspine.event ${eventInsertColumns.replace(')', ', publisher)')}
  SELECT ${eventInsertValues}, f.subscription
  FROM ROWS FROM (unnest($${at}::bigint[], ${arrays})) WITH ORDINALITY AS i(move, ${eventInputColumns}, ordinal)
  JOIN fenced f USING (move) ORDER BY i.ordinal)`
}

/** Sixteen-odd shapes at most: each is prepared once under the letters of its parts. */
export function settleStatement(worker: string, settlements: readonly Settlement[]): SettleStatement {
  const parameters = new Parameters()
  const parts = [['f', fenced(settlements, parameters)]]
  const add = (letter: string, part: string | null) => {
    if (part !== null) parts.push([letter, part])
  }
  if (settlements.some((each) => each.runs.length > 0)) add('r', runs(settlements, worker, parameters))
  add('o', opened(settlements, parameters))
  add('s', rescheduled(settlements, parameters))
  add('c', closed(settlements, parameters))
  add('d', dead(settlements, parameters))
  add('p', published(settlements, parameters))
  return {
    name: `settle.${parts.map(([letter]) => letter).join('')}`,
    text: `WITH ${parts.map(([, part]) => part).join(',\n')}\nSELECT move FROM fenced`,
    values: parameters.values,
  }
}
