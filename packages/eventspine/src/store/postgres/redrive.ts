// Dead letters back to life: selected and audited in one transaction, sent at a rate behind a canary, stopped when they
// fail again. What becomes of each is recorded by the settlement of its delivery.

import { endOfTick } from '../../event/stored.js'
import type { InspectPort } from '../../inspect/port.js'
import { EventspineError } from '../../kernel/index.js'
import type { DeadLetterFilter, Redrive, RedrivePort, RedriveState } from '../../redrive/port.js'
import { actOfRedrive } from '../act-of-redrive.js'
import { requireOneLetter } from '../one-letter.js'
import { insertAudit } from './audit.js'
import type { Connection, Database } from './database.js'
import { groupsOf } from './dead-letter-groups.js'
import { addLetterFilters, discardStatements } from './dead-letters.js'
import { Conditions } from './inspect-conditions.js'
import { bounded, boundedByValue, explained, millisecondsOf, momentText } from './inspect-page.js'
import { newestPage } from './newest.js'
import { completeReplaysSql } from './replay.js'
import { copyOfEvent, eventOfCopy } from './rows.js'

/** Letters in one redrive: what is beyond waits for the next. */
const lettersMax = 100_000
/** Redrives looked after, and letters sent for each, in one call. */
const redrivesMax = 50
const sendsMax = 1_000
/** What a redrive may catch up after nobody sent for a while. */
const burstSecondsMax = 2
/** So many must have ended before the error rate says anything, other than at the canary's end. */
const judgedMin = 10

const redriveColumns = `r.id, r.state, r.filter, r.rate, r.canary, r.stop_at_error_rate, r.selected, r.actor, r.reason, r.note,
  ${momentText('r.created_at')} AS created_at, ${millisecondsOf('r.created_at')} AS created_ms, ${millisecondsOf('r.ended_at')} AS ended_ms,
  items.sent, items.succeeded, items.failed, r.edited_data IS NOT NULL AS edited`

const fromRedrives = `FROM eventspine.redrive r CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE i.state IN ('sent', 'succeeded', 'failed')) AS sent,
    count(*) FILTER (WHERE i.state = 'succeeded') AS succeeded, count(*) FILTER (WHERE i.state = 'failed') AS failed
  FROM eventspine.redrive_item i WHERE i.redrive = r.id) items`

interface RedriveRow {
  readonly id: string
  readonly state: RedriveState
  readonly filter: string
  readonly rate: number
  readonly canary: number
  readonly stop_at_error_rate: number
  readonly selected: number
  readonly actor: string
  readonly reason: string | null
  readonly note: string | null
  readonly created_at: string
  readonly created_ms: number
  readonly ended_ms: number | null
  readonly sent: number
  readonly succeeded: number
  readonly failed: number
  readonly edited: boolean
  /** Of one that is asked for alone. */
  readonly edited_data?: string | null
}

const redriveOfRow = (row: RedriveRow): Redrive => ({
  id: row.id,
  state: row.state,
  filter: filterOfJson(row.filter),
  rate: row.rate,
  canary: row.canary,
  stopAtErrorRate: row.stop_at_error_rate,
  selected: row.selected,
  sent: row.sent,
  succeeded: row.succeeded,
  failed: row.failed,
  actor: row.actor,
  reason: row.reason,
  note: row.note,
  createdAtMs: row.created_ms,
  endedAtMs: row.ended_ms,
  edited: row.edited,
  ...(typeof row.edited_data === 'string' && { data: JSON.parse(row.edited_data) as unknown }),
})

function filterOfJson(json: string): DeadLetterFilter {
  const { diedAfter, diedBefore, ...filter } = JSON.parse(json) as Record<string, unknown>
  return {
    ...filter,
    ...(typeof diedAfter === 'string' && { diedAfter: new Date(diedAfter) }),
    ...(typeof diedBefore === 'string' && { diedBefore: new Date(diedBefore) }),
  }
}

async function redriveById(connection: Connection, id: string): Promise<Redrive | null> {
  const text = `SELECT ${redriveColumns}, r.edited_data ${fromRedrives} WHERE r.id = $1`
  const [row] = await connection.query<RedriveRow>('redrive.one', text, [id])
  return row === undefined ? null : redriveOfRow(row)
}

async function existing(connection: Connection, id: string): Promise<Redrive> {
  const found = await redriveById(connection, id)
  if (found === null)
    throw new EventspineError('NOT_FOUND', `No redrive "${id}". List them to see their ids.`)
  return found
}

const free = `NOT EXISTS (SELECT 1 FROM eventspine.redrive_item i WHERE i.subscription = l.subscription AND i.replay = l.replay
  AND i.shard = l.shard AND i.epoch = l.epoch AND i.seq = l.seq AND i.state IN ('selected', 'sent'))`

// One selection at a time: of two at once, the second would not see yet what the first has taken. A letter that a
// settlement or a discard holds right now is skipped. In log order, so that the order of a key is kept.
const lock = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))'

type CreateRequest = Parameters<RedrivePort['createRedrive']>[1]

function createStatement(id: string, request: CreateRequest) {
  const { filter, rate, canary, stopAtErrorRate, roundsMax, actor, reason, idempotencyKey, editedData } =
    request
  const given = [rate, canary, stopAtErrorRate, editedData, actor, reason ?? null, roundsMax]
  const where = new Conditions([id, idempotencyKey ?? null, JSON.stringify(filter), ...given])
  const nothing = `Nothing to send: no dead letter matched that is unresolved, in no other redrive, and redriven fewer than ${roundsMax} times.`
  addLetterFilters(where, filter)
  const text = `WITH letters AS (
  SELECT l.subscription, l.replay, l.shard, l.epoch, l.seq, l.tick FROM eventspine.dead_letter l
  WHERE l.state = 'dead' AND l.round < $10::int AND ${free} AND ${where.text}
  ORDER BY l.tick, l.seq, l.subscription, l.replay LIMIT ${lettersMax} FOR UPDATE OF l SKIP LOCKED
), items AS (
  INSERT INTO eventspine.redrive_item (redrive, number, subscription, replay, shard, epoch, seq)
  SELECT $1, row_number() OVER (ORDER BY tick, seq, subscription, replay), subscription, replay, shard, epoch, seq FROM letters
), size AS (SELECT count(*)::int AS letters FROM letters)
INSERT INTO eventspine.redrive (id, idempotency_key, filter, rate, canary, stop_at_error_rate, edited_data, actor, reason,
  selected, state, note, sent_at, ended_at)
SELECT $1, $2, $3::json, $4::float8, $5::int, $6::float8, $7::json, $8, $9, letters,
  CASE WHEN letters = 0 THEN 'completed' WHEN $5::int = 0 THEN 'running' ELSE 'canary' END,
  CASE WHEN letters = 0 THEN ${where.value(nothing)} END,
  clock_timestamp() - interval '1 second' / $4::float8,
  CASE WHEN letters = 0 THEN clock_timestamp() END
FROM size RETURNING selected`
  return { name: `redrive.pick${where.shape}`, text, values: where.values }
}

async function create(
  connection: Connection,
  schema: string,
  id: string,
  request: CreateRequest,
): Promise<Redrive> {
  await connection.query('redrive.lock', lock, [`${schema}.redrive`])
  if (request.idempotencyKey !== undefined) {
    const before = 'SELECT id FROM eventspine.redrive WHERE idempotency_key = $1'
    const [row] = await connection.query<{ id: string }>('redrive.before', before, [request.idempotencyKey])
    if (row !== undefined) return existing(connection, row.id)
  }
  const { name, text, values } = createStatement(id, request)
  const [row] = await connection.query<{ selected: number }>(name, text, values)
  const selected = row?.selected ?? 0
  if (request.editedData !== null) requireOneLetter(request, selected)
  const { action, target, details } = actOfRedrive(id, request, selected)
  await connection.query('operate.audit', insertAudit, [
    ...[request.actor, action, target, JSON.stringify(details)],
  ])
  return existing(connection, id)
}

interface Progress {
  readonly state: 'canary' | 'running'
  readonly rate: number
  readonly canary: number
  readonly stop_at_error_rate: number
  readonly seconds: number
  readonly selected: number
  readonly sent: number
  readonly succeeded: number
  readonly failed: number
  /** Letters of the canary that have not ended, and those of them that were not sent. */
  readonly canary_open: number
  readonly canary_selected: number
}

export type Verdict = 'send' | 'completed' | 'stopped'

/** What a redrive does next, from what became of its letters so far. */
export function judge(progress: Omit<Progress, 'rate' | 'seconds' | 'canary' | 'canary_selected'>): Verdict {
  const { state, stop_at_error_rate, selected, sent, succeeded, failed, canary_open } = progress
  const ended = succeeded + failed
  const telling = ended >= judgedMin || (state === 'canary' && canary_open === 0)
  if (telling && ended > 0 && failed / ended > stop_at_error_rate && selected > 0) return 'stopped'
  return selected + sent === 0 ? 'completed' : 'send'
}

/** How many may go now, and the seconds of saved-up time that are left when they went. */
export function allowance(
  rate: number,
  seconds: number,
): { readonly count: number; readonly secondsLeft: number } {
  const saved = Math.min(seconds, Math.max(burstSecondsMax, 1 / rate))
  const count = Math.min(sendsMax, Math.floor(saved * rate + 1e-6))
  return { count, secondsLeft: Math.max(0, saved - count / rate) }
}

const selectRunning = `SELECT id FROM eventspine.redrive WHERE state IN ('canary', 'running') ORDER BY created_at LIMIT ${redrivesMax}`

/** What there is to advance: redrives by their ids, and null when there are replays. */
const selectOngoing = `(${selectRunning}) UNION ALL (SELECT NULL FROM eventspine.replay WHERE state = 'running' LIMIT 1)`

// SKIP LOCKED: one worker sends for a redrive, or its rate would be multiplied by their number.
const hold = `SELECT id FROM eventspine.redrive WHERE id = $1 AND state IN ('canary', 'running') FOR UPDATE SKIP LOCKED`

const progress = `SELECT r.state, r.rate, r.canary, r.stop_at_error_rate,
  greatest(0, extract(epoch FROM clock_timestamp() - r.sent_at))::float8 AS seconds, items.*
FROM eventspine.redrive r CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE i.state = 'selected') AS selected, count(*) FILTER (WHERE i.state = 'sent') AS sent,
    count(*) FILTER (WHERE i.state = 'succeeded') AS succeeded, count(*) FILTER (WHERE i.state = 'failed') AS failed,
    count(*) FILTER (WHERE i.number <= r.canary AND i.state IN ('selected', 'sent')) AS canary_open,
    count(*) FILTER (WHERE i.number <= r.canary AND i.state = 'selected') AS canary_selected
  FROM eventspine.redrive_item i WHERE i.redrive = r.id) items
WHERE r.id = $1`

// The row goes with its own copy of the event, and starts its attempts anew. Token 0 is older than any lease. In an
// ordered subscription one row of a key is active at a time: behind an active one this one waits, and is promoted first.
// A replay that has ended takes its letter back: its consumer is opened again, at its end. A holder that is about to
// record the end has not seen the row: the revision moves on, by two, since by one it would take its own settlement for
// recorded.
const send = `WITH next AS (
  SELECT i.number, i.subscription, i.replay, i.shard, i.epoch, i.seq FROM eventspine.redrive_item i
  WHERE i.redrive = $1 AND i.state = 'selected' AND i.number <= $2 ORDER BY i.number LIMIT $3 FOR UPDATE
), letters AS (
  UPDATE eventspine.dead_letter l SET state = 'redriving', redrive = $1 FROM next n
  WHERE l.subscription = n.subscription AND l.replay = n.replay AND l.shard = n.shard AND l.epoch = n.epoch AND l.seq = n.seq
    AND l.state = 'dead'
  RETURNING n.number, l.*
), rows AS (
  SELECT l.*, row_number() OVER (PARTITION BY l.subscription, l.replay, l.shard, l.tenant, l.key ORDER BY l.tick, l.seq) AS turn,
    l.key IS NOT NULL AND coalesce(s.policies ->> 'ordered', 'no') NOT IN ('no', 'false') AS ordered
  FROM letters l LEFT JOIN eventspine.subscription s ON s.name = l.subscription
), sent AS (
  INSERT INTO eventspine.delivery (subscription, replay, shard, epoch, xid, seq, tick, key, tenant, state, attempt, round, token, due_at, redrive, event)
  SELECT r.subscription, r.replay, r.shard, r.epoch, r.xid, r.seq, r.tick, r.key, r.tenant,
    CASE WHEN r.ordered AND (r.turn > 1 OR EXISTS (SELECT 1 FROM eventspine.delivery d WHERE d.subscription = r.subscription
      AND d.replay = r.replay AND d.shard = r.shard AND d.tenant = r.tenant AND d.key = r.key AND d.state <> 'waiting')) THEN 'waiting' ELSE 'retry' END,
    0, r.round + 1, 0, clock_timestamp(), $1, coalesce($4::json, r.event)
  FROM rows r
), marked AS (
  UPDATE eventspine.redrive_item i SET state = CASE WHEN l.number IS NULL THEN 'released' ELSE 'sent' END
  FROM next n LEFT JOIN letters l ON l.number = n.number WHERE i.redrive = $1 AND i.number = n.number
), opened AS (
  INSERT INTO eventspine.consumer AS c (subscription, replay, shard, tick, seq, from_time, until_tick)
  SELECT DISTINCT l.subscription, l.replay, l.shard, p.until_tick, ${endOfTick}, p.from_time, p.until_tick
  FROM letters l JOIN eventspine.replay p ON p.id = l.replay AND l.replay <> ''
  ON CONFLICT (subscription, replay, shard) DO UPDATE SET finished = false, revision = c.revision + 2)
UPDATE eventspine.redrive SET sent_at = clock_timestamp() - $5 * interval '1 second', state = $6 WHERE id = $1`

const end = `WITH released AS (UPDATE eventspine.redrive_item SET state = 'released' WHERE redrive = $1 AND state = 'selected')
UPDATE eventspine.redrive SET state = $2, note = $3, ended_at = clock_timestamp() WHERE id = $1`

/** The edited data of a redrive of one letter, put into the letter's copy of the event; null when nothing was edited. */
async function editedCopy(connection: Connection, id: string): Promise<string | null> {
  const text = `SELECT r.edited_data, l.event FROM eventspine.redrive r JOIN eventspine.redrive_item i ON i.redrive = r.id
JOIN eventspine.dead_letter l ON l.subscription = i.subscription AND l.replay = i.replay AND l.shard = i.shard
  AND l.epoch = i.epoch AND l.seq = i.seq
WHERE r.id = $1 AND r.edited_data IS NOT NULL AND i.number = 1`
  const [row] = await connection.query<{ edited_data: string; event: string }>('redrive.edit', text, [id])
  return row === undefined
    ? null
    : copyOfEvent({ ...eventOfCopy(row.event), data: row.edited_data, claim: null })
}

function noteOf(
  verdict: 'completed' | 'stopped',
  { failed, succeeded, stop_at_error_rate, selected }: Progress,
): string | null {
  const again = `${failed} of ${succeeded + failed} that ended failed again`
  if (verdict === 'completed') return failed === 0 ? null : `${again}.`
  return `Stopped by itself: ${again}, more than the share of ${stop_at_error_rate} that is allowed. ${selected} were not sent and stay dead letters.`
}

async function advanceOne(connection: Connection, id: string): Promise<void> {
  if ((await connection.query('redrive.hold', hold, [id])).length === 0) return
  const [row] = await connection.query<Progress>('redrive.progress', progress, [id])
  if (row === undefined) return
  const verdict = judge(row)
  if (verdict !== 'send') {
    await connection.query('redrive.end', end, [id, verdict, noteOf(verdict, row)])
    return
  }
  const state = row.state === 'canary' && row.canary_open === 0 ? 'running' : row.state
  const { count, secondsLeft } = allowance(row.rate, row.seconds)
  const waiting = state === 'canary' ? row.canary_selected : row.selected
  if ((count === 0 || waiting === 0) && state === row.state) return
  const upto = state === 'canary' ? row.canary : lettersMax
  const copy = await editedCopy(connection, id)
  await connection.query('redrive.send', send, [id, upto, count, copy, secondsLeft, state])
}

async function stop(connection: Connection, id: string, actor: string, reason?: string): Promise<Redrive> {
  const why = reason ?? null
  const text = `SELECT state FROM eventspine.redrive WHERE id = $1 AND state IN ('canary', 'running') FOR UPDATE`
  const [row] = await connection.query<{ state: RedriveState }>('redrive.stopping', text, [id])
  if (row !== undefined) {
    const { selected, sent } = await existing(connection, id)
    const details = JSON.stringify({ before: row.state, after: 'stopped', selected, sent, reason: why })
    await connection.query('redrive.end', end, [id, 'stopped', why])
    await connection.query('operate.audit', insertAudit, [actor, 'redrive.stop', id, details])
  }
  return existing(connection, id)
}

export function redriveStatements(database: Database): RedrivePort {
  const transaction = <Result>(work: (connection: Connection) => Promise<Result>) =>
    explained(() => database.transaction('read', work))
  return {
    ...discardStatements(database),

    previewRedrive: (filter, roundsMax) =>
      boundedByValue(database, async (connection) => {
        const where = addLetterFilters(new Conditions([roundsMax]), filter)
        const text = `SELECT count(*) FILTER (WHERE l.round < $1::int) AS selected, count(*) FILTER (WHERE l.round >= $1::int) AS guarded
FROM eventspine.dead_letter l WHERE l.state = 'dead' AND ${free} AND ${where.text}`
        type Row = { selected: number; guarded: number }
        const [row] = await connection.query<Row>(`redrive.count${where.shape}`, text, where.values)
        const chosen = new Conditions().add(
          'rounds',
          roundsMax,
          (parameter) => `l.round < ${parameter}::int AND ${free}`,
        )
        const groups = await groupsOf(connection, 'redrive.group', addLetterFilters(chosen, filter))
        return { selected: row?.selected ?? 0, guarded: row?.guarded ?? 0, groups }
      }),

    createRedrive: (id, request) =>
      transaction((connection) => create(connection, database.schema, id, request)),

    async advanceRedrives() {
      const ongoing = await database.query<{ id: string | null }>('read', 'redrive.ongoing', selectOngoing)
      if (ongoing.length === 0) return 0
      for (const { id } of ongoing)
        if (id !== null) await transaction((connection) => advanceOne(connection, id))
      await database.query('read', 'replay.complete', completeReplaysSql)
      return (await database.query('read', 'redrive.running', selectRunning)).length
    },

    stopRedrive: (id, actor, reason) => transaction((connection) => stop(connection, id, actor, reason)),
    redrive: (id) => bounded(database, (connection) => redriveById(connection, id)),
  }
}

export function redriveInspection(database: Database): Pick<InspectPort, 'redrives'> {
  const list = { kind: 'redrives', alias: 'r', select: `SELECT ${redriveColumns} ${fromRedrives}` }
  return { redrives: (query) => newestPage(database, list, query, redriveOfRow) }
}
