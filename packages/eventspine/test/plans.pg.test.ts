// Plans that are made while every table is empty, and kept while they fill: none may read a table or an index whole.
import {
  defineApp,
  defineEvent,
  defineSubscription,
  PermanentError,
  retries,
  TransientError,
} from 'eventspine'
import { workflow } from 'eventspine/workflow'
import pg from 'pg'
import { expect, it, vi } from 'vitest'
import { z } from 'zod'
import { nameOf } from './statements.js'
import { directUrl, freshSchema, running, sql, until } from './support.js'

const schema = z.object({ n: z.number() })
const key = ({ n }: { n: number }) => `k${n}`
const told = defineEvent({ type: 'tests.told', schema, key })
const heard = defineEvent({ type: 'tests.heard', schema })
const ended = defineEvent({ type: 'tests.ended', schema, key })
const retry = retries.standard({ attemptsMax: 2, timeScale: 0.001 })

/** Each third succeeds, fails once, and dies. */
const fails = (n: number, attempt: number) => {
  if (n % 3 === 1 && attempt === 1) throw new TransientError('once')
  if (n % 3 === 2) throw new PermanentError('always')
}

const app = defineApp({
  name: 'tests',
  events: [told, heard, ended],
  subscriptions: [
    defineSubscription({
      ...{ name: 'plain', on: told, retry },
      async handle({ data }, context) {
        await context.publish(heard, data)
        fails(data.n, context.attempt)
      },
    }),
    defineSubscription({
      ...{ name: 'ordered', on: told, ordered: true, retry },
      handle: ({ data }, { attempt }) => fails(data.n, attempt),
    }),
  ],
  workflows: [
    workflow({
      name: 'flow',
      on: { event: told, id: ({ data }) => `flow ${data.n}` },
      waitsFor: [ended],
      async run(ctx, { n }: { n: number }) {
        await ctx.step('one', async () => n)
        await ctx.sleep(20)
        await ctx.waitFor(ended, { key: `k${n}` }, { timeoutMs: 60_000 })
        await ctx.publish(heard, { n: 0 })
      },
    }),
  ],
})

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Cond'?: string
  readonly 'TID Cond'?: string
  readonly Filter?: string
  readonly Plans?: readonly Plan[]
}

/** Those that forbid plans that read whole tables. */
const lanes = new Set(['append', 'settle', 'alarm', 'tick', 'deliver', 'workflow'])

/** Few rows, whatever happens. */
const small = /^(consumer|epoch|subscription|worker|breaker|event_seq|redrive|replay|schedule)$/

/** As many as one consumer, or one tenant, has: may be all there are. */
const many = /^(delivery|dead_letter)$/
const ofConsumer = new Set(['subscription', 'replay', 'shard', 'tenant'])
/** Reads all keys of a consumer, once, when it begins. */
const whole = new Set(['deliver.open-keys', 'deliver.halted-keys'])

/** Hands its rows on as they come. */
const passing = new Set(['Limit', 'LockRows', 'Append', 'Merge Append', 'Subquery Scan', 'Result'])

/** What of a plan reads as much as there is. Under a limit (`limited`) a scan that takes every row ends early. */
function wholeReads(plan: Plan, limited = false): string[] {
  const { 'Node Type': node, 'Relation Name': relation, Plans: plans = [] } = plan
  const below = plans.flatMap((each) => wholeReads(each, passing.has(node) && (limited || node === 'Limit')))
  // A bitmap's condition stands with the index below it.
  if (relation === undefined || !/^(Seq|Index|Index Only|Tid) Scan$/.test(node) || small.test(relation))
    return below
  const condition = plan['Index Cond'] ?? ''
  const columns = [...condition.matchAll(/\(([a-z_]+) [<>]?=/g)].map(([, column]) => column as string)
  const isNarrow = limited || !many.test(relation) || columns.some((column) => !ofConsumer.has(column))
  const probes = plan['TID Cond'] !== undefined || (isNarrow && !/^(\(epoch = [^()]+\))?$/.test(condition))
  const ends = probes || (limited && plan.Filter === undefined)
  return ends ? below : [`${node} on ${relation} ${plan.Filter ?? ''}`, ...below]
}

/** For any parameters. */
async function planOf(client: pg.Client, text: string): Promise<Plan> {
  await client.query(`PREPARE planned AS ${text}`)
  const parameters = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))
  const values = parameters === 0 ? '' : `(${Array(parameters).fill('NULL').join(', ')})`
  const answer = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE planned${values}`)
  await client.query('DEALLOCATE planned')
  return answer.rows[0]['QUERY PLAN'][0].Plan
}

it('probes an index for each row, also where the tables were empty when a statement was planned', async () => {
  const place = freshSchema()
  const statements = new Map<string, { readonly lane: string; readonly text: string }>()
  const { query } = pg.Client.prototype
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    const { text } = (given[0] ?? {}) as { text?: string }
    const name = nameOf(text)
    const lane = (this as unknown as { connectionParameters: { application_name: string } })
      .connectionParameters.application_name
    if (name !== undefined && text !== undefined)
      statements.set(name, { lane: lane.split(' ').at(-1) ?? '', text })
    return Reflect.apply(query, this, given)
  })
  const spine = await running(app, place)
  for (let n = 0; n < 30; n++) await spine.publish(told, { n: n % 12 })
  const operator = spine.operator()
  await until(async () => (await operator.deadLetters()).items.length > 0)
  for (let n = 0; n < 12; n++) await spine.publish(ended, { n })
  await operator.redrive({ filter: { subscription: 'plain' }, actor: 'tests' })
  await until(async () => {
    const [row] = await sql<{ ended: number }>(
      `SELECT count(*)::int AS ended FROM ${place}.workflow WHERE ended_at IS NOT NULL`,
    )
    return row?.ended === 12
  })
  await spine.stop()
  vi.restoreAllMocks()

  const client = new pg.Client({ connectionString: directUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')`,
      [place],
    )
    const growing = rows.map(({ name }) => name).filter((name) => !small.test(name) && name !== 'tick')
    await client.query(`TRUNCATE ${growing.map((name) => `${place}.${name}`).join(', ')}`)
    for (const { name } of rows) await client.query(`VACUUM ANALYZE ${place}.${name}`)
    // As their connections are prepared.
    await client.query('SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan')
    const found: string[] = []
    for (const [name, { lane, text }] of statements) {
      if (!lanes.has(lane) || whole.has(name)) continue
      for (const read of wholeReads(await planOf(client, text))) found.push(`${name}: ${read}`)
    }
    expect(found).toEqual([])
    expect([...statements.keys()]).toEqual(
      expect.arrayContaining(['deliver.claim', 'workflow.load', 'workflow.record', 'workflow.awaiting']),
    )
  } finally {
    await client.end()
  }
})
