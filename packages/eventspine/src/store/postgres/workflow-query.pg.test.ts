// Instances that wait for the decision of a person, in the database alone: found among many that sleep without a look at those,
// and found where they asked before the database knew of questions.
import { afterEach, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { rowsMet, type Statement, statementsWith } from '../../../test/statements.js'
import { silentLogger } from '../../observe/log.js'
import { decisionType } from '../../workflow/port.js'
import { tallyInspection } from './inspect-tally.js'
import { lifecycleStatements } from './lifecycle.js'
import { readMigrations, runMigrations } from './migrate.js'
import { workflowQueries } from './workflow-query.js'

const schemas: OwnSchema[] = []
afterEach(async () => {
  await Promise.all(schemas.splice(0).map((own) => own.drop()))
})

function fresh(): OwnSchema {
  const own = ownSchema()
  schemas.push(own)
  return own
}

const sleepers = 50_000
const asking = [100, 20_000, 49_990]

/** Sleepers that each wait for an event too, and a few instances that ask. */
async function asleep(): Promise<OwnSchema> {
  const own = fresh()
  await lifecycleStatements(own.database, silentLogger).migrate()
  await own.sql(`INSERT INTO eventspine.workflow (tenant, name, id, version, state, entries, wake_at)
    SELECT 'default', 'sleeps', 'w-' || n, 1, 'running', 2, clock_timestamp() + interval '1 day' FROM generate_series(1, ${sleepers}) n`)
  await own.sql(`INSERT INTO eventspine.workflow_entry (number, position, kind, place, name, data, at, token)
    SELECT number, p, CASE p WHEN 0 THEN 'started' ELSE 'asked' END, p::text, 'pay', '{"text":"Pay?"}', clock_timestamp(), 1
    FROM eventspine.workflow, generate_series(0, 1) p`)
  await own.sql(`INSERT INTO eventspine.workflow_awaited (number, place, tenant, type, key)
    SELECT number, '2', 'default', 'orders.paid', id FROM eventspine.workflow`)
  await own.sql(
    `INSERT INTO eventspine.workflow_awaited (number, place, tenant, type, key, asked)
    SELECT number, '1', 'default', '${decisionType}', 'pay', 1 FROM eventspine.workflow WHERE number = ANY ($1)`,
    [asking],
  )
  await own.sql('VACUUM ANALYZE eventspine.workflow_awaited')
  await own.sql('ANALYZE eventspine.workflow')
  return own
}

/** As it is planned for these values, and for any. */
async function metBy(own: OwnSchema, mode: string, { text, values }: Statement): Promise<number> {
  const session = await own.session()
  try {
    await session.sql(`SET plan_cache_mode = ${mode}`)
    await session.sql(`PREPARE planned AS ${text}`)
    const given = values.map((value) => (value === null ? 'NULL' : `'${String(value)}'`)).join(', ')
    const rows = await session.sql(
      `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE planned${given === '' ? '' : `(${given})`}`,
    )
    return rowsMet(rows)
  } finally {
    await session.end()
  }
}

/** Of each that asks: its row, its question, its entry, and what the count or the next page looks at. */
const rowsEach = 6

test('are found and counted among many that sleep, without a look at those', async () => {
  const own = await asleep()
  const { workflows } = workflowQueries(own.database)
  const { tally } = tallyInspection(own.database)
  const first = (await workflows({ state: 'awaiting-approval', limit: 2 })).cursor as string
  for (const [query, ids] of [
    [{}, asking.toReversed()],
    [{ tenant: 'default', workflow: 'sleeps' }, asking.toReversed()],
    [{ limit: 2, cursor: first }, asking.slice(0, 1)],
  ] as const) {
    const { items } = await workflows({ ...query, state: 'awaiting-approval' })
    expect(items.map(({ id }) => id)).toEqual(ids.map((n) => `w-${n}`))
    expect(items).toMatchObject(ids.map(() => ({ approval: { name: 'pay', text: 'Pay?', open: 1 } })))
    const [statement] = await statementsWith('workflow_awaited', () =>
      workflows({ ...query, state: 'awaiting-approval' }),
    )
    for (const mode of ['force_custom_plan', 'force_generic_plan'])
      expect(await metBy(own, mode, statement as Statement), mode).toBeLessThanOrEqual(ids.length * rowsEach)
  }
  expect((await tally()).awaitingApproval).toBe(asking.length)
  const [counted] = await statementsWith('workflow_awaited', tally)
  expect(await metBy(own, 'auto', counted as Statement)).toBeLessThanOrEqual(asking.length * rowsEach)
})

test('that show their question beside others read no more for it than their own rows', async () => {
  const own = await asleep()
  const { workflows } = workflowQueries(own.database)
  const [statement] = await statementsWith('workflow_awaited', () => workflows({ limit: 20 }))
  for (const mode of ['force_custom_plan', 'force_generic_plan'])
    expect(await metBy(own, mode, statement as Statement), mode).toBeLessThanOrEqual(20 * rowsEach)
})

// What stands in histories, by instance: which of them ask when the migration comes.
const asked = { kind: 'asked', place: '1', name: 'pay', data: { text: 'Pay?' } }
const decision = { kind: 'signal', place: '', name: 'pay', data: { name: 'pay', question: '1' } }
const histories: Readonly<Record<string, readonly (typeof asked | object)[]>> = {
  asks: [asked],
  'has time': [asked, { kind: 'timer-set', place: '1', name: 'pay', data: { dueAtMs: 2_000_000_000_000 } }],
  'other signal': [asked, { ...decision, data: { name: 'pay', payload: 1 } }],
  'too late': [asked, { ...decision, data: { name: 'pay', question: '1', dropped: true } }],
  decided: [asked, decision],
  'timed out': [asked, { kind: 'timer-fired', place: '1', name: 'pay', data: null }],
  withdrawn: [asked, { kind: 'withdrawn', place: '1', name: 'pay', data: null }],
  'asks again': [asked, decision, { ...asked, place: '3' }],
  compensating: [asked],
  ended: [asked],
}

test('are found where they asked before the database knew of questions', async () => {
  const own = fresh()
  const { begins, migrations } = await before('0020_open_approvals')
  await runMigrations(own.database, begins, async () => undefined)
  for (const [id, entries] of Object.entries(histories)) {
    const state = id === 'compensating' ? 'compensating' : id === 'ended' ? 'completed' : 'running'
    await own.sql(
      `INSERT INTO eventspine.workflow (tenant, name, id, version, state, entries, ended_at)
      VALUES ('acme', 'refund', $1, 1, $2, $3, CASE WHEN $2 = 'completed' THEN clock_timestamp() END)`,
      [id, state, entries.length],
    )
    await own.sql(
      `INSERT INTO eventspine.workflow_entry (number, position, kind, place, name, data, at, token)
      SELECT w.number, e.position - 1, e.entry->>'kind', e.entry->>'place', e.entry->>'name', e.entry->'data', clock_timestamp(), 1
      FROM eventspine.workflow w, json_array_elements($2::json) WITH ORDINALITY e(entry, position) WHERE w.id = $1`,
      [id, JSON.stringify(entries)],
    )
  }
  await runMigrations(own.database, migrations, async () => undefined)
  const { items } = await workflowQueries(own.database).workflows({ state: 'awaiting-approval' })
  expect(items.map(({ id, approval }) => [id, approval?.question, approval?.dueAtMs]).toReversed()).toEqual([
    ['asks', '1', null],
    ['has time', '1', 2_000_000_000_000],
    ['other signal', '1', null],
    ['too late', '1', null],
    ['asks again', '3', null],
  ])
})

async function before(name: string) {
  const migrations = await readMigrations()
  return {
    migrations,
    begins: migrations.slice(
      0,
      migrations.findIndex((each) => each.name === name),
    ),
  }
}
