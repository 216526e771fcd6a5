// Dead letters as people see them: found by filter, grouped by fault, discarded with a name and a reason.

import type { Failure } from '../../deliver/port.js'
import { deliveryId } from '../../event/stored.js'
import type { InspectPort } from '../../inspect/port.js'
import { EventspineError } from '../../kernel/index.js'
import type { DeadLetter, DeadLetterFilter, RedrivePort } from '../../redrive/port.js'
import { insertAudit } from './audit.js'
import type { Connection, Database } from './database.js'
import { groupsOf } from './dead-letter-groups.js'
import { addPattern, Conditions, isoText } from './inspect-conditions.js'
import {
  boundedByValue,
  explained,
  limitOf,
  millisecondsOf,
  momentText,
  pageOf,
  readCursor,
  writeCursor,
} from './inspect-page.js'
import { promoteKeySql } from './promote-sql.js'
import { eventOfCopy } from './rows.js'

/** Ids in one filter, letters discarded in one transaction, and such transactions in one call. */
const idsMax = 1_000
const discardLettersMax = 10_000
const discardStepsMax = 1_000

interface DeliveryPlace {
  readonly subscription: string
  readonly replay: string
  readonly epoch: number
  readonly seq: number
}

const idForm = /^([^/]+)\/(\d{1,9})\.(\d{1,16})(?:~([^/~]+))?$/

export function parseDeliveryId(id: string): DeliveryPlace | undefined {
  const [, subscription, epoch, seq, replay = ''] = idForm.exec(id) ?? []
  if (subscription === undefined) return undefined
  return { subscription, replay, epoch: Number(epoch), seq: Number(seq) }
}

/** Adds what a filter asks of a dead letter `l`. Its state is the caller's matter. */
export function addLetterFilters(where: Conditions, filter: DeadLetterFilter): Conditions {
  if (filter.ids !== undefined) addIds(where, filter.ids)
  where.add('subscription', filter.subscription, (parameter) => `l.subscription = ${parameter}`)
  where.add('category', filter.category, (parameter) => `l.category = ${parameter}`)
  where.add('tenant', filter.tenant, (parameter) => `l.tenant = ${parameter}`)
  where.add('fingerprint', filter.fingerprint, (parameter) => `l.fingerprint = ${parameter}`)
  addPattern(where, 'type', 'l.event_type', filter.eventType)
  where.add('key', filter.key, (parameter) => `l.key = ${parameter}`)
  where.add('round', filter.round, (parameter) => `l.round = ${parameter}::int`)
  where.add(
    'error',
    filter.error,
    (parameter) => `strpos(lower(l.failure ->> 'message'), lower(${parameter}::text)) > 0`,
  )
  const after = filter.diedAfter === undefined ? undefined : isoText(filter.diedAfter, 'diedAfter')
  const before = filter.diedBefore === undefined ? undefined : isoText(filter.diedBefore, 'diedBefore')
  where.add('after', after, (parameter) => `l.died_at >= ${parameter}::timestamptz`)
  where.add('before', before, (parameter) => `l.died_at < ${parameter}::timestamptz`)
  return where
}

// An id does not say the shard: with all shards of its subscription spelled out the primary key finds it.
function addIds(where: Conditions, ids: readonly string[]): void {
  if (ids.length > idsMax)
    throw refused(`ids has ${ids.length} entries; at most ${idsMax} are taken at once`, '/ids')
  const places = ids.map((id, index) => parseDeliveryId(id) ?? invalidId(id, index))
  const column = (name: keyof DeliveryPlace) => where.value(places.map((place) => place[name]))
  where.add(
    'ids',
    places.map((place) => place.subscription),
    (parameter) => `(l.subscription, l.replay, l.shard, l.epoch, l.seq) IN (
    SELECT i.subscription, i.replay, part.shard, i.epoch, i.seq
    FROM unnest(${parameter}::text[], ${column('replay')}::text[], ${column('epoch')}::int[], ${column('seq')}::bigint[])
      AS i(subscription, replay, epoch, seq)
    JOIN eventspine.subscription s ON s.name = i.subscription CROSS JOIN generate_series(0, s.shards - 1) AS part(shard))`,
  )
}

const refused = (message: string, field: string) =>
  new EventspineError('REQUEST_INVALID', `${message}.`, { field })

function invalidId(id: string, index: number): never {
  throw refused(
    `"${id.slice(0, 200)}" is no id of a dead letter; write subscription/epoch.seq`,
    `/ids/${index}`,
  )
}

/** Columns of `dead_letter l`, in the form of LetterRow. */
export const letterColumns = `l.subscription, l.replay, l.epoch, l.seq, l.tenant, l.state, l.event, l.attempts, l.round, l.failure,
  l.halts, l.redrive, l.resolved_by, l.reason, ${momentText('l.died_at')} AS died_at,
  ${millisecondsOf('l.died_at')} AS died_ms, ${millisecondsOf('l.resolved_at')} AS resolved_ms`

export interface LetterRow extends DeliveryPlace {
  readonly tenant: string
  readonly state: DeadLetter['state']
  readonly event: string
  readonly attempts: number
  readonly round: number
  readonly failure: string
  readonly halts: boolean
  readonly redrive: string | null
  readonly resolved_by: string | null
  readonly reason: string | null
  readonly died_at: string
  readonly died_ms: number
  readonly resolved_ms: number | null
}

function copyOf(json: string): DeadLetter['event'] {
  const { id, type, version, source, subject, key, timeMs, data, claim, correlationId } = eventOfCopy(json)
  const time = new Date(timeMs).toISOString()
  const parsed: unknown = data === null ? null : JSON.parse(data)
  return { id, type, version, source, subject, key, time, data: parsed, claim, correlationId }
}

export const letterOfRow = (row: LetterRow): DeadLetter => ({
  id: deliveryId(row.subscription, row.replay, row.epoch, row.seq),
  subscription: row.subscription,
  tenant: row.tenant,
  state: row.state,
  event: copyOf(row.event),
  attempts: row.attempts,
  round: row.round,
  failure: JSON.parse(row.failure) as Failure,
  halts: row.halts,
  diedAtMs: row.died_ms,
  redrive: row.redrive,
  resolvedAtMs: row.resolved_ms,
  resolvedBy: row.resolved_by,
  reason: row.reason,
})

type LetterInspection = Pick<InspectPort, 'deadLetters' | 'deadLetter' | 'deadLetterGroups'>

export function deadLetterInspection(database: Database): LetterInspection {
  const select = (where: Conditions, limit: number) => {
    const text = `SELECT ${letterColumns} FROM eventspine.dead_letter l WHERE ${where.text}
ORDER BY l.died_at DESC, l.epoch DESC, l.seq DESC, l.subscription DESC, l.replay DESC LIMIT ${where.value(limit)}`
    return boundedByValue(database, (connection) =>
      connection.query<LetterRow>(`inspect.dead${where.shape}`, text, where.values),
    )
  }
  return {
    async deadLetters(query) {
      const limit = limitOf(query)
      const place = readCursor('dead', query.cursor, ['moment', 'number', 'number', 'text', 'text'])
      const where = new Conditions()
      where.add(
        'cursor',
        place?.[0],
        (parameter) => `(l.died_at, l.epoch, l.seq, l.subscription, l.replay) <
  (${parameter}::timestamptz, ${(place ?? [])
    .slice(1)
    .map((part) => where.value(part))
    .join(', ')})`,
      )
      where.add('state', query.state, (parameter) => `l.state = ${parameter}`)
      const rows = await select(addLetterFilters(where, query), limit + 1)
      return pageOf(rows, limit, letterOfRow, (row) =>
        writeCursor('dead', [row.died_at, row.epoch, row.seq, row.subscription, row.replay]),
      )
    },

    async deadLetter(id) {
      if (parseDeliveryId(id) === undefined) return null
      const [row] = await select(addLetterFilters(new Conditions(), { ids: [id] }), 1)
      return row === undefined ? null : letterOfRow(row)
    },

    deadLetterGroups: (filter) =>
      boundedByValue(database, (connection) =>
        groupsOf(connection, 'inspect.group', addLetterFilters(new Conditions(), filter)),
      ),
  }
}

interface DiscardedRow {
  readonly subscription: string
  readonly replay: string
  readonly shard: number
  readonly tenant: string
  readonly key: string | null
  readonly halts: boolean
}

// A letter that a redrive has selected but not sent goes too: the redrive finds it gone and lets its item go.
async function discardSome(connection: Connection, filter: DeadLetterFilter, actor: string, reason: string) {
  const where = addLetterFilters(new Conditions([actor, reason]), filter)
  const text = `WITH chosen AS (
  SELECT l.subscription, l.replay, l.shard, l.epoch, l.seq FROM eventspine.dead_letter l
  WHERE l.state = 'dead' AND ${where.text} ORDER BY l.died_at LIMIT ${discardLettersMax} FOR UPDATE)
UPDATE eventspine.dead_letter l SET state = 'discarded', resolved_at = clock_timestamp(), resolved_by = $1, reason = $2
FROM chosen c WHERE l.subscription = c.subscription AND l.replay = c.replay AND l.shard = c.shard AND l.epoch = c.epoch AND l.seq = c.seq
RETURNING l.subscription, l.replay, l.shard, l.tenant, l.key, l.halts`
  const rows = await connection.query<DiscardedRow>(`redrive.drop${where.shape}`, text, where.values)
  if (rows.length === 0) return 0
  const freed = rows.filter((row) => row.halts && row.key !== null)
  const columns = (['subscription', 'replay', 'shard', 'tenant', 'key'] as const).map((name) =>
    freed.map((row) => row[name]),
  )
  if (freed.length > 0) await connection.query('redrive.promote', promoteKeySql, columns)
  const target = filter.subscription ?? 'dead letters'
  const details = JSON.stringify({ filter, reason, count: rows.length })
  await connection.query('operate.audit', insertAudit, [actor, 'dead-letters.discard', target, details])
  return rows.length
}

/** In steps of `discardLettersMax`, each with its audit row in its own transaction. */
export function discardStatements(database: Database): Pick<RedrivePort, 'discard'> {
  return {
    async discard(filter, actor, reason) {
      let count = 0
      for (let step = 0; step < discardStepsMax; step++) {
        const discarded = await explained(() =>
          database.transaction('read', (connection) => discardSome(connection, filter, actor, reason)),
        )
        count += discarded
        if (discarded < discardLettersMax) break
      }
      return count
    },
  }
}
