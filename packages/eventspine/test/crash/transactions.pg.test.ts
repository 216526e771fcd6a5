// Transactional handlers, attacked: whatever they do, effects of a completed delivery are there once, those of any
// other attempt never (I14), and no member of a batch is lost with another (I31).
import { setTimeout as delay } from 'node:timers/promises'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  PermanentError,
  retries,
  type Subscription,
} from 'eventspine'
import pg from 'pg'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { SilentLink } from '../silent-link.js'
import { afterTest, databaseUrl, freshSchema, quiet, running, sql, until } from '../support.js'

const deadlineMs = 400
const fast = retries.standard({ timeScale: 0.005 })
const placed = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ n: z.number().int() }),
  key: ({ n }) => `k${Math.floor(n / 4)}`,
})
const shipped = defineEvent({ type: 'orders.order-shipped', schema: z.object({ n: z.number().int() }) })

type Transact = NonNullable<Parameters<typeof defineSubscription<typeof placed>>[0]['transact']>

const project = (
  transact: (schema: string) => Transact,
  schema: string,
  policies: Partial<Subscription['policies']> = {},
) => defineSubscription({ name: 'project', on: placed, retry: fast, transact: transact(schema), ...policies })

/** The engine paused at `project`, `count` events published: they come as one batch when it is resumed. */
async function waiting(subscription: Subscription, schema: string, count: number) {
  const spine = await running(
    defineApp({ name: 'orders', events: [shipped], subscriptions: [subscription] }),
    schema,
  )
  await sql(`CREATE TABLE ${schema}.effect (n int, attempt int)`)
  const operator = spine.operator()
  await operator.pause('project', 'ada')
  for (let n = 0; n < count; n++) await spine.publish(placed, { n })
  return { spine, operator, resume: () => operator.resume('project', 'ada') }
}

const effects = (schema: string) =>
  sql<{ n: number; attempt: number }>(`SELECT n, attempt FROM ${schema}.effect ORDER BY n`)
const insert = (schema: string) => `INSERT INTO ${schema}.effect (n, attempt) VALUES ($1, $2)`

it('records every member of a batch in which one fails and another swallows the error of a statement', async () => {
  const schema = freshSchema()
  const subscription = project(
    () => async (event, context) => {
      if (event.data.n === 0) throw new PermanentError('never')
      await context.tx.query('SELECT 1 / 0').catch(() => {})
    },
    schema,
  )
  const { spine, operator, resume } = await waiting(subscription, schema, 2)
  await resume()
  await quiet(spine)
  expect((await operator.doctor()).subscriptions[0]).toMatchObject({ matched: 2, dead: 2, balanced: true })
})

it('refuses statements of a handler whose transaction is over: a late effect would be in no transaction', async () => {
  const schema = freshSchema()
  const late: string[] = []
  const subscription = project(
    (schema) => async (event, context) => {
      const write = () => context.tx.query(insert(schema), [event.data.n, context.attempt])
      if (context.attempt > 1) return void (await write())
      await delay(300)
      await write().catch((error) => late.push(error.message))
    },
    schema,
    { deadlineMs: 100 },
  )
  const { spine, resume } = await waiting(subscription, schema, 1)
  await resume()
  await quiet(spine)
  await until(() => late.length === 1)
  expect(late[0]).toContain('After the handler ended')
  expect(await effects(schema)).toEqual([{ n: 0, attempt: 2 }])
})

it('does not let a handler end the transaction that is not its own', async () => {
  const schema = freshSchema()
  const subscription = project(
    (schema) => async (event, context) => {
      await context.tx.query(insert(schema), [event.data.n, context.attempt])
      await context.tx.query('commit')
      throw new PermanentError('after the commit')
    },
    schema,
  )
  const { spine, operator, resume } = await waiting(subscription, schema, 1)
  await resume()
  await quiet(spine)
  expect(await effects(schema)).toEqual([])
  expect((await operator.deadLetters()).items[0]?.failure.message).toContain('COMMIT')
})

it('counts an attempt whose commit fails at a deferred constraint, and lets its neighbours through', async () => {
  const schema = freshSchema()
  const deferred = project(
    (schema) => async (event, context) => {
      await context.tx.query(`INSERT INTO ${schema}.item (n, parent) VALUES ($1, $2)`, [
        event.data.n,
        event.data.n === 1 ? 99 : null,
      ])
    },
    schema,
  )
  const { spine, operator, resume } = await waiting(deferred, schema, 5)
  await sql(
    `CREATE TABLE ${schema}.item (n int PRIMARY KEY, parent int REFERENCES ${schema}.item (n) DEFERRABLE INITIALLY DEFERRED)`,
  )
  await resume()
  await quiet(spine)
  expect(await sql(`SELECT n FROM ${schema}.item ORDER BY n`)).toEqual([0, 2, 3, 4].map((n) => ({ n })))
  const [letter] = (await operator.deadLetters()).items
  expect(letter?.failure.message).toContain('foreign key')
  expect(letter?.failure.code).toBe('23503')
})

it('commits nothing of an ordered batch that the settlement does not record (I17)', async () => {
  const schema = freshSchema()
  let failAt: number | undefined = 4
  const subscription = project(
    (schema) => async (event, context) => {
      await context.tx.query(insert(schema), [event.data.n, context.attempt])
      if (event.data.n === failAt) {
        failAt = undefined
        throw new Error('once')
      }
    },
    schema,
    { ordered: true },
  )
  const { spine, operator, resume } = await waiting(subscription, schema, 30)
  // The consumer's counters are written by the same transaction as the effects: they can never disagree.
  await sql(`CREATE VIEW ${schema}.ledger AS SELECT (SELECT count(*) FROM ${schema}.effect)::int AS effects,
    (SELECT sum(completed) FROM ${schema}.consumer)::int AS completed`)
  await resume()
  await until(async () => {
    const [row] = await sql<{ effects: number; completed: number }>(`SELECT * FROM ${schema}.ledger`)
    expect(row?.effects).toBe(row?.completed)
    return row?.completed === 30
  })
  await quiet(spine)
  expect((await effects(schema)).map(({ n }) => n)).toEqual(Array.from({ length: 30 }, (_, n) => n))
  expect((await operator.doctor()).subscriptions[0]).toMatchObject({
    matched: 30,
    completed: 30,
    balanced: true,
  })
})

it('does not hold its own record to the deadline of the handler', async () => {
  const schema = freshSchema()
  const blocker = new pg.Client({ connectionString: databaseUrl })
  await blocker.connect()
  afterTest(() => blocker.end())
  let runs = 0
  const subscription = project(
    (schema) => async (event, context) => {
      runs++
      await blocker.query(`BEGIN; SELECT FROM ${schema}.consumer FOR UPDATE`)
      void delay(deadlineMs * 3).then(() => blocker.query('COMMIT'))
      await context.tx.query(insert(schema), [event.data.n, context.attempt])
    },
    schema,
    { deadlineMs },
  )
  const { spine, resume } = await waiting(subscription, schema, 1)
  await resume()
  await quiet(spine)
  expect(await effects(schema)).toEqual([{ n: 0, attempt: 1 }])
  expect(runs).toBe(1)
})

it('does not take the only attempt of a delivery because its connection fell silent', async () => {
  const schema = freshSchema()
  const link = new SilentLink()
  afterTest(() => link.stop())
  const silenced = defineSubscription({
    ...{
      name: 'project',
      on: placed,
      deadlineMs: 300,
      retry: retries.standard({ attemptsMax: 1, timeScale: 0.005 }),
    },
    transact: async (event, context) => {
      if (context.attempt === 1) link.fallSilentAt(insert(schema))
      await context.tx.query(insert(schema), [event.data.n, context.attempt])
    },
  })
  const app = defineApp({ name: 'orders', subscriptions: [silenced] })
  const spine = await running(app, schema, { databaseUrl: await link.start(databaseUrl) })
  await sql(`CREATE TABLE ${schema}.effect (n int, attempt int)`)
  await spine.publish(placed, { n: 0 })
  await quiet(spine)
  expect(await effects(schema)).toEqual([{ n: 0, attempt: 2 }])
})
