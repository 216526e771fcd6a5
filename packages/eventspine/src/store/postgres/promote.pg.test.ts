// What promoting costs: rows looked at, under the plan that a prepared statement ends up with. The table has no
// statistics, as in life, where it is empty most of the time.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import { promoteKeySql } from './dead-letters.js'
import { lifecycleStatements } from './lifecycle.js'

const keys = 400
const rowsOfKey = 5

let own: OwnSchema

beforeAll(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
  await own.sql(`INSERT INTO eventspine.delivery
    (subscription, replay, shard, epoch, xid, seq, tick, key, tenant, state, attempt, token, due_at)
    SELECT 'ship', '', 0, 1, '1', n, 1, 'key-' || n % ${keys}, 'default', 'waiting', 0, 0, now()
    FROM generate_series(1, ${keys * rowsOfKey}) AS n`)
})
afterAll(() => own.drop())

interface Plan {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** Rows that scans of a table and joins met, those included that a filter threw away. */
const rowsMet = (plan: Plan): number =>
  (plan['Relation Name'] === undefined ? 0 : plan['Actual Rows']) * plan['Actual Loops'] +
  ((plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Join Filter'] ?? 0)) *
    plan['Actual Loops'] +
  (plan.Plans ?? []).reduce((sum, each) => sum + rowsMet(each), 0)

test('makes the heads of many keys due without trying every row against every key', async () => {
  const session = await own.session()
  try {
    await session.sql('SET plan_cache_mode = force_generic_plan')
    await session.sql(`PREPARE promote (text[], text[], int[], text[], text[]) AS ${promoteKeySql}`)
    const names = Array.from({ length: keys }, (_, n) => `key-${n}`)
    const all = (value: string) => `ARRAY[${names.map(() => value).join(',')}]`
    const columns = [
      all(`'ship'`),
      all(`''`),
      all('0'),
      all(`'default'`),
      `ARRAY[${names.map((name) => `'${name}'`).join(',')}]`,
    ]
    const [row] = await session.sql<{ 'QUERY PLAN': string | readonly { readonly Plan: Plan }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE promote (${columns.join(', ')})`,
    )
    const answer = row?.['QUERY PLAN'] ?? '[]'
    const [explained] = typeof answer === 'string' ? JSON.parse(answer) : answer
    const due = await session.sql<{ count: number }>(
      `SELECT count(*)::int AS count FROM eventspine.delivery WHERE state = 'retry'`,
    )
    expect(due).toEqual([{ count: keys }])
    expect(rowsMet(explained.Plan)).toBeLessThan(keys * rowsOfKey * 8)
  } finally {
    await session.end()
  }
})
