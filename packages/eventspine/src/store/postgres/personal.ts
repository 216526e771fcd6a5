// Keys of persons, and the events that they seal.
import {
  type MasterStanding,
  masterKeysMax,
  type PersonalKey,
  type PersonalPort,
} from '../../personal/port.js'
import { insertAudit } from './audit.js'
import type { Database } from './database.js'
import { tickUnknown } from './inspect-events.js'
import { type EventRow, eventColumns, eventOfRow } from './rows.js'

const columns = `id, tenant, person, wrapped, wrapped_by, date_part('epoch', created_at) * 1000 AS created_ms,
  date_part('epoch', erased_at) * 1000 AS erased_ms`

const living = `SELECT ${columns} FROM eventspine.personal_key WHERE tenant = $1 AND person = $2 AND wrapped IS NOT NULL`
const make = `INSERT INTO eventspine.personal_key (id, tenant, person, wrapped, wrapped_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant, person) WHERE wrapped IS NOT NULL DO NOTHING RETURNING ${columns}`
// From one to the next by the index: there are few, of perhaps a million keys.
const masters = `WITH RECURSIVE masters AS (
  (SELECT wrapped_by FROM eventspine.personal_key WHERE wrapped IS NOT NULL ORDER BY wrapped_by LIMIT 1)
  UNION ALL
  SELECT (SELECT k.wrapped_by FROM eventspine.personal_key k WHERE k.wrapped IS NOT NULL AND k.wrapped_by > m.wrapped_by ORDER BY k.wrapped_by LIMIT 1)
  FROM masters m WHERE m.wrapped_by IS NOT NULL)`
const foreignMaster = `${masters}
SELECT wrapped_by FROM masters WHERE wrapped_by <> ALL ($1::text[]) LIMIT 1`
const standings = `${masters}
SELECT m.wrapped_by AS "wrappedBy", counted.keys FROM masters m CROSS JOIN LATERAL (
  SELECT count(*)::int AS keys FROM (SELECT 1 FROM eventspine.personal_key k
    WHERE k.wrapped IS NOT NULL AND k.wrapped_by = m.wrapped_by LIMIT ${masterKeysMax}) own) counted
WHERE m.wrapped_by IS NOT NULL ORDER BY m.wrapped_by`
const byIds = `SELECT ${columns} FROM eventspine.personal_key WHERE id = ANY ($1::text[])`
const ofPerson = `SELECT ${columns} FROM eventspine.personal_key WHERE tenant = $1 AND person = $2 ORDER BY created_at, id`
const erase = `UPDATE eventspine.personal_key SET wrapped = NULL, erased_at = clock_timestamp()
WHERE tenant = $1 AND person = $2 AND wrapped IS NOT NULL RETURNING id`
// Of each key its own first rows, by the index of (personalkey, seq). A range of that pair and its order, and not an equality: with that
// the order is one of `seq` alone, and before there are statistics of the log, which has few such events or none, the planner would
// walk it whole by the index of `seq`.
export const personEventsSql = `SELECT ${eventColumns} FROM unnest($1::text[]) AS k(id) CROSS JOIN LATERAL (
  SELECT * FROM eventspine.event sealed
  WHERE (sealed.extensions ->> 'personalkey', sealed.seq) > (k.id, $3) AND sealed.extensions ->> 'personalkey' <= k.id
    AND sealed.tenant = $2
  ORDER BY sealed.extensions ->> 'personalkey', sealed.seq LIMIT $4) e
ORDER BY e.seq LIMIT $4`
/** Of its transaction: behind a VACUUM of an empty log, reading all of it looks cheaper than any index, and the plan is kept. */
export const personEventsOpening = ' READ ONLY; SET LOCAL enable_seqscan = off'
const otherwise = `SELECT ${columns} FROM eventspine.personal_key WHERE wrapped_by <> $1 AND wrapped IS NOT NULL ORDER BY id LIMIT $2`
const rewrap = `UPDATE eventspine.personal_key k SET wrapped = n.wrapped, wrapped_by = n.wrapped_by
FROM unnest($1::text[], $2::text[], $3::text[]) AS n(id, wrapped, wrapped_by) WHERE k.id = n.id AND k.wrapped IS NOT NULL`

interface Row {
  readonly id: string
  readonly tenant: string
  readonly person: string
  readonly wrapped: string | null
  readonly wrapped_by: string
  readonly created_ms: number
  readonly erased_ms: number | null
}

const keyOf = (row: Row): PersonalKey => ({
  ...{ id: row.id, tenant: row.tenant, person: row.person, wrapped: row.wrapped, wrappedBy: row.wrapped_by },
  createdAtMs: Math.round(row.created_ms),
  erasedAtMs: row.erased_ms === null ? null : Math.round(row.erased_ms),
})

/** Somebody else makes the same, and somebody destroys it, and so on. */
const triesMax = 10

export function personalStatements(database: Database): PersonalPort {
  return {
    async personKey({ id, tenant, person, wrapped, wrappedBy }, known) {
      for (let tries = 1; ; tries++) {
        const found = await database.query<Row>('append', 'personal.living', living, [tenant, person])
        if (found[0] !== undefined) return keyOf(found[0])
        if ((await database.query('append', 'personal.foreign', foreignMaster, [known])).length > 0)
          return null
        const values = [id, tenant, person, wrapped, wrappedBy]
        const [row] = await database.query<Row>('append', 'personal.make', make, values)
        if (row !== undefined) return keyOf(row)
        if (tries === triesMax) throw new Error(`The key of a person comes and goes: asked ${tries} times`)
      }
    },

    personalKeys: async (ids) =>
      (await database.query<Row>('deliver', 'personal.keys', byIds, [ids])).map(keyOf),

    personKeys: async (tenant, person) =>
      (await database.query<Row>('read', 'personal.person', ofPerson, [tenant, person])).map(keyOf),

    erasePerson: (tenant, person, { actor, action, target, details }) =>
      database.transaction('append', async ({ query }) => {
        const erased = await query('personal.erase', erase, [tenant, person])
        if (erased.length > 0)
          await query('personal.audit', insertAudit, [actor, action, target, JSON.stringify(details)])
        return erased.length
      }),

    async personEvents(tenant, keys, after, limit) {
      const values = [keys, tenant, after, limit]
      const rows = await database.transaction(
        'read',
        ({ query }) => query<EventRow>('personal.events', personEventsSql, values),
        personEventsOpening,
      )
      return rows.map((row) => eventOfRow(row, tickUnknown))
    },

    personalMasters: () => database.query<MasterStanding>('read', 'personal.masters', standings, []),

    keysWrappedOtherwise: async (wrappedBy, limit) =>
      (await database.query<Row>('read', 'personal.otherwise', otherwise, [wrappedBy, limit])).map(keyOf),

    async rewrapKeys(keys, { actor, action, target, details }) {
      const values = [
        keys.map(({ id }) => id),
        keys.map(({ wrapped }) => wrapped),
        keys.map(({ wrappedBy }) => wrappedBy),
      ]
      await database.transaction('read', async ({ query }) => {
        await query('personal.rewrap', rewrap, values)
        await query('personal.audit', insertAudit, [actor, action, target, JSON.stringify(details)])
      })
    },
  }
}
