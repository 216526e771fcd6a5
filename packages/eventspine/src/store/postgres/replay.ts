// History delivered again to one subscription: consumers of its own, from a moment to the tick made when it was asked for.

import { endOfTick } from '../../event/stored.js'
import type { InspectPort } from '../../inspect/port.js'
import { EventspineError } from '../../kernel/index.js'
import type { Replay, ReplayPort, ReplayRequest } from '../../redrive/port.js'
import { insertAudit } from './audit.js'
import type { Connection, Database } from './database.js'
import { isoText } from './inspect-conditions.js'
import { bounded, explained, millisecondsOf, momentText } from './inspect-page.js'
import { newestPage } from './newest.js'
import { tickStatement } from './tick-sql.js'

// Progress is that of the slowest shard, in ticks: one that stands inside a tick has not passed it.
const replayColumns = `p.id, p.subscription, p.state, ${millisecondsOf('p.from_time')} AS from_ms, p.until_tick, p.actor,
  ${momentText('p.created_at')} AS created_at, ${millisecondsOf('p.created_at')} AS created_ms, ${millisecondsOf('p.ended_at')} AS ended_ms,
  coalesce(cursors.matched, 0)::bigint AS matched, coalesce(cursors.completed, 0)::bigint AS completed, open.retrying, letters.dead,
  CASE WHEN p.state = 'completed' OR p.until_tick <= p.from_tick THEN 1
    ELSE coalesce(p.progress, greatest(0, least(1, (cursors.tick - p.from_tick)::float8 / (p.until_tick - p.from_tick))), 0) END::float8 AS progress`

const fromReplays = `FROM eventspine.replay p
CROSS JOIN LATERAL (SELECT sum(c.matched) AS matched, sum(c.completed) AS completed,
    min(CASE WHEN c.seq = ${endOfTick} THEN c.tick ELSE c.tick - 1 END) AS tick
  FROM eventspine.consumer c WHERE c.subscription = p.subscription AND c.replay = p.id) cursors
CROSS JOIN LATERAL (SELECT count(*) AS retrying FROM eventspine.delivery d
  WHERE d.subscription = p.subscription AND d.replay = p.id) open
CROSS JOIN LATERAL (SELECT count(*) AS dead FROM eventspine.dead_letter l
  WHERE l.subscription = p.subscription AND l.replay = p.id AND l.state = 'dead') letters`

interface ReplayRow {
  readonly id: string
  readonly subscription: string
  readonly state: Replay['state']
  readonly from_ms: number | null
  readonly until_tick: number
  readonly actor: string
  readonly created_at: string
  readonly created_ms: number
  readonly ended_ms: number | null
  readonly matched: number
  readonly completed: number
  readonly retrying: number
  readonly dead: number
  readonly progress: number
}

const replayOfRow = (row: ReplayRow): Replay => ({
  id: row.id,
  subscription: row.subscription,
  state: row.state,
  fromMs: row.from_ms,
  untilTick: row.until_tick,
  matched: row.matched,
  completed: row.completed,
  retrying: row.retrying,
  dead: row.dead,
  progress: row.progress,
  actor: row.actor,
  createdAtMs: row.created_ms,
  endedAtMs: row.ended_ms,
})

async function replayById(connection: Connection, id: string): Promise<Replay | null> {
  const text = `SELECT ${replayColumns} ${fromReplays} WHERE p.id = $1`
  const [row] = await connection.query<ReplayRow>('replay.one', text, [id])
  return row === undefined ? null : replayOfRow(row)
}

async function existing(connection: Connection, id: string): Promise<Replay> {
  const found = await replayById(connection, id)
  if (found === null) throw new EventspineError('NOT_FOUND', `No replay "${id}". List them to see their ids.`)
  return found
}

// From behind the last tick made before the moment asked for: what was recorded later is in a later tick. The minute is
// for a database clock that was set back; what the first ticks hold from before is passed over by from_time.
const insertReplay = `INSERT INTO eventspine.replay (id, subscription, from_time, from_tick, until_tick, actor, reason)
SELECT $1, s.name, $3::timestamptz, coalesce(
    (SELECT t.number FROM eventspine.tick t WHERE t.made_at < $3::timestamptz - interval '1 minute' ORDER BY t.made_at DESC LIMIT 1),
    (SELECT greatest(0, min(t.number) - 1) FROM eventspine.tick t), 0),
  coalesce((SELECT max(t.number) FROM eventspine.tick t), 0), $4, $5
FROM eventspine.subscription s WHERE s.name = $2 RETURNING id`

const insertConsumers = `INSERT INTO eventspine.consumer (subscription, replay, shard, tick, seq, from_time, until_tick)
SELECT p.subscription, p.id, part.shard, p.from_tick, ${endOfTick}, p.from_time, p.until_tick
FROM eventspine.replay p JOIN eventspine.subscription s ON s.name = p.subscription
CROSS JOIN generate_series(0, s.shards - 1) AS part(shard) WHERE p.id = $1`

async function create(connection: Connection, id: string, request: ReplayRequest): Promise<Replay> {
  const { subscription, from = 'beginning', actor, reason = null, external = false } = request
  const moment = from === 'beginning' ? null : isoText(from, 'from')
  const inserted = await connection.query('replay.create', insertReplay, [
    id,
    subscription,
    moment,
    actor,
    reason,
  ])
  if (inserted.length === 0)
    throw new EventspineError('NOT_FOUND', `No subscription "${subscription}" is registered.`)
  await connection.query('replay.consumers', insertConsumers, [id])
  const details = JSON.stringify({ subscription, from: moment ?? 'beginning', reason, external })
  await connection.query('operate.audit', insertAudit, [actor, 'replay.create', id, details])
  return existing(connection, id)
}

// Its consumers stay, finished and under a new token: a holder that was asleep cannot settle, and a dead letter of this
// replay can still be redriven. They stand at the end, so nothing of the range is read any more. The holder keeps its
// lease until it gives it back or that runs out: it learns of this later, and a pause must wait for what it still runs. One
// may have passed its end, with nothing of what is behind it: a cursor never goes back.
const stopConsumers = `UPDATE eventspine.consumer c SET finished = true, token = c.token + 1,
  tick = greatest(c.tick, p.until_tick), seq = CASE WHEN c.tick > p.until_tick THEN c.seq ELSE ${endOfTick} END
FROM eventspine.replay p WHERE p.id = $1 AND c.subscription = p.subscription AND c.replay = p.id`

const stopDeliveries = `WITH removed AS (
  DELETE FROM eventspine.delivery d USING eventspine.replay p WHERE p.id = $1 AND d.subscription = p.subscription AND d.replay = p.id
  RETURNING d.subscription, d.replay, d.shard, d.epoch, d.seq, d.redrive
), items AS (
  UPDATE eventspine.redrive_item i SET state = 'released' FROM removed r
  WHERE i.redrive = r.redrive AND i.state = 'sent' AND i.subscription = r.subscription AND i.replay = r.replay
    AND i.shard = r.shard AND i.epoch = r.epoch AND i.seq = r.seq
), letters AS (
  UPDATE eventspine.dead_letter l SET state = 'dead' FROM removed r WHERE l.state = 'redriving'
    AND l.subscription = r.subscription AND l.replay = r.replay AND l.shard = r.shard AND l.epoch = r.epoch AND l.seq = r.seq)
SELECT count(*) AS count, count(*) FILTER (WHERE redrive IS NULL) AS unsettled FROM removed`

async function stop(
  connection: Connection,
  id: string,
  actor: string,
  reason: string | undefined,
): Promise<Replay> {
  const hold = 'SELECT state FROM eventspine.replay WHERE id = $1 FOR UPDATE'
  const [row] = await connection.query<{ state: Replay['state'] }>('replay.hold', hold, [id])
  if (row?.state !== 'running') return existing(connection, id)
  const { progress, subscription } = await existing(connection, id)
  await connection.query('replay.stop-cursors', stopConsumers, [id])
  const [removed] = await connection.query<{ count: number; unsettled: number }>(
    'replay.stop-rows',
    stopDeliveries,
    [id],
  )
  // What was open counts as passed over: matched = completed + retrying + dead + skipped holds here too.
  const skip = `UPDATE eventspine.consumer SET skipped = skipped + $2::bigint
WHERE (subscription, replay, shard) = (SELECT c.subscription, c.replay, min(c.shard) FROM eventspine.consumer c
  JOIN eventspine.replay p ON p.subscription = c.subscription AND p.id = c.replay WHERE p.id = $1 GROUP BY 1, 2)`
  await connection.query('replay.skip', skip, [id, removed?.unsettled ?? 0])
  const end = `UPDATE eventspine.replay SET state = 'stopped', progress = $2, ended_at = clock_timestamp() WHERE id = $1`
  await connection.query('replay.end', end, [id, progress])
  const stopped = await existing(connection, id)
  const { matched, completed, dead } = stopped
  const details = JSON.stringify({
    ...{ subscription, before: 'running', after: 'stopped', progress },
    ...{ matched, completed, dead, released: removed?.count ?? 0, reason },
  })
  await connection.query('operate.audit', insertAudit, [actor, 'replay.stop', id, details])
  return stopped
}

/** Ends the replays whose consumers reached their end with nothing left open. Cheap: running ones are few. */
export const completeReplaysSql = `UPDATE eventspine.replay p SET state = 'completed', ended_at = clock_timestamp()
WHERE p.state = 'running'
  AND NOT EXISTS (SELECT 1 FROM eventspine.consumer c WHERE c.subscription = p.subscription AND c.replay = p.id AND NOT c.finished)
  AND NOT EXISTS (SELECT 1 FROM eventspine.delivery d WHERE d.subscription = p.subscription AND d.replay = p.id)`

export function replayStatements(database: Database): ReplayPort {
  return {
    async createReplay(id, request) {
      // By itself, before the transaction: it commits asynchronously, and nobody can make a tick while one is open.
      await database.query('read', 'deliver.tick', tickStatement, [false])
      return explained(() => database.transaction('read', (connection) => create(connection, id, request)))
    },
    stopReplay: (id, actor, reason) =>
      explained(() => database.transaction('read', (connection) => stop(connection, id, actor, reason))),
    replay: (id) => bounded(database, (connection) => replayById(connection, id)),
  }
}

export function replayInspection(database: Database): Pick<InspectPort, 'replays'> {
  const list = { kind: 'replays', alias: 'p', select: `SELECT ${replayColumns} ${fromReplays}` }
  return { replays: (query) => newestPage(database, list, query, replayOfRow) }
}
