// What is the same event, and what is said when one is refused: at the border with bounded lists, in a handler as an
// outcome that names field and fix, at delivery with what happened.
import { defineApp, defineEvent, defineSubscription, retries } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, sql } from './support.js'

const noted = defineEvent({ type: 'orders.note-added', schema: z.unknown() })
const lined = defineEvent({ type: 'orders.lined', schema: z.array(z.int()) })
const fail = (message: string): never => {
  throw new Error(message)
}

it('takes a repeat whose keys stand in another order as the same event, at every depth', async () => {
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'orders', events: [noted] }), schema)
  const options = { id: 'o-1' }
  await spine.publish(noted, { a: 1, b: { c: [{ d: 1, e: 2 }], 10: 'x', f: null } }, options)
  await spine.publish(noted, { b: { f: null, 10: 'x', c: [{ e: 2, d: 1 }] }, a: 1 }, options)
  await spine.publishMany([
    { event: noted, data: { p: 1, q: 2 }, options: { id: 'o-2' } },
    { event: noted, data: { q: 2, p: 1 }, options: { id: 'o-2' } },
  ])
  expect(await sql(`SELECT id FROM ${schema}.event`)).toHaveLength(2)
  const others = [
    { a: 1, b: { c: [{ d: 1, e: 2 }], 10: 'x' } },
    { a: '1', b: { c: [{ d: 1, e: 2 }], 10: 'x', f: null } },
    { a: 1, b: { c: { 0: { d: 1, e: 2 } }, 10: 'x', f: null } },
  ]
  for (const other of others)
    await expect(spine.publish(noted, other, options)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
})

it('lists a hundred issues and says how many more there are', async () => {
  const spine = await running(defineApp({ name: 'orders', events: [lined] }), freshSchema())
  const refused = async (count: number) =>
    spine
      .publish(lined, Array.from({ length: count }, () => 'x') as never)
      .catch((error: unknown) => error as { message: string; issues: unknown[] })
  const few = await refused(100)
  expect(few).toMatchObject({ message: expect.stringMatching(/ \(and 99 more\)\.$/) })
  const many = await refused(5_000)
  expect(many).toMatchObject({
    code: 'EVENT_INVALID',
    field: '/data/0',
    message: expect.stringMatching(/ \(and 4999 more, of which the first 100 are listed\)\.$/),
  })
  expect((many as { issues: unknown[] }).issues).toHaveLength(100)
  const wordy = {
    '~standard': { version: 1, vendor: 'tests', validate: () => ({ issues: [issue] }) },
  } as const
  const issue = { message: 'm'.repeat(100_000), path: ['k'.repeat(100_000)] }
  const told = await spine
    .publish(defineEvent({ type: 'orders.wordy', schema: wordy }), 1)
    .catch((error: unknown) => error as Error)
  expect(JSON.stringify(told).length + (told as Error).message.length).toBeLessThan(10_000)
})

it('is dead at once, with field and fix, when a handler publishes what is too large or another body', async () => {
  const attempts: string[] = []
  const enlarge = defineSubscription({
    name: 'enlarge',
    on: lined,
    retry: retries.standard({ attemptsMax: 5, timeScale: 0.001 }),
    handle: async (_, { publish }) => {
      attempts.push('enlarge')
      await publish(noted, 'x'.repeat(300 * 1024))
    },
  })
  const twice = defineSubscription({
    name: 'twice',
    on: lined,
    retry: retries.standard({ attemptsMax: 5, timeScale: 0.001 }),
    handle: async () => {
      attempts.push('twice')
      await spine.publish(noted, 1, { id: 'one' })
      await spine.publish(noted, 2, { id: 'one' })
    },
  })
  const app = defineApp({ name: 'orders', events: [noted], subscriptions: [enlarge, twice] })
  const spine = await running(app, freshSchema())
  await spine.publish(lined, [1])
  await quiet(spine)
  expect(attempts.sort()).toEqual(['enlarge', 'twice'])
  const { items } = await spine.operator().deadLetters()
  const failures = new Map(items.map(({ subscription, failure }) => [subscription, failure]))
  expect(failures.get('enlarge')).toMatchObject({
    category: 'validation',
    code: 'EVENT_TOO_LARGE',
    message: expect.stringMatching(
      /^Data of "orders\.note-added" at \/data is larger than 262144 bytes .*publish a reference.*raise hardLimitBytes\.$/,
    ),
  })
  expect(failures.get('twice')).toMatchObject({ category: 'validation', code: 'IDEMPOTENCY_CONFLICT' })
})

it('says at delivery whether an upcaster failed or the schema threw, sync or async', async () => {
  const schema = freshSchema()
  const first = defineEvent({ type: 'orders.noted', schema: z.object({ n: z.int() }) })
  const publisher = await running(defineApp({ name: 'orders', events: [first] }), schema)
  const rejecting = {
    '~standard': { version: 1, vendor: 'tests', validate: async () => fail('lost') },
  } as const
  const definitions = {
    upcaster: { schema: z.object({}), upcast: { 1: () => fail('no n') } },
    schema: { schema: z.object({}).refine(() => fail('bug in refine')), upcast: { 1: (old: never) => old } },
    async: { schema: rejecting, upcast: { 1: (old: never) => old } },
  }
  const messages: Record<string, string> = {}
  for (const [name, definition] of Object.entries(definitions)) {
    const second = defineEvent({ type: first.type, version: 2, ...definition })
    const read = defineSubscription({ name, on: second, start: 'beginning', handle: () => {} })
    const reader = await running(defineApp({ name: 'orders', subscriptions: [read] }), schema)
    if (name === 'upcaster') await publisher.publish(first, { n: 1 })
    await quiet(reader)
    await reader.stop()
    const { items } = await publisher.operator().deadLetters({ subscription: name })
    messages[name] = items[0]?.failure.message ?? ''
  }
  expect(messages).toEqual({
    upcaster: expect.stringMatching(/^Upcasting "orders\.noted" from version 1 failed: no n$/),
    schema: expect.stringMatching(
      /^The schema of "orders\.noted" version 2 threw "bug in refine" .* version 1\. Mend/,
    ),
    async: expect.stringMatching(/^The schema of "orders\.noted" version 2 threw "lost"/),
  })
  const { items } = await publisher.operator().deadLetters()
  expect(items.map(({ failure }) => failure.stack)).toEqual([null, null, null])
})

it('refuses an older version that does not become the newest: it would be dead on arrival', async () => {
  const first = defineEvent({ type: 'orders.noted', schema: z.object({ n: z.int() }) })
  const second = defineEvent({
    type: first.type,
    version: 2,
    schema: z.object({ n: z.int().min(1) }),
    upcast: { 1: ({ n }: { n: number }) => (n > 9 ? fail('too many') : { n }) },
  })
  const spine = await running(defineApp({ name: 'orders', events: [first, second] }), freshSchema())
  await expect(spine.publish(first, { n: 0 })).rejects.toMatchObject({
    code: 'EVENT_INVALID',
    field: '/data',
    message: expect.stringMatching(/^"orders\.noted" version 1, upcast to version 2, .* at \/n: .* Mend/),
  })
  await expect(spine.ingest({ type: first.type, version: 1, data: { n: 10 } })).rejects.toMatchObject({
    code: 'EVENT_INVALID',
    message: 'Upcasting "orders.noted" from version 1 failed: too many.',
  })
  expect(await spine.publish(first, { n: 1 })).toMatchObject({ version: 1 })
  const { items } = await spine.operator().events({ type: first.type })
  expect(items).toHaveLength(1)
})
