// What people ask about many dead letters does not read them all: each question as the store puts it, with what it met.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { statementsWith } from '../../../test/statements.js'
import { until } from '../../../test/support.js'
import { deadLettersOf, newEvent, openTestStore, record, type TestStore } from './inspect.fixture.js'

const lettersCount = 20_000
let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
  await store.register([record('many'), record('few')])
  await deadLettersOf(store, 'many', [newEvent({ id: 'first', tenant: 'large' })])
  await store.sql(`INSERT INTO eventspine.dead_letter (subscription, replay, shard, epoch, xid, seq, tick, key, tenant, attempts,
      category, fingerprint, failure, event_id, event_type, event, died_at)
    SELECT subscription, replay, shard, epoch, xid, seq + 1000 + n, tick, key, tenant, attempts, category, 'fault ' || n % 20, json_build_object('message', 'no', 'stack', repeat('at line ', 150)),
      event_id, event_type, event, clock_timestamp() - n * interval '3 seconds'
    FROM eventspine.dead_letter, generate_series(1, ${lettersCount}) n`)
  await deadLettersOf(store, 'few', [newEvent({ id: 'small', tenant: 'small' })])
  await until(vacuumed)
})
afterAll(() => store.drop())

/** Whatever else holds a snapshot meanwhile, autovacuum too, keeps the newest pages from being marked. */
async function vacuumed(): Promise<boolean> {
  await store.sql('VACUUM ANALYZE eventspine.dead_letter')
  const [pages] = await store.sql<{ unmarked: number }>(
    "SELECT relpages - relallvisible AS unmarked FROM pg_class WHERE oid = 'eventspine.dead_letter'::regclass",
  )
  return pages?.unmarked === 0
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Heap Fetches'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly Plan[]
}

/** Letters that were looked at themselves. An index that has all that is asked spares that. */
function lettersMet(plan: Plan): number {
  const removed = (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
  const met = plan['Heap Fetches'] ?? (plan['Actual Rows'] + removed) * plan['Actual Loops']
  const below = (plan.Plans ?? []).reduce((sum, each) => sum + lettersMet(each), 0)
  return (plan['Relation Name'] === 'dead_letter' ? met : 0) + below
}

/** Of each statement that `ask` makes of the letters, by its name. */
async function metBy(ask: () => Promise<unknown>): Promise<Record<string, number>> {
  const met: Record<string, number> = {}
  for (const { name, text, values } of await statementsWith('dead_letter', ask)) {
    const rows = await store.sql<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [
      ...values,
    ])
    const [{ Plan: plan }] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '') as [{ readonly Plan: Plan }]
    met[name.replace(/-(?!count)\w+$/, '')] = lettersMet(plan)
  }
  return met
}

test.each([
  ['their groups', () => store.deadLetterGroups({}), { 'inspect.group': 22 }],
  ['groups of a tenant', () => store.deadLetterGroups({ tenant: 'large' }), { 'inspect.group': 21 }],
  ['how many there are', () => store.tally(), { 'inspect.dead-count': 0 }],
  ['how each subscription stands', () => store.subscriptions(), { 'inspect.subscriptions': 0 }],
  ['how one of few letters stands', () => store.subscriptions('few'), { 'inspect.subscription': 0 }],
  [
    'what a redrive would send',
    () => store.previewRedrive({ subscription: 'many' }, 3),
    { 'redrive.count': 0, 'redrive.group': 21 },
  ],
  ['the newest', () => store.deadLetters({ limit: 50 }), { 'inspect.dead': 60 }],
  [
    'the newest of a fault',
    () => store.deadLetters({ subscription: 'many', fingerprint: 'fault 3', limit: 50 }),
    { 'inspect.dead': 1_050 },
  ],
  ['those of a small tenant', () => store.deadLetters({ tenant: 'small' }), { 'inspect.dead': 1 }],
  ['those of a quiet subscription', () => store.deadLetters({ subscription: 'few' }), { 'inspect.dead': 1 }],
  ['one', () => store.deadLetter('few/1.2'), { 'inspect.dead': 1 }],
] as const)('%s', async (_asked, ask, met) => {
  const found = await metBy(ask)
  expect(Object.keys(found).sort()).toEqual(Object.keys(met).sort())
  for (const [name, most] of Object.entries(met))
    expect([name, found[name]]).toEqual([name, expect.toSatisfy((own: number) => own <= most)])
})
