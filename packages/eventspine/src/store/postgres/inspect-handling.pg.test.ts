// What the look at run history reads does not grow with it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { handlingRunsMax } from '../../inspect/port.js'
import { openTestStore, record, type TestStore } from './inspect.fixture.js'
import { selectHandling } from './inspect-handling.js'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())

interface Plan {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Relation Name'?: string
  readonly Plans?: readonly Plan[]
}

/** Rows that scans of run history met. */
function met(plan: Plan): number {
  const own = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
  const below = (plan.Plans ?? []).reduce((sum, each) => sum + met(each), 0)
  return (plan['Relation Name']?.startsWith('run_') === true ? own : 0) + below
}

async function rowsMet(): Promise<number> {
  const rows = await store.sql<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${selectHandling}`)
  const [{ Plan: plan }] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '') as [{ readonly Plan: Plan }]
  return met(plan)
}

/** Settlements of one attempt each: `count` of `subscription`, one every so many seconds, the newest now. */
const history = (subscription: string, count: number, everySeconds: number) =>
  store.sql(`INSERT INTO eventspine.run (recorded_at, subscription, replay, shard, worker, epoch, seq_min, seq_max, started_at, seqs,
      started_after_ms, duration_us)
    SELECT clock_timestamp() - n * ${everySeconds} * interval '1 second', '${subscription}', '', 0, 'w', 1, n, n, clock_timestamp(),
      ARRAY[n::bigint], ARRAY[0], ARRAY[n] FROM generate_series(1, ${count}) n`)

test('of a long history it reads what is of the last minutes, and of a busy one so many attempts', async () => {
  await store.register([record('slow'), record('busy')])
  await history('slow', 60_000, 1)
  await history('busy', 60_000, 0.001)
  await store.sql('ANALYZE eventspine.run')
  const [busy, slow] = await store.handling()
  expect([busy?.subscription, busy?.runs]).toEqual(['busy', handlingRunsMax])
  expect([slow?.subscription, slow?.runs]).toEqual([
    'slow',
    expect.toSatisfy((runs) => runs > 250 && runs < 300),
  ])
  expect(busy?.p50Ms).toBe(handlingRunsMax / 2 / 1_000)
  const few = await rowsMet()
  expect(few).toBeLessThan(2 * handlingRunsMax)
  await history('slow', 60_000, 60)
  await store.sql('ANALYZE eventspine.run')
  expect(await rowsMet()).toBeLessThan(2 * handlingRunsMax)
})
