// What it costs to find the events of one person in the log of all: its own entries of the index, also while the log has no
// statistics, and where the plan was made when it was empty.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import { lifecycleStatements } from './lifecycle.js'
import { personEventsOpening, personEventsSql } from './personal.js'

const others = 5_000
const own = 6

let schema: OwnSchema

beforeAll(async () => {
  schema = ownSchema()
  await lifecycleStatements(schema.database, silentLogger).migrate()
})
afterAll(() => schema.drop())

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Cond'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

const all = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(all)]
const ofTheLog = (plan: Plan) => all(plan).filter((each) => each['Relation Name']?.startsWith('event_'))
const rowsMet = (plan: Plan) =>
  ofTheLog(plan).reduce(
    (sum, each) =>
      sum +
      ((each['Actual Rows'] ?? 0) + (each['Rows Removed by Filter'] ?? 0)) * (each['Actual Loops'] ?? 0),
    0,
  )

/** As it is planned for any parameters. `run`: as it went. */
async function planOf(session: Awaited<ReturnType<OwnSchema['session']>>, run: boolean): Promise<Plan> {
  const explain = run ? 'EXPLAIN (ANALYZE, FORMAT JSON)' : 'EXPLAIN (FORMAT JSON)'
  const [row] = await session.sql<{ 'QUERY PLAN': string | readonly { readonly Plan: Plan }[] }>(
    `${explain} EXECUTE person ('{mine,mine-before}', 'default', 0, 500)`,
  )
  const answer = row?.['QUERY PLAN'] ?? '[]'
  const [explained] = (typeof answer === 'string' ? JSON.parse(answer) : answer) as readonly { Plan: Plan }[]
  return (explained as { Plan: Plan }).Plan
}

async function prepared() {
  const session = await schema.session()
  await session.sql('SET plan_cache_mode = force_generic_plan')
  await session.sql(`BEGIN${personEventsOpening}`)
  await session.sql(`PREPARE person (text[], text, bigint, bigint) AS ${personEventsSql}`)
  return session
}

test.each(['never vacuumed', 'vacuumed'])(
  'in an empty log that was %s it is an index of persons',
  async (how) => {
    if (how === 'vacuumed') await schema.sql('VACUUM ANALYZE eventspine.event')
    const session = await prepared()
    try {
      const scans = ofTheLog(await planOf(session, false))
      expect(scans.length).toBeGreaterThan(2)
      for (const each of scans) expect(each['Index Cond']).toContain('personalkey')
    } finally {
      await session.end()
    }
  },
)

test('by a plan of an empty log it meets no event of anybody else', async () => {
  const session = await prepared()
  try {
    // Makes the plan, which is kept.
    await planOf(session, false)
    await schema.sql(`INSERT INTO eventspine.event
        (time, version, id, type, tenant, source, key, traceparent, correlation_id, data, extensions)
      SELECT now(), 1, gen_random_uuid()::text, 'tests.told', 'default', '/tests', n::text, '00-0-0-00', 'none', '{}',
        json_build_object('personalkey', CASE WHEN n <= ${own} THEN 'mine' ELSE 'of-' || n END)
      FROM generate_series(1, ${others + own}) AS n`)
    const plan = await planOf(session, true)
    expect(all(plan)[0]?.['Actual Rows']).toBe(own)
    expect(rowsMet(plan)).toBe(own)
  } finally {
    await session.end()
  }
})
