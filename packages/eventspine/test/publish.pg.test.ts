// The border of the library: what it refuses, each with its place and before anything is stored (I10), what it does
// when asked too much or at the wrong time, and what publishers that run beside one another may count on.
import {
  defineApp,
  defineEvent,
  defineSubscription,
  Eventspine,
  EventspineError,
  type PublishOptions,
} from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { databaseUrl, freshSchema, quiet, running, sql, until } from './support.js'

const placed = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ n: z.int(), lines: z.array(z.object({ sku: z.string() })).optional() }),
  key: ({ n }) => `k${n}`,
})
const noted = defineEvent({ type: 'orders.note-added', schema: z.unknown() })
const events = (schema: string) =>
  sql<{ n: number }>(`SELECT (data ->> 'n')::int AS n FROM ${schema}.event ORDER BY xid, seq`)

const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) })
const cycle: Record<string, unknown> = {}
cycle['self'] = { again: cycle }

/** What cannot be data, and where the fault lies. */
const wrongData: readonly (readonly [string, unknown, string])[] = [
  ['undefined', undefined, '/data'],
  ['NUL', { text: 'a\0b' }, '/data/text'],
  ['half a surrogate pair', { text: '\ud83d' }, '/data/text'],
  ['the other half', ['\ude00'], '/data/0'],
  ['NUL in a key', { 'a\0b': 1 }, '/data'],
  ['__proto__', JSON.parse('{"__proto__":{"admin":true}}'), '/data/__proto__'],
  ['constructor.prototype', JSON.parse('{"constructor":{"prototype":{}}}'), '/data/constructor'],
  ['a function', { call: () => 1 }, '/data/call'],
  ['a symbol', { call: Symbol('x') }, '/data/call'],
  ['a bigint', { n: 1n }, '/data/n'],
  ['a Map', { map: new Map([[1, 2]]) }, '/data/map'],
  ['a class instance', { at: new URL('http://localhost') }, '/data/at'],
  ['a cycle', cycle, '/data'],
  ['a number beyond 2^53', { n: 2 ** 53 + 2 }, '/data/n'],
  ['NaN', { n: Number.NaN }, '/data/n'],
  ['Infinity', { n: Number.POSITIVE_INFINITY }, '/data/n'],
  ['an invalid Date', { at: new Date(Number.NaN) }, '/data/at'],
  ['nesting', nested(65), '/data'],
  [
    'a getter that throws',
    Object.defineProperty({}, 'n', { enumerable: true, get: () => cycle['x'] ?? fail() }),
    '/data',
  ],
]
const fail = (): never => {
  throw new Error('no')
}

const given = (options: Record<string, unknown>) => options as unknown as PublishOptions

const wrongOptions: readonly (readonly [PublishOptions, string])[] = [
  ...(['id', 'key', 'tenant', 'source', 'subject', 'correlationId', 'causationId'] as const).flatMap(
    (name) => [
      [{ [name]: '' }, `/${name}`] as const,
      [{ [name]: 'x'.repeat(501) }, `/${name}`] as const,
      [{ [name]: 'a\0b' }, `/${name}`] as const,
      [{ [name]: 'a\nb' }, `/${name}`] as const,
      [{ [name]: 'half \ud83d' }, `/${name}`] as const,
      [given({ [name]: 7 }), `/${name}`] as const,
    ],
  ),
  [{ id: '.' }, '/id'],
  [{ id: '..' }, '/id'],
  [{ time: new Date(Number.NaN) }, '/time'],
  [{ time: new Date(-8.64e15) }, '/time'],
  [{ time: new Date(8.64e15) }, '/time'],
  [given({ time: '2026-01-01T00:00:00Z' }), '/time'],
  [{ extensions: { Upper: 1 } }, '/extensions/Upper'],
  [{ extensions: JSON.parse('{"__proto__":"x"}') }, '/extensions/__proto__'],
  [{ extensions: { 'a/b~c': 'x' } }, '/extensions/a~1b~0c'],
  [{ extensions: { half: '\ud83d' } }, '/extensions/half'],
  [{ extensions: { long: 'x'.repeat(2_001) } }, '/extensions/long'],
  [{ extensions: { part: 1.5 } }, '/extensions/part'],
  [{ extensions: { tenant: 'other' } }, '/extensions/tenant'],
  [{ extensions: { partitionkey: 'other' } }, '/extensions/partitionkey'],
  [given({ extensions: { list: [] } }), '/extensions/list'],
  [given({ extensions: 'text' }), '/extensions'],
  [given({ extensions: ['text'] }), '/extensions'],
  [
    { extensions: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`e${index}`, index])) },
    '/extensions',
  ],
]

it('refuses what could not be stored, read back or delivered, before anything is stored (I10)', async () => {
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'orders', events: [placed, noted] }), schema)
  for (const [name, data, field] of wrongData) {
    const refused = await spine.publish(noted, data).catch((error: unknown) => error)
    expect(refused, name).toBeInstanceOf(EventspineError)
    expect(refused, name).toMatchObject({ code: 'EVENT_INVALID' })
    expect(
      String((refused as EventspineError).field).startsWith(field),
      `${name}: ${(refused as EventspineError).field}`,
    ).toBe(true)
  }
  for (const [options, field] of wrongOptions) {
    const publishing = spine.publish(placed, { n: 1 }, options)
    await expect(publishing, JSON.stringify(options)).rejects.toMatchObject({ code: 'EVENT_INVALID', field })
  }
  for (const text of ['x'.repeat(1024), 'é'.repeat(512), '"'.repeat(600)]) {
    const large = Array.from({ length: 256 }, () => text)
    await expect(spine.publish(noted, large)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
  }
  const wrong = spine.publish(placed, { n: 1, lines: [{ sku: 'a' }, { sku: 7 }, {}] } as never)
  await expect(wrong).rejects.toMatchObject({
    code: 'EVENT_INVALID',
    field: '/data/lines/1/sku',
    issues: [{ field: '/data/lines/1/sku' }, { field: '/data/lines/2/sku' }],
  })
  const nothing = async () => spine.publish(undefined as never, { n: 1 } as never)
  await expect(nothing()).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
  })
  expect(await events(schema)).toEqual([])
  await spine.publish(placed, { n: 1 }, { traceparent: 'broken' })
  await spine.publish(placed, { n: 2 }, given({ traceparent: 7 }))
  expect(await events(schema)).toEqual([{ n: 1 }, { n: 2 }])
})

it('refuses data whose stored form its schema would not take back, and schemas and keys that throw', async () => {
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'orders' }), schema)
  const date = defineEvent({ type: 'orders.dated', schema: z.object({ at: z.date().optional() }) })
  const dates = spine.publish(date, { at: new Date(0) })
  await expect(dates).rejects.toMatchObject({
    code: 'EVENT_INVALID',
    field: '/data/at',
    message: expect.stringContaining('z.coerce.date()'),
  })
  const coerced = defineEvent({ type: 'orders.coerced', schema: z.object({ at: z.coerce.date() }) })
  await spine.publish(coerced, { at: new Date(0) })
  const throwing = z.string().refine((text) => text.length > 0 && fail())
  const broken = defineEvent({ type: 'orders.broken', schema: throwing })
  await expect(spine.publish(broken, 'x')).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/data' })
  const rejecting = { '~standard': { version: 1, vendor: 'tests', validate: async () => fail() } } as const
  const later = defineEvent({ type: 'orders.later', schema: rejecting })
  await expect(spine.publish(later, 'x')).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/data' })
  const deep: z.ZodType = z.lazy(() => z.object({ a: deep.optional() }))
  const lazy = defineEvent({ type: 'orders.deep', schema: deep })
  let data: unknown = {}
  for (let level = 0; level < 200_000; level++) data = { a: data }
  await expect(spine.publish(lazy, data)).rejects.toMatchObject({ code: 'EVENT_INVALID' })
  const keyless = defineEvent({ type: 'orders.keyed', schema: z.object({}), key: () => fail() })
  await expect(spine.publish(keyless, {})).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/key' })
  for (const definition of [
    defineEvent({ type: 'a\0b', schema: z.object({}) }),
    defineEvent({ type: 'x'.repeat(201), schema: z.object({}) }),
    defineEvent({ type: 'orders.unlisted', version: 1.5, schema: z.object({}) }),
  ]) {
    await expect(spine.publish(definition, {})).rejects.toMatchObject({ code: 'EVENT_INVALID' })
  }
  expect(await sql(`SELECT type FROM ${schema}.event`)).toEqual([{ type: 'orders.coerced' }])
})

it('knows its events at the untyped border, and names what is near', async () => {
  const schema = freshSchema()
  const v2 = defineEvent({
    type: placed.type,
    version: 2,
    schema: z.object({ m: z.int() }),
    upcast: { 1: ({ n }: { n: number }) => ({ m: n }) },
  })
  const spine = await running(defineApp({ name: 'orders', events: [placed, v2, noted] }), schema)
  const unknown = (event: object, field: string, message: RegExp) =>
    expect(spine.ingest(event as never)).rejects.toMatchObject({
      code: 'EVENT_UNKNOWN',
      field,
      message: expect.stringMatching(message),
    })
  await unknown({ type: 'orders.order-plaecd', data: {} }, '/type', /Did you mean "orders\.order-placed"\?/)
  await unknown({ type: 'x'.repeat(100_000), data: {} }, '/type', /^.{1,300}$/)
  await unknown({ type: placed.type, version: 3, data: {} }, '/version', /has no version 3\. Defined: 1, 2\./)
  await unknown({ type: 7, data: {} }, '/type', /text/)
  await unknown({ data: {} }, '/type', /text/)
  await unknown({ type: '__proto__', data: {} }, '/type', /No event/)
  const alone = await running(defineApp({ name: 'newest', events: [v2] }), freshSchema())
  await expect(alone.ingest({ type: placed.type, version: 1, data: { n: 1 } })).rejects.toThrow(
    /no version 1\. Defined: 2\. Stored ones of version 1 are read through the upcaster; .*list its definition/,
  )
  expect(await spine.ingest({ type: placed.type, data: { m: 1 } })).toMatchObject({ version: 2 })
  expect(await spine.ingest({ type: placed.type, version: 1, data: { n: 1 } })).toMatchObject({ version: 1 })
  await expect(
    spine.ingestMany([
      { type: placed.type, data: { m: 1 } },
      { type: placed.type, data: { m: 'two' } },
    ]),
  ).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/1/data/m', issues: [{ field: '/1/data/m' }] })
  await expect(
    spine.ingestMany([
      { type: placed.type, data: { m: 1 } },
      { type: 'nothing', data: {} },
    ]),
  ).rejects.toMatchObject({ code: 'EVENT_UNKNOWN', field: '/1/type' })
  const many = [1, 2].map((n) => ({ event: placed, data: { n }, options: { id: `same-${n % 2}` } }))
  await expect(
    spine.publishMany([...many, { event: placed, data: { n: 9 }, options: { id: 'same-0' } }]),
  ).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: '/2/id' })
  expect(await events(schema)).toHaveLength(2)
  expect(await spine.publishMany([])).toEqual([])
  expect(await spine.publishMany([...many, ...many])).toHaveLength(4)
  expect(await events(schema)).toHaveLength(4)
})

it('refuses with OVERLOADED what does not fit into memory, and says when to come again (I64, I65)', async () => {
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'orders', events: [placed] }), schema, {
    limits: { pendingEventsMax: 20 },
  })
  const answers = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => spine.publish(placed, { n })))
  const refused = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason)
  expect(refused).toHaveLength(30)
  for (const error of refused) expect(error).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000 })
  // Where it was asked for says nothing, and noting it costs more than the rest of a refusal.
  expect(String((refused[0] as Error).stack)).not.toContain('\n    at ')
  expect(await events(schema)).toHaveLength(20)
  await spine.publish(placed, { n: 50 })
})

it('publishes between start and stop alone', async () => {
  const app = defineApp({ name: 'orders', events: [placed] })
  const schema = freshSchema()
  const spine = new Eventspine(app, { databaseUrl, schema })
  await expect(spine.publish(placed, { n: 1 })).rejects.toMatchObject({ code: 'NOT_STARTED' })
  await expect(spine.publishMany([{ event: placed, data: { n: 1 } }])).rejects.toMatchObject({
    code: 'NOT_STARTED',
  })
  await Promise.all([spine.start(), spine.start()])
  const last = spine.publish(placed, { n: 1 })
  await Promise.all([spine.stop(), spine.stop()])
  await expect(last).resolves.toMatchObject({ type: placed.type })
  await expect(spine.publish(placed, { n: 2 })).rejects.toMatchObject({ code: 'STOPPED' })
  expect(await events(schema)).toEqual([{ n: 1 }])
})

it('does not start again after a stop', async () => {
  const spine = await running(defineApp({ name: 'orders', events: [placed] }), freshSchema())
  await spine.stop()
  await expect(spine.start()).rejects.toMatchObject({ code: 'STOPPED' })
})

it('takes one id from two processes at once as one event (I4), and anew after the window', async () => {
  const schema = freshSchema()
  const app = defineApp({ name: 'orders', events: [placed] })
  const one = await running(app, schema)
  const two = await running(app, schema)
  const ids = Array.from({ length: 40 }, (_, n) => n)
  const publish = (n: number) =>
    Promise.all([
      one.publish(placed, { n }, { id: `o-${n}` }),
      two.publish(placed, { n }, { id: `o-${n}` }),
      two.publishMany([{ event: placed, data: { n }, options: { id: `o-${n}` } }]),
    ])
  const answers = await Promise.all(ids.map(publish))
  for (const [first, second, [third]] of answers) expect([second, third]).toEqual([first, first])
  expect((await events(schema)).map(({ n }) => n).sort((a, b) => a - b)).toEqual(ids)
  const brief = await running(app, schema, { idempotencyWindowMs: 100 })
  await until(async () => {
    await brief.publish(placed, { n: 0 }, { id: 'brief' })
    return (await events(schema)).length > ids.length + 1
  })
  await expect(two.publish(placed, { n: 7 }, { id: 'o-0' })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  })
})

it('keeps the order in which one process published, awaited or not (I7)', async () => {
  const seen: number[] = []
  const schema = freshSchema()
  const collect = defineSubscription({
    name: 'collect',
    on: placed,
    handle: ({ data }) => void seen.push(data.n),
  })
  const spine = await running(
    defineApp({ name: 'orders', subscriptions: [{ ...collect, policies: { concurrency: 1 } }] }),
    schema,
  )
  const numbers = Array.from({ length: 1_500 }, (_, n) => n)
  const publishing: Promise<unknown>[] = []
  for (const n of numbers) {
    const id = n % 7 === 0 ? { id: `o-${n}` } : {}
    publishing.push(spine.publish(placed, { n }, id))
    if (n % 100 === 0) await publishing[n]
  }
  await Promise.all(publishing)
  expect((await events(schema)).map(({ n }) => n)).toEqual(numbers)
  await quiet(spine)
  expect(seen).toEqual(numbers)
})

it('serves several cells: each tenant in its own, seen by its own operator alone', async () => {
  const [red, blue] = [freshSchema(), freshSchema()]
  const seen: string[] = []
  const collect = defineSubscription({
    name: 'collect',
    on: placed,
    handle: (event) => void seen.push(`${event.tenant} ${event.data.n}`),
  })
  const cells = { red: { url: databaseUrl, schema: red }, blue: { url: databaseUrl, schema: blue } }
  const placement = (tenant: string) =>
    tenant === 'lost' ? 'green' : tenant.startsWith('r') ? 'red' : 'blue'
  const spine = await running(defineApp({ name: 'orders', subscriptions: [collect] }), red, {
    cells,
    placement,
  })
  await spine.publish(placed, { n: 1 }, { tenant: 'rita', id: 'o-1' })
  await spine.publish(placed, { n: 2 }, { tenant: 'bob', id: 'o-1' })
  await until(() => seen.length === 2)
  expect(seen.sort()).toEqual(['bob 2', 'rita 1'])
  expect([await events(red), await events(blue)]).toEqual([[{ n: 1 }], [{ n: 2 }]])
  await expect(spine.publish(placed, { n: 3 }, { tenant: 'lost' })).rejects.toMatchObject({
    code: 'CELL_UNKNOWN',
  })
  const across = ['rita', 'bob'].map((tenant) => ({ event: placed, data: { n: 4 }, options: { tenant } }))
  await expect(spine.publishMany(across)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  expect(() => spine.operator('green')).toThrow(/no cell "green"\. Known: red, blue/)
  const tenants = async (cell: string) =>
    (await spine.operator(cell).events()).items.map(({ tenant }) => tenant)
  expect([await tenants('red'), await tenants('blue')]).toEqual([['rita'], ['bob']])
  expect(await spine.operator('blue').event('o-1', 'rita')).toBeNull()
  expect(await spine.health()).toEqual({ ok: true, cells: { red: { ok: true }, blue: { ok: true } } })
})

it('delivers in a worker what a process published that does not work itself', async () => {
  const schema = freshSchema()
  const seen: number[] = []
  const collect = defineSubscription({
    name: 'collect',
    on: placed,
    handle: ({ data }) => void seen.push(data.n),
  })
  const app = defineApp({ name: 'orders', subscriptions: [collect] })
  const publisher = await running(app, schema, { work: false })
  const worker = await running(app, schema, { migrate: false })
  await publisher.publish(placed, { n: 1 })
  await publisher.publishMany([2, 3].map((n) => ({ event: placed, data: { n } })))
  await until(() => seen.length === 3)
  await quiet(worker)
  expect(seen).toEqual([1, 2, 3])
  expect(await publisher.operator().workers()).toHaveLength(1)
})
