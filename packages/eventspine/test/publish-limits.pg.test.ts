// How much a publisher may hand over: what waits in memory is bounded in events and bytes, and so is one call; what is
// legal passes, whatever its shape. What the database refuses takes no neighbour with it.
import { defineApp, defineEvent, defineSubscription, EventspineError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Appender, type AppenderServices, appendLimitsDefault } from '../src/append/index.js'
import type { NewEvent } from '../src/event/stored.js'
import { systemClock } from '../src/kernel/index.js'
import { silentLogger } from '../src/observe/log.js'
import { createPostgresStore } from '../src/store/postgres/postgres-store.js'
import { afterTest, databaseUrl, freshSchema, quiet, running, sql } from './support.js'

const noted = defineEvent({ type: 'orders.note-added', schema: z.unknown() })
const app = defineApp({ name: 'orders', events: [noted] })
const kibibyte = 1024
const servicesWith = (parts: Pick<AppenderServices, 'port' | 'claim'>): AppenderServices => ({
  ...{ ...parts, limits: appendLimitsDefault, clock: systemClock, isAlarm: () => false, appended: () => {} },
})
const stored = (schema: string) => sql(`SELECT id FROM ${schema}.event`)

it('refuses with OVERLOADED once the bytes that wait are too many', async () => {
  const schema = freshSchema()
  const spine = await running(app, schema, { limits: { pendingBytesMax: 100 * kibibyte } })
  const text = 'x'.repeat(30 * kibibyte)
  const answers = await Promise.allSettled(Array.from({ length: 10 }, () => spine.publish(noted, text)))
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  expect(refused).toHaveLength(7)
  for (const error of refused) expect(error).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000 })
  expect(await stored(schema)).toHaveLength(3)
  const extensions = { extensions: { trail: 'x'.repeat(2_000) } }
  const trails = await Promise.allSettled(
    Array.from({ length: 100 }, () => spine.publish(noted, 1, extensions)),
  )
  expect(trails.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(52)
  await spine.publish(noted, 'x'.repeat(200 * kibibyte))
})

it('counts what publishMany and publish(tx) have on its way too, and lets it go whatever becomes of it', async () => {
  const schema = freshSchema()
  const spine = await running(app, schema, { limits: { pendingEventsMax: 10 } })
  const many = (count: number) =>
    spine.publishMany(Array.from({ length: count }, () => ({ event: noted, data: 1 })))
  const overloaded = { code: 'OVERLOADED', retryAfterMs: 1_000 }
  const [first, second] = await Promise.allSettled([many(6), many(6)])
  expect(first).toMatchObject({ status: 'fulfilled' })
  expect(second).toMatchObject({ reason: overloaded })
  const failing = { query: () => Promise.reject(new Error('closed')) }
  const within = Array.from({ length: 11 }, () => spine.publish(failing, noted, 1))
  const reasons = (await Promise.allSettled(within)).map((answer) => 'reason' in answer && answer.reason)
  expect(reasons.filter((reason) => reason instanceof EventspineError)).toMatchObject([overloaded])
  await many(10)
  expect(await stored(schema)).toHaveLength(16)
})

it('writes what an alarm waits for before all that waits, and refuses it for the sake of nothing else (I63)', async () => {
  const schema = freshSchema()
  const raised = defineEvent({ type: 'ward.alarm-raised', schema: z.unknown() })
  const alert = defineSubscription({
    name: 'alert',
    on: 'ward.*-raised',
    priority: 'alarm',
    handle: () => {},
  })
  const ward = defineApp({ name: 'ward', events: [noted, raised], subscriptions: [alert] })
  const spine = await running(ward, schema, { limits: { pendingEventsMax: 100 } })
  const flood = Array.from({ length: 150 }, () => spine.publish(noted, 1))
  const alarms = ['a', 'b', 'c'].map((id) => spine.publish(raised, 1, { id }))
  const refused = (await Promise.allSettled(flood)).filter(({ status }) => status === 'rejected')
  await Promise.all(alarms)
  expect(refused).toHaveLength(50)
  const inLog = await sql(`SELECT id, type FROM ${schema}.event ORDER BY seq`)
  expect(inLog.slice(0, 3).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  expect(inLog).toHaveLength(103)
})

it('bounds the events and bytes of one call, before anything is stored', async () => {
  const schema = freshSchema()
  const limits = { callEventsMax: 3, callBytesMax: 100 * kibibyte }
  const spine = await running(app, schema, { limits })
  const many = (count: number, data: unknown) =>
    spine.publishMany(Array.from({ length: count }, () => ({ event: noted, data })))
  await expect(many(4, 1)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringMatching(/given 4 events, .* at most 3 .*limits\.callEventsMax/),
  })
  const text = 'x'.repeat(40 * kibibyte)
  await expect(many(3, text)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    field: '/2',
    message: expect.stringMatching(/larger than 102400 bytes\. .*limits\.callBytesMax/),
  })
  const incoming = Array.from({ length: 4 }, () => ({ type: noted.type, data: 1 }))
  await expect(spine.ingestMany(incoming)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  const within = spine.publish({ query: async () => ({ rows: [] }) }, noted, 'x'.repeat(300 * kibibyte))
  await expect(within).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE', field: '/data' })
  expect(await stored(schema)).toEqual([])
  await many(2, text)
  expect(await stored(schema)).toHaveLength(2)
})

it('takes one text as large as the body may be, also under a raised limit', async () => {
  const schema = freshSchema()
  const lengths: number[] = []
  const measure = defineSubscription({
    name: 'measure',
    on: noted,
    handle: ({ data }) => void lengths.push(String(data).length),
  })
  const measuring = defineApp({ name: 'orders', subscriptions: [measure] })
  const spine = await running(measuring, schema)
  await spine.publish(noted, 'x'.repeat(200 * kibibyte))
  await expect(spine.publish(noted, 'x'.repeat(256 * kibibyte))).rejects.toMatchObject({
    code: 'EVENT_TOO_LARGE',
  })
  await quiet(spine)
  await spine.stop()
  const wide = await running(measuring, schema, { hardLimitBytes: 2_048 * kibibyte })
  await wide.publish(noted, 'x'.repeat(2_000 * kibibyte))
  await expect(wide.publish(noted, 'x'.repeat(2_048 * kibibyte))).rejects.toMatchObject({
    code: 'EVENT_TOO_LARGE',
  })
  await quiet(wide)
  expect(lengths).toEqual([200 * kibibyte, 2_000 * kibibyte])
})

it('takes the largest of everything at once, in letters of three bytes that do not compress', async () => {
  const schema = freshSchema()
  const spine = await running(app, schema)
  const letters = (count: number, from: number) =>
    Array.from({ length: count }, (_, n) =>
      String.fromCharCode(0x4e00 + (((n + from) * 7_919) % 20_000)),
    ).join('')
  const options = {
    id: letters(250, 1),
    source: letters(500, 2),
    tenant: letters(100, 3),
    subject: letters(500, 4),
    key: letters(500, 5),
    correlationId: letters(250, 6),
    causationId: letters(250, 7),
    extensions: Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`e${n}`, letters(2_000, n)])),
  }
  await spine.publish(noted, letters(60_000, 8), options)
  expect(await stored(schema)).toEqual([{ id: options.id }])
})

const event = (id: string, part: Partial<NewEvent> = {}): NewEvent => ({
  id,
  type: noted.type,
  version: 1,
  tenant: 'default',
  source: '/tests',
  subject: null,
  key: null,
  timeMs: Date.UTC(2026, 0, 1),
  data: '{}',
  claim: null,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  correlationId: id,
  causationId: null,
  extensions: null,
  fingerprint: null,
  ...part,
})

async function plantedAppender(schema: string) {
  const options = { url: databaseUrl, schema, idempotencyWindowMs: 60_000 }
  const store = createPostgresStore(options, systemClock, silentLogger)
  afterTest(() => store.close())
  await store.migrate()
  await store.open()
  const claim = {
    put: async (_tenant: string, body: string) => {
      if (body.includes('refused')) throw new Error('The object store is full')
      return `claim-${body.length}`
    },
    get: () => Promise.reject(new Error('not here')),
    expire: async () => 0,
  }
  return new Appender(servicesWith({ port: store, claim }))
}

it('rejects what the database refuses alone: its neighbours are stored once, in their order', async () => {
  const schema = freshSchema()
  const appender = await plantedAppender(schema)
  const bad: ReadonlyMap<number, Partial<NewEvent>> = new Map([
    [7, { data: '{' }],
    [8, { tenant: 'a\0b' }],
    [40, { version: 3e9 }],
    [99, { data: '"\\ud800', fingerprint: 'f' }],
  ])
  const events = Array.from({ length: 100 }, (_, n) =>
    event(`e-${n}`, n % 3 === 0 ? { fingerprint: `f-${n}`, ...bad.get(n) } : bad.get(n)),
  )
  const appendBatch = () => Promise.allSettled(events.map((each) => appender.append(each)))
  const answers = await appendBatch()
  const refused = [...bad.keys()]
  answers.forEach((answer, n) => {
    if (refused.includes(n))
      expect(answer).toMatchObject({
        status: 'rejected',
        reason: { code: 'EVENT_INVALID', cause: { code: expect.stringMatching(/^22/) } },
      })
    else expect(answer, `event ${n}`).toEqual({ status: 'fulfilled', value: 'stored' })
  })
  const ids = async () =>
    (await sql<{ id: string }>(`SELECT id FROM ${schema}.event ORDER BY xid, seq`)).map(({ id }) => id)
  const good = events.filter((_, n) => !refused.includes(n)).map(({ id }) => id)
  expect(await ids()).toEqual(good)
  const again = await appendBatch()
  expect(again.filter((answer) => 'value' in answer && answer.value === 'duplicate')).toHaveLength(33)
  await expect(appender.appendAll(events.slice(0, 9))).rejects.toMatchObject({ code: 'EVENT_INVALID' })
})

it('rejects a body that the object store does not take alone', async () => {
  const schema = freshSchema()
  const appender = await plantedAppender(schema)
  const large = (text: string) => JSON.stringify(text.padEnd(appendLimitsDefault.softLimitBytes))
  const events = [event('1'), event('2', { data: large('refused') }), event('3', { data: large('taken') })]
  const answers = await Promise.allSettled(events.map((each) => appender.append(each)))
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((await stored(schema)).length).toBe(2)
})

it('never splits a batch whose fate is in doubt, which could store it twice', async () => {
  let calls = 0
  const port = {
    append: () => {
      calls++
      return Promise.reject(
        new EventspineError('UNKNOWN_OUTCOME', 'broken', {
          cause: Object.assign(new Error('x'), { code: '22000' }),
        }),
      )
    },
    appendAll: async () => [],
    appendWithin: async () => [],
    appendActed: async () => 'stored' as const,
  }
  const claim = { put: async () => '', get: async () => '', expire: async () => 0 }
  const appender = new Appender(servicesWith({ port, claim }))
  const answers = await Promise.allSettled(['1', '2', '3'].map((id) => appender.append(event(id))))
  for (const answer of answers) expect(answer).toMatchObject({ reason: { code: 'UNKNOWN_OUTCOME' } })
  expect(calls).toBe(1)
})
