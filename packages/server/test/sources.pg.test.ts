// Webhooks over HTTP: signed ones become events once, unsigned ones nothing, and what cannot become an event is mended by a
// person and sent again.
import { defineApp, defineEvent } from 'eventspine'
import { type Message, signStandardWebhook, standardWebhooks, webhook } from 'eventspine/source'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { Fixture } from './fixture.js'

const secret = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`
const paid = defineEvent({
  type: 'payments.paid',
  schema: z.object({ order: z.string(), cents: z.int() }),
  key: ({ order }) => order,
})
const holds: (() => void)[] = []
let held = false

async function toEvents(message: Message) {
  if (held) await new Promise<void>((resolve) => holds.push(resolve))
  const { kind, orders = [], tenant } = message.json() as { kind: string; orders?: object[]; tenant?: string }
  if (kind !== 'paid') return null
  const options = tenant === undefined ? {} : { tenant }
  return orders.map((data) => ({ event: paid, data, options }))
}

const fixture = new Fixture(
  {},
  {},
  defineApp({
    name: 'shop',
    events: [paid],
    sources: [
      webhook({
        name: 'bank',
        verify: standardWebhooks({ secrets: [secret] }),
        to: toEvents,
        inFlightMax: 2,
      }),
    ],
  }),
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const send = (id: string, body: string, changes: Record<string, string> = {}) =>
  fixture.send('/sources/bank', {
    headers: { ...signStandardWebhook([secret], { id, atMs: Date.now(), body }), ...changes },
    body,
  })
const order = (name: string, cents: unknown = 100) => ({ order: name, cents })
const message = (orders: object[], rest: object = {}) => JSON.stringify({ kind: 'paid', orders, ...rest })
const stored = async () =>
  (await fixture.spine.operator().events({ type: 'payments.paid', limit: 500 })).items
interface Kept {
  readonly id: string | null
  readonly body: string
  readonly encoding: string
  readonly headers: Readonly<Record<string, string>>
}
const kept = async () =>
  (await fixture.spine.operator().events({ type: 'eventspine.message-kept' })).items.map(
    ({ data }) => data as Kept,
  )
const letters = async () =>
  (await fixture.spine.operator().deadLetters({ subscription: 'source-bank', state: 'dead' })).items

test('a signed message becomes an event, once however often it is sent', async () => {
  const body = message([order('1')])
  const first = await send('m1', body)
  expect([first.status, first.json]).toEqual([
    202,
    { outcome: 'published', events: [{ id: 'm1', type: 'payments.paid', version: 1 }] },
  ])
  expect((await send('m1', body)).json).toEqual(first.json)
  expect(await stored()).toMatchObject([{ id: 'm1', source: '/sources/bank', key: '1', data: order('1') }])
})

test('several events have an id each, and what is of no interest has none', async () => {
  const several = await send('m2', message([order('2'), order('3')]))
  expect(several.json.events).toMatchObject([{ id: 'm2' }, { id: 'm2:2' }])
  expect((await send('m3', JSON.stringify({ kind: 'refunded' }))).json).toEqual({
    outcome: 'ignored',
    events: [],
  })
})

test('what its sender did not sign is refused, and nothing is stored', async () => {
  const before = await stored()
  const body = message([order('9')])
  for (const changes of [
    { 'webhook-signature': 'v1,AAAA' },
    { 'webhook-id': 'another' },
    { 'webhook-timestamp': '1' },
  ])
    expect(await send('m9', body, changes)).toMatchObject({
      status: 401,
      json: { code: 'SIGNATURE_INVALID' },
    })
  expect((await fixture.send('/sources/none', { body: '' })).json).toMatchObject({ code: 'NOT_FOUND' })
  expect(await send('m9', 'x'.repeat(256 * 1024 + 1))).toMatchObject({ status: 413 })
  expect(await stored()).toEqual(before)
})

test('what cannot become an event is a dead letter, which is mended and sent again', async () => {
  for (let times = 0; times < 2; times++)
    expect((await send('m4', message([order('4', 'many')], { tenant: 'acme' }))).json).toMatchObject({
      outcome: 'kept',
    })
  const broken = await send('m5', '{"kind": "paid", ')
  expect(broken.json).toMatchObject({ outcome: 'kept' })
  await vi.waitFor(async () => expect(await letters()).toHaveLength(2), 20_000)
  const [newest, oldest] = await letters()
  expect(newest?.failure).toMatchObject({ category: 'validation' })
  expect(oldest?.failure).toMatchObject({ category: 'validation', message: expect.stringContaining('cents') })
  const operator = fixture.spine.operator()
  const data = (await kept()).find(({ id }) => id === 'm4') as Kept
  expect(Object.keys(data.headers)).not.toContain('webhook-signature')
  const mended = { ...data, body: message([order('4', 400)], { tenant: 'acme' }) }
  await operator.redrive({ filter: { ids: [oldest?.id as string] }, data: mended, actor: 'ann' })
  await vi.waitFor(async () => expect((await stored())[0]).toMatchObject({ id: 'm4' }), 20_000)
  // Also of another tenant than the message, whose own nobody could read.
  expect((await stored())[0]).toMatchObject({
    tenant: 'acme',
    source: '/sources/bank',
    data: order('4', 400),
  })
  await vi.waitFor(async () => expect(await letters()).toHaveLength(1), 20_000)
})

test('a source that has enough to do says when to come again', async () => {
  held = true
  const waiting = [send('m6', message([order('6')])), send('m7', message([order('7')]))]
  await vi.waitFor(() => expect(holds).toHaveLength(2), 20_000)
  expect(await send('m8', message([order('8')]))).toMatchObject({
    ...{ status: 503, json: { code: 'OVERLOADED' } },
    headers: { 'retry-after': '1' },
  })
  held = false
  for (const release of holds) release()
  expect((await Promise.all(waiting)).map(({ json }) => json.outcome)).toEqual(['published', 'published'])
})

test('counts what came in, by source and outcome', async () => {
  const samples = (await fixture.spine.metrics()).filter(
    ({ name }) => name === 'eventspine_source_messages_total',
  )
  const counts = Object.fromEntries(samples.map(({ labels, value }) => [labels.outcome, value]))
  expect(counts).toEqual({ published: 5, ignored: 1, refused: 4, overloaded: 1, kept: 3 })
  expect(samples.every(({ labels }) => labels.source === 'bank')).toBe(true)
})

test('a body that is no text is kept as it came', async () => {
  const body = Buffer.from([0xff, 0x00, 0x01])
  const headers = signStandardWebhook([secret], { id: 'm10', atMs: Date.now(), body })
  expect((await fixture.send('/sources/bank', { headers, body })).json).toMatchObject({ outcome: 'kept' })
  expect((await kept()).find(({ id }) => id === 'm10')).toMatchObject({
    encoding: 'base64',
    body: body.toString('base64'),
  })
})
