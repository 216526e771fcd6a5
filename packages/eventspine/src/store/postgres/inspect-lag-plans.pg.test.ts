// What is asked of a long log reads a bounded part of it: each statement as the store puts it, with the events that it met.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowsMet, statementsWith } from '../../../test/statements.js'
import { newEvent, openTestStore, record, settlementTo, type TestStore } from './inspect.fixture.js'
import { lookEventsMax } from './inspect-lag.js'

const eventsCount = 20_000
const rareCount = 3
let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
  await store.append([newEvent({ id: 'first', type: 'flood.a' })])
  await store.tick(0, 1_000)
  await store.register([
    record('rare', { on: ['rare.a'], start: 'beginning' }),
    record('frequent', { on: ['flood.a'], start: 'beginning' }),
    record('patterned', { on: ['flood.*'], start: 'beginning' }),
    record('near', { on: ['rare.a', 'flood.a'] }),
  ])
  const columns = await store.sql<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = 'eventspine.event'::regclass AND attnum > 0
       AND NOT attisdropped AND attname NOT IN ('id', 'seq', 'xid')`,
  )
  const names = columns.map(({ name }) => `"${name}"`).join(', ')
  await store.sql(`INSERT INTO eventspine.event (id, seq, ${names})
    SELECT 'copy-' || n, nextval('eventspine.event_seq'), ${names} FROM eventspine.event, generate_series(1, ${eventsCount}) n`)
  await store.append(Array.from({ length: rareCount }, () => newEvent({ type: 'rare.a' })))
  await store.tick(0, 1_000)
  const leases = await store.acquire({
    ...{ worker: 'worker-1', leaseMs: { near: 60_000 }, consumersMax: 1, deadWorkers: [] },
  })
  const [last] = await store.sql<{ number: number }>('SELECT max(number)::int AS number FROM eventspine.tick')
  await store.settle('worker-1', [settlementTo(leases[0] as never, last?.number ?? 0)], 'normal')
  await store.sql('ANALYZE eventspine.event')
}, 60_000)
afterAll(() => store.drop())

/** Of each statement that `ask` makes of the log, by its name: in one transaction, as the store makes them. */
async function metBy(ask: () => Promise<unknown>): Promise<Record<string, number>> {
  const met: Record<string, number> = {}
  const statements = await statementsWith('/* inspect.', ask)
  const client = await store.database.connect('transaction')
  await client.query('BEGIN')
  for (const { name, text, values } of statements) {
    if (!/eventspine|operate_/.test(text)) await client.query(text)
    else {
      const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [...values])
      met[name] = rowsMet(rows, 'event')
    }
  }
  await client.query('COMMIT')
  client.release()
  return met
}

test('how far each subscription is behind', async () => {
  const met = await metBy(() => store.subscriptions())
  expect(Object.keys(met).sort()).toEqual(['inspect.lag', 'inspect.lag-density', 'inspect.subscriptions'])
  // Three are behind: so many are looked at for each, and of two types 200.
  expect(met['inspect.lag']).toBeLessThanOrEqual(3 * (lookEventsMax + 1))
  expect(met['inspect.lag-density']).toBeLessThanOrEqual(2 * 201)
  const views = new Map((await store.subscriptions()).map((view) => [view.name, view]))
  expect(views.get('rare')).toMatchObject({ lagEvents: rareCount, lagExact: false })
  expect(views.get('near')).toMatchObject({ lagEvents: 0, lagExact: true })
})

test('the newest of types that are rare', async () => {
  const met = await metBy(() => store.eventHeadsOf(['rare.a', 'flood.a'], 20))
  expect(met['inspect.heads-of']).toBeLessThanOrEqual(rareCount + 20 + 2)
})

test('events by their ids', async () => {
  const met = await metBy(() => store.eventHeadsWith(['copy-7', 'copy-19000']))
  expect(met['inspect.heads-with']).toBeLessThanOrEqual(2)
})
