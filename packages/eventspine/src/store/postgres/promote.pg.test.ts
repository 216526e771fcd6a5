// What promoting costs: rows looked at, under the plan that a prepared statement ends up with. The table has no
// statistics, as in life, where it is empty most of the time.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import { lifecycleStatements } from './lifecycle.js'
import { promoteKeySql, promoteSql } from './promote-sql.js'

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

const literals = (values: readonly string[]) => `ARRAY[${values.map((value) => `'${value}'`).join(',')}]`

/** Runs it under the plan that knows no parameters, and answers the rows that it met. */
async function metBy(statement: string, types: string, values: readonly string[]): Promise<number> {
  const session = await own.session()
  try {
    await session.sql('SET plan_cache_mode = force_generic_plan')
    await session.sql(`PREPARE promote (${types}) AS ${statement}`)
    const [row] = await session.sql<{ 'QUERY PLAN': string | readonly { readonly Plan: Plan }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE promote (${values.join(', ')})`,
    )
    const answer = row?.['QUERY PLAN'] ?? '[]'
    const [explained] = typeof answer === 'string' ? JSON.parse(answer) : answer
    return rowsMet(explained.Plan)
  } finally {
    await session.end()
  }
}

const dueOf = async (like: string) => {
  const [row] = await own.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM eventspine.delivery WHERE state = 'retry' AND key LIKE '${like}'`,
  )
  return row?.count
}

test('makes the heads of many keys due without trying every row against every key', async () => {
  const names = Array.from({ length: keys }, (_, n) => `key-${n}`)
  const columns = ['ship', '', '0', 'default'].map((value) => literals(names.map(() => value)))
  const met = await metBy(promoteKeySql, 'text[], text[], int[], text[], text[]', [
    ...[columns[0], columns[1], `${columns[2]}::int[]`, columns[3]].map(String),
    literals(names),
  ])
  expect(await dueOf('key-%')).toBe(keys)
  expect(met).toBeLessThan(keys * rowsOfKey * 8)
})

test('of few keys meets few rows, whatever else waits, runs and halts', async () => {
  const token = await held()
  const met = await metBy(promoteSql, 'text, text, int, text[], text[], bigint', [
    ...[`'ship'`, `''`, '0', literals(few.map(() => 'default')), literals(few), String(token)],
  ])
  // One is halted by its letter, one has a delivery under way behind its head; the others are free.
  expect(await dueOf('few-%')).toBe(few.length - 2 + 1)
  expect(met).toBeLessThan(few.length * 12)
})

const few = Array.from({ length: 10 }, (_, n) => `few-${n}`)

/** 20,000 that wait and 3,000 that run, of other keys; 3,000 letters, of the tenant, that halt others; and the few. */
async function held(): Promise<number> {
  const columns =
    '(subscription, replay, shard, epoch, xid, seq, tick, key, tenant, state, attempt, token, due_at)'
  const rowsOf = (from: number, count: number, key: string, state: string) =>
    own.sql(`INSERT INTO eventspine.delivery ${columns}
      SELECT 'ship', '', 0, 1, '1', n, n, ${key}, 'default', '${state}', 0, 0, now()
      FROM generate_series(${from}, ${from + count - 1}) AS n`)
  await rowsOf(100_000, 20_000, `'much-' || n % 500`, 'waiting')
  await rowsOf(200_000, 3_000, `'runs-' || n`, 'retry')
  await rowsOf(300_000, 50, `'few-' || n % 10`, 'waiting')
  await rowsOf(400_000, 1, `'few-3'`, 'retry')
  const letters = (from: number, count: number, key: string) =>
    own.sql(`INSERT INTO eventspine.dead_letter (subscription, replay, shard, epoch, xid, seq, tick, key, tenant, attempts, category,
        fingerprint, failure, halts, event_id, event_type, event)
      SELECT 'ship', '', 0, 1, '1', n, n, ${key}, 'default', 1, 'unknown', '', '{}', true, 'e' || n, 'tests.told', '{}'
      FROM generate_series(${from}, ${from + count - 1}) AS n`)
  await letters(500_000, 3_000, `'halted-' || n`)
  await letters(600_000, 1, `'few-7'`)
  await own.sql(
    `INSERT INTO eventspine.consumer (subscription, replay, shard, tick, seq, token) VALUES ('ship', '', 0, 0, 0, 7)`,
  )
  return 7
}
