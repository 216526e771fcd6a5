// What the look at run history reads does not grow with it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowsMet } from '../../../test/statements.js'
import { handlingRunsMax } from '../../inspect/port.js'
import { openTestStore, record, type TestStore } from './inspect.fixture.js'
import { selectHandling } from './inspect-handling.js'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())

/** Of run history. */
const runsMet = async () =>
  rowsMet(await store.sql(`EXPLAIN (ANALYZE, FORMAT JSON) ${selectHandling}`), 'run_')

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
  const few = await runsMet()
  expect(few).toBeLessThan(2 * handlingRunsMax)
  await history('slow', 60_000, 60)
  await store.sql('ANALYZE eventspine.run')
  expect(await runsMet()).toBeLessThan(2 * handlingRunsMax)
})
