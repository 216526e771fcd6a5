// The database goes away and comes back: publishes are refused with Retry-After meanwhile, and nothing has to be
// started again.
import { defineApp, defineEvent } from 'eventspine'
import { httpRoute, webhook } from 'eventspine/source'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { Cable } from '../../../test/cable.js'
import { app, Fixture, order } from './fixture.js'

const noted = defineEvent({ type: 'tests.noted', schema: z.object({ text: z.string() }) })

const bank = webhook({
  name: 'bank',
  verify: () => ({ id: undefined }),
  to: () => ({ event: noted, data: { text: 'paid' } }),
})
const notes = httpRoute({
  ...{ name: 'notes', path: '/notes', access: 'open' },
  to: () => ({ event: noted, data: { text: 'written' } }),
})
const cable = new Cable(inject('postgresUrl'))
let fixture: Fixture

beforeAll(async () => {
  fixture = await new Fixture(
    { limits: { tailPollMs: 20, tailHeartbeatMs: 100, tailHungMs: 200 } },
    { databaseUrl: await cable.start() },
    defineApp({ name: 'shop', events: app.events, sources: [bank, notes] }),
  ).start()
})
afterAll(async () => {
  cable.mend()
  await fixture.stop()
  await cable.stop()
})

test('publishing, readiness and streams through an outage', async () => {
  const controller = new AbortController()
  const stream = await fetch(`${fixture.url}/v1/events/tail?type=orders.order-placed`, {
    signal: controller.signal,
  })
  let text = ''
  const reading = (async () => {
    for await (const chunk of stream.body ?? []) text += Buffer.from(chunk as Uint8Array).toString()
  })().catch(() => undefined)
  expect((await fixture.send('/v1/events', { json: { ...order('one'), id: 'before-outage' } })).status).toBe(
    202,
  )

  cable.cut()
  const json = { ...order('two'), id: 'through-outage' }
  const refused = await fixture.until(
    () => fixture.send('/v1/events', { json }),
    ({ status }) => status !== 202,
  )
  expect([refused.status, refused.headers['content-type']]).toEqual([503, 'application/problem+json'])
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  const ready = await fixture.send('/readyz')
  expect([ready.status, ready.json.code]).toEqual([503, 'UNAVAILABLE'])
  expect(ready.text).not.toMatch(/postgres:|127\.0\.0\.1:\d/)
  expect((await fixture.send('/healthz')).status).toBe(200)
  const read = await fixture.send('/v1/events')
  expect([read.status, read.headers['retry-after'] !== undefined]).toEqual([503, true])
  for (const path of ['/sources/bank', '/notes'])
    expect([path, (await fixture.send(path, { json: {} })).status]).toEqual([path, 503])
  const { text: metrics } = await fixture.send('/metrics')
  for (const source of ['bank', 'notes']) {
    const counted = (outcome: string) =>
      metrics.includes(`eventspine_source_messages_total{source="${source}",outcome="${outcome}"} 1`)
    expect([counted('unavailable'), counted('refused')]).toEqual([true, false])
  }
  for (const path of ['/v1/subscriptions', '/v1/dead-letters', '/v1/doctor', '/v1/workers']) {
    expect([path, (await fixture.send(path)).status]).toEqual([path, 503])
  }

  cable.mend()
  await fixture.until(
    () => fixture.send('/v1/events', { json }),
    ({ status }) => status === 202,
  )
  await fixture.until(
    () => fixture.send('/readyz'),
    ({ status }) => status === 200,
  )
  await fixture.until(
    async () => text,
    (seen) => seen.includes('through-outage'),
  )
  expect(text).toContain('before-outage')
  expect(standing(text)).toEqual(['unreadable', 'readable'])
  expect(await fixture.query(`SELECT 1 FROM eventspine.event WHERE id = 'through-outage'`)).toHaveLength(1)
  controller.abort()
  await reading
})

test('a stream says since when the log cannot be read, while the database answers nothing', async () => {
  const controller = new AbortController()
  onTestFinished(() => controller.abort())
  onTestFinished(() => cable.mend())
  const stream = await fetch(`${fixture.url}/v1/events/tail?pace=live`, { signal: controller.signal })
  let text = ''
  const reading = (async () => {
    for await (const chunk of stream.body ?? []) text += Buffer.from(chunk as Uint8Array).toString()
  })().catch(() => undefined)
  const seen = (what: RegExp) =>
    fixture.until(
      async () => what.exec(text),
      (found) => found !== null,
    )
  await seen(/: connected/)
  const hungAtMs = Date.now()
  cable.hang()
  const told = await seen(/event: unreadable\ndata: (.+)\n\n/)
  const { since } = JSON.parse(told?.[1] ?? '{}')
  expect(Date.parse(since)).toBeGreaterThan(hungAtMs - 1_000)
  // It is alive, and says so once.
  await seen(/event: unreadable[\s\S]*: heartbeat[\s\S]*: heartbeat/)
  expect(standing(text)).toEqual(['unreadable'])
  cable.mend()
  await seen(/event: readable\ndata: \{\}\n\n/)
  const json = { ...order('three'), id: 'after-hang' }
  expect((await fixture.send('/v1/events', { json })).status).toBe(202)
  await seen(/after-hang/)
  expect(standing(text)).toEqual(['unreadable', 'readable'])
  controller.abort()
  await reading
})

/** What the stream said of itself, without events. */
const standing = (text: string) => [...text.matchAll(/^event: (.+)$/gm)].map(([, type]) => type)
