// Handlers of many: a call for all that waits, in the order of the log. One that fails takes no attempt from the others.
import {
  type BatchContext,
  type BatchDelivery,
  defineApp,
  defineEvent,
  defineSubscription,
  type Event,
  Eventspine,
  retries,
  type SubscriptionPolicies,
  TransientError,
} from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, databaseUrl, freshSchema, quiet, running, sql, until } from '../support.js'

const told = defineEvent({
  type: 'tests.told',
  schema: z.object({ n: z.number() }),
  key: ({ n }) => `k${n % 3}`,
})
const noted = defineEvent({ type: 'tests.noted', schema: z.object({ n: z.number() }) })
const events = 150
const bad = [7, 31]
const all = Array.from({ length: events }, (_, n) => n)
const good = all.filter((n) => !bad.includes(n))
const more = all.map((n) => events + n)

type Told = Event<string, { n: number }>
type Handler = (deliveries: readonly BatchDelivery<Told>[], context: BatchContext, table: string) => unknown

const numbersOf = (deliveries: readonly BatchDelivery<Told>[]) => deliveries.map(({ event }) => event.data.n)

async function stage(handler: Handler, policies: SubscriptionPolicies = {}) {
  const schema = freshSchema()
  const table = `${schema}_effect`
  await sql(`CREATE TABLE ${table} (place serial, n int NOT NULL CHECK (n NOT IN (${bad.join(', ')})))`)
  afterTest(() => sql(`DROP TABLE ${table}`))
  const calls: number[][] = []
  const ledger = defineSubscription({
    ...{ name: 'ledger', on: told, retry: retries.standard({ attemptsMax: 1 }), ...policies },
    async transactMany(deliveries, context) {
      calls.push(numbersOf(deliveries))
      await handler(deliveries, context, table)
    },
  })
  const app = defineApp({ name: 'tests', events: [told, noted], subscriptions: [ledger] })
  const spine = await running(app, schema)
  const publish = (numbers = all) => spine.publishMany(numbers.map((n) => ({ event: told, data: { n } })))
  const kept = async () =>
    (await sql<{ n: number }>(`SELECT n FROM ${table} ORDER BY place`)).map(({ n }) => n)
  const letters = async () => (await spine.operator().deadLetters()).items
  return { spine, schema, table, calls, publish, kept, letters }
}

const insert: Handler = (deliveries, { tx }, table) =>
  tx.query(
    `INSERT INTO ${table} (n) SELECT n FROM unnest($1::int[]) WITH ORDINALITY AS all_of (n, place) ORDER BY place`,
    [numbersOf(deliveries)],
  )

it('takes all that waits in one call, and sets apart what fails alone', async () => {
  const { spine, calls, publish, kept, letters } = await stage(insert)
  await publish()
  // On a busy machine the first come in pieces; by the time that one has failed more wait than one call takes.
  await publish(more)
  await quiet(spine)
  expect(Math.max(...calls.map(({ length }) => length))).toBe(100)
  expect((await kept()).sort((one, other) => one - other)).toEqual([...good, ...more])
  const dead = await letters()
  expect(dead.map(({ event }) => (event.data as { n: number }).n).sort((a, b) => a - b)).toEqual(bad)
  for (const { attempts, failure } of dead) {
    expect(attempts).toBe(1)
    expect(failure.message).toContain('violates check constraint')
  }
  // Once one that fails is found, the others are one call again.
  const found = calls.findLastIndex((each) => each.length === 1 && each[0] === 7)
  const before = calls.slice(0, found).findLast((each) => each.length > 1)
  expect(before).toContain(7)
  expect(calls[found + 1]).toEqual(before?.filter((n) => n !== 7))
})

it('records what is published with the event that caused it, once, and of what failed nothing', async () => {
  const { spine, publish } = await stage(async (deliveries, context, table) => {
    for (const { event, context } of deliveries) void context.publish(noted, { n: event.data.n })
    await insert(deliveries, context, table)
  })
  await publish()
  await quiet(spine)
  const { items } = await spine.operator().events({ type: noted.type, limit: 500 })
  const notes = items.map(({ data }) => (data as { n: number }).n)
  expect(notes.sort((one, other) => one - other)).toEqual(good)
  const causes = (await spine.operator().events({ type: told.type, limit: 500 })).items
  const numberOf = new Map(causes.map(({ id, data }) => [id, (data as { n: number }).n]))
  for (const { causationId, data } of items)
    expect(numberOf.get(causationId ?? '')).toBe((data as { n: number }).n)
})

it('holds what one of them published wrongly, and did not wait for, against that one alone', async () => {
  const { spine, publish, kept, letters } = await stage(async (deliveries, context, table) => {
    for (const { event, context } of deliveries)
      void context.publish(noted, { n: event.data.n === 50 ? ('fifty' as never) : event.data.n })
    await insert(
      deliveries.filter(({ event }) => !bad.includes(event.data.n)),
      context,
      table,
    )
  })
  await publish()
  await quiet(spine)
  expect((await kept()).sort((one, other) => one - other)).toEqual(good.filter((n) => n !== 50))
  expect((await letters()).map(({ event }) => (event.data as { n: number }).n)).toEqual([50])
})

it('keeps the order of each key, in a call and behind one that failed', async () => {
  let fails = true
  const { spine, publish, kept } = await stage(
    async (deliveries, context, table) => {
      const wanted = deliveries.filter(({ event }) => !bad.includes(event.data.n))
      await insert(wanted, context, table)
      if (fails && numbersOf(wanted).includes(10)) throw new TransientError('not yet')
    },
    { ordered: true, retry: retries.alarm({ attemptsMax: 20 }) },
  )
  await publish()
  await until(async () => (await kept()).length > 80)
  // The key of 10, 13, 16 … waits behind 10; those before it, and the other keys, do not.
  await until(async () => (await kept()).length === good.filter((n) => n % 3 !== 1 || n < 10).length)
  fails = false
  await quiet(spine)
  const places = await kept()
  expect([...places].sort((one, other) => one - other)).toEqual(good)
  for (const key of [0, 1, 2])
    expect(places.filter((n) => n % 3 === key)).toEqual(good.filter((n) => n % 3 === key))
})

it('goes on with the others where one cannot be read', async () => {
  const { spine, schema, calls, kept, letters } = await stage((deliveries, context, table) =>
    insert(
      deliveries.filter(({ event }) => !bad.includes(event.data.n)),
      context,
      table,
    ),
  )
  // One who shares the log, and has another idea of it.
  const loose = defineEvent({ type: told.type, schema: z.object({ n: z.any() }) })
  const other = new Eventspine(defineApp({ name: 'other', events: [loose] }), {
    ...{ databaseUrl, schema, work: false, contracts: false },
  })
  afterTest(() => other.stop())
  await other.start()
  await other.publishMany(all.map((n) => ({ event: loose, data: { n: n === 20 ? 'twenty' : n } })))
  await quiet(spine)
  expect((await kept()).sort((one, two) => one - two)).toEqual(good.filter((n) => n !== 20))
  expect((await letters()).map(({ failure }) => failure.category)).toEqual(['validation'])
  expect(calls.flat()).not.toContain('twenty')
  expect(calls[0]?.length).toBe(99)
})

it.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
  [
    'until it is told to stop',
    (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
  ],
  ['and hears nothing', () => new Promise(() => {})],
])('tries each alone when the call hangs %s', async (_, hang) => {
  const { spine, calls, publish, kept, letters } = await stage(
    async (deliveries, context, table) => {
      if (numbersOf(deliveries).includes(5)) await hang(context.signal)
      await insert(
        deliveries.filter(({ event }) => !bad.includes(event.data.n)),
        context,
        table,
      )
    },
    { deadlineMs: 500 },
  )
  await publish()
  await quiet(spine)
  expect((await kept()).sort((one, other) => one - other)).toEqual(good.filter((n) => n !== 5))
  expect((await letters()).map(({ failure }) => failure.category)).toEqual(['timeout'])
  expect(calls.filter((each) => each.includes(5)).length).toBeGreaterThanOrEqual(2)
})

it('refuses statements of a call that has ended', async () => {
  let late: Promise<unknown> | undefined
  const { spine, publish } = await stage((_, { tx }) => {
    late ??= new Promise((resolve) => setTimeout(resolve, 300)).then(() => tx.query('SELECT 1'))
    late.catch(() => {})
  })
  await publish()
  await quiet(spine)
  await expect(late).rejects.toThrow(/After the handler ended/)
})

it('gathers what comes in within its window, and lets nothing wait that comes alone', async () => {
  const { spine, calls, kept } = await stage(insert, { batch: { windowMs: 2_000 } })
  await spine.publish(told, { n: 0 })
  await until(() => calls.length === 1)
  for (let n = 1; n <= 6; n++) await spine.publish(told, { n })
  await quiet(spine)
  expect(calls).toEqual([[0], [1, 2, 3, 4, 5, 6]])
  expect(await kept()).toEqual([0, 1, 2, 3, 4, 5, 6])
})
