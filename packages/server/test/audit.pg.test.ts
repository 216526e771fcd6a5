// Every route that changes something leaves a line in the audit: who, what, to what, why, and from what to what. Walks all of
// them, so that a new one is not forgotten.
import { defineApp, defineEvent, defineSubscription, PermanentError } from 'eventspine'
import { webhooksOut } from 'eventspine/webhooks'
import { approvalLinks, schedule, workflow } from 'eventspine/workflow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createApiKey, roles } from '../src/index.js'
import { routeTable } from '../src/route/table.js'
import { Fixture } from './fixture.js'

const order = defineEvent({
  type: 'shop.order-placed',
  schema: z.object({ order: z.string(), country: z.string().optional() }),
})
const night = defineEvent({ type: 'shop.night-began', schema: z.object({}) })
const ship = defineSubscription({
  name: 'ship',
  on: order,
  external: false,
  breaker: { name: 'carrier', failures: 1_000, cooldownMs: 1_000 },
  handle: ({ data }) => {
    if (data.country === undefined) throw new PermanentError('No country')
  },
})
const spare = defineSubscription({ name: 'spare', on: order, handle: () => {} })
const asks = workflow({
  name: 'asks',
  run: async (ctx, input: { readonly halts?: boolean }) => {
    if (input.halts === true) throw new TypeError('a fault of the code')
    await ctx.approval('pay')
    await ctx.signal('go')
  },
})
const links = approvalLinks({ url: 'https://shop.example', secrets: ['a secret of the tests, long enough'] })
const ada = createApiKey({ scopes: roles.admin, name: 'ada' })
const fixture = new Fixture(
  { development: false, apiKeys: [ada.record], approvalLinks: links },
  {},
  defineApp({
    name: 'audited',
    events: [order, night],
    subscriptions: [ship, spare],
    workflows: [asks],
    schedules: [schedule({ name: 'night', cron: '0 0 1 1 *', event: night, data: () => ({}) })],
    webhooks: [webhooksOut({ name: 'partners', on: order, endpoints: () => [], endpoint: () => null })],
  }),
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const headers = { authorization: `Bearer ${ada.key}` }
const get = async (path: string) => (await fixture.send(path, { headers })).json
const itemsOf = async (path: string) => (await get(path)).items as unknown as Record<string, unknown>[]
const reason = 'for a reason'

/** Sends it, and answers what it answered. Throws what it was refused with. */
async function post(path: string, json: object): Promise<Record<string, unknown>> {
  const reply = await fixture.send(path, { headers, json })
  if (reply.status >= 300) throw new Error(`${path}: ${reply.status} ${reply.text}`)
  return reply.json
}

async function letter(): Promise<Record<string, unknown>> {
  const id = `o-${Math.random()}`
  await post('/v1/events', { type: order.type, data: { order: id } })
  const found = await fixture.until(
    async () => (await itemsOf('/v1/dead-letters?state=dead')).find(({ event }) => orderOf(event) === id),
    (each) => each !== undefined,
  )
  return found ?? {}
}
const orderOf = (event: unknown) => (event as { readonly data: { readonly order: string } }).data.order

/** An instance that asks, or that a fault of its code halts. */
async function instance(input: object = {}): Promise<string> {
  const { id } = await post('/v1/workflows/asks', { input })
  const path = `/v1/workflows/asks/${String(id)}`
  await fixture.until(
    () => get(path),
    ({ questions, attention }) =>
      ((questions as unknown[] | undefined) ?? []).length > 0 || (attention ?? null) !== null,
  )
  return path
}

async function ended(path: string): Promise<void> {
  await fixture.until(
    () => get(path),
    ({ endedAtMs }) => (endedAtMs ?? null) !== null,
  )
}

interface Act {
  readonly does: () => Promise<unknown>
  readonly action: string
  /** Of its details. */
  readonly details: object
  readonly actor?: string
}

const paused = { before: 'active', after: 'paused' }
const active = { before: 'paused', after: 'active' }

/** How each is done, and what it leaves. */
const acts: Readonly<Record<string, Act>> = {
  pauseSubscription: {
    does: () => post('/v1/subscriptions/ship/pause', { reason }),
    ...{ action: 'subscription.pause', details: { ...paused, reason } },
  },
  resumeSubscription: {
    does: () => post('/v1/subscriptions/ship/resume', { reason }),
    ...{ action: 'subscription.resume', details: { ...active, reason } },
  },
  removeSubscription: {
    does: () => post('/v1/subscriptions/spare/remove', { reason }),
    ...{ action: 'subscription.remove', details: { after: 'removed', reason } },
  },
  signalWorkflow: {
    does: async () => post(`${await instance()}/signal`, { name: 'go', payload: { secret: 1 }, reason }),
    ...{ action: 'workflow.signal', details: { signal: 'go', reason } },
  },
  approveWorkflow: {
    does: async () => post(`${await instance()}/approve`, { name: 'pay', approved: true, reason }),
    ...{ action: 'workflow.approve', details: { approval: 'pay', reason } },
  },
  decideApproval: {
    async does() {
      const id = (await instance()).split('/').at(-1) ?? ''
      const handle = fixture.spine.workflows.handle(asks, id)
      const path = new URL(links.link(handle, 'pay', { by: 'finance@shop.example' })).pathname
      const { text } = await fixture.send(path, { headers: { accept: 'text/html' } })
      const question = /name="question" value="([^"]*)"/.exec(text)?.[1] ?? ''
      const body = new URLSearchParams({ decision: 'refuse', question, reason }).toString()
      const sent = { 'content-type': 'application/x-www-form-urlencoded' }
      expect((await fixture.send(path, { headers: sent, body })).status).toBe(200)
    },
    ...{ action: 'workflow.refuse', details: { approval: 'pay', reason }, actor: 'finance@shop.example' },
  },
  cancelWorkflow: {
    does: async () => post(`${await instance()}/cancel`, { reason }),
    ...{ action: 'workflow.cancel', details: { before: 'running', after: 'cancel requested', reason } },
  },
  terminateWorkflow: {
    does: async () => post(`${await instance()}/terminate`, { reason }),
    ...{ action: 'workflow.terminate', details: { before: 'running', after: 'terminated', reason } },
  },
  retryWorkflow: {
    does: async () => post(`${await instance({ halts: true })}/retry`, { reason }),
    ...{
      action: 'workflow.retry',
      details: { before: 'needs attention', after: 'running', redrive: expect.any(String), reason },
    },
  },
  restartWorkflow: {
    async does() {
      const path = await instance()
      await post(`${path}/terminate`, {})
      await ended(path)
      await post(`${path}/restart`, { reason })
    },
    ...{ action: 'workflow.restart', details: { from: null, reason } },
  },
  runSchedule: {
    does: () => post('/v1/schedules/night/run', { reason }),
    ...{ action: 'schedule.run', details: { event: expect.any(String), reason } },
  },
  setWebhookEndpoint: {
    does: () => post('/v1/webhooks/partners', { endpoint: 'ep-1', state: 'disabled', reason }),
    ...{ action: 'webhook.disable', details: { before: 'enabled', after: 'disabled', reason } },
  },
  setBreaker: {
    async does() {
      await post('/v1/breakers/carrier', { state: 'open', reason })
      await post('/v1/breakers/carrier', { state: 'closed' })
    },
    ...{ action: 'breaker.open', details: { before: 'closed', after: 'open', reason } },
  },
  discardDeadLetters: {
    async does() {
      const { id } = await letter()
      await post('/v1/dead-letters/discard', { filter: { ids: [id] }, reason })
    },
    ...{ action: 'dead-letters.discard', details: { count: 1, reason } },
  },
  startRedrive: {
    async does() {
      const { id, event } = await letter()
      const data = { order: orderOf(event), country: 'AT' }
      await post('/v1/redrives', { filter: { ids: [id], round: 0 }, data, reason })
    },
    ...{ action: 'redrive.create', details: { selected: 1, edited: true, changed: ['/country'], reason } },
  },
  stopRedrive: {
    async does() {
      await letter()
      await letter()
      const filter = { subscription: 'ship' }
      const { id } = await post('/v1/redrives', { filter, canary: 0, rate: 0.01 })
      await post(`/v1/redrives/${String(id)}/stop`, { reason })
    },
    ...{ action: 'redrive.stop', details: { before: 'running', after: 'stopped', reason } },
  },
  startReplay: {
    does: () => post('/v1/replays', { subscription: 'ship', reason }),
    ...{ action: 'replay.create', details: { subscription: 'ship', reason } },
  },
  stopReplay: {
    async does() {
      // Of a subscription that is paused nothing is replayed: it runs until it is stopped.
      await post('/v1/subscriptions/ship/pause', {})
      const { id } = await post('/v1/replays', { subscription: 'ship' })
      await post(`/v1/replays/${String(id)}/stop`, { reason })
      await post('/v1/subscriptions/ship/resume', {})
    },
    ...{ action: 'replay.stop', details: { before: 'running', after: 'stopped', progress: 0, reason } },
  },
  createKey: {
    does: () => post('/v1/keys', { name: 'vic', access: 'viewer', reason }),
    ...{ action: 'key.create', details: { name: 'vic', scopes: ['read'], reason } },
  },
  withdrawKey: {
    async does() {
      const { id } = await post('/v1/keys', { name: 'eve', access: 'viewer' })
      await post(`/v1/keys/${String(id)}/withdraw`, { reason })
    },
    ...{ action: 'key.withdraw', details: { name: 'eve', reason } },
  },
}

/** What changes nothing that an operator answers for, and why. */
const actless: Readonly<Record<string, string>> = {
  publishEvents: 'an event is its own record',
  takeMessage: 'so is what a source takes',
  startWorkflow: 'the event that starts it says so',
  previewRedrive: 'a look',
  previewReplay: 'a look',
  checkDeadLetter: 'a look',
  openSession: 'who signs in changes nothing',
  closeSession: 'nor who signs out',
}

const changing = routeTable.filter(({ method }) => method !== 'GET').map(({ operationId }) => operationId)

test('every changing route is an act, or says why it is none', () => {
  expect([...Object.keys(acts), ...Object.keys(actless)].sort()).toEqual([...changing].sort())
})

const audit = async () => itemsOf('/v1/audit?limit=500')

test.each(Object.entries(acts))('%s leaves who, what, why and what changed', async (_name, act) => {
  const before = (await audit())[0]?.id ?? 0
  await act.does()
  const rows = (await audit()).filter(({ id }) => Number(id) > Number(before))
  const row = rows.find(({ action }) => action === act.action)
  expect(row, JSON.stringify(rows)).toMatchObject({ actor: act.actor ?? 'ada', details: act.details })
  expect(Number(row?.atMs)).toBeGreaterThan(0)
  expect(String(row?.target)).not.toBe('')
})

test('the audit holds no payload', async () => {
  expect(JSON.stringify(await audit())).not.toMatch(/secret|"AT"/)
})

test('is found by who, what, to what and when, and refuses what is no time', async () => {
  const found = async (query: string) => itemsOf(`/v1/audit?${query}`)
  expect((await found('actor=finance@shop.example')).map(({ action }) => action)).toEqual(['workflow.refuse'])
  const keys = await found('action=key.*')
  expect(new Set(keys.map(({ action }) => action))).toEqual(new Set(['key.create', 'key.withdraw']))
  expect((await found('target=carrier')).map(({ action }) => action)).toEqual([
    ...['breaker.close', 'breaker.open'],
  ])
  expect(await found('after=2099-01-01T00:00:00Z')).toEqual([])
  expect(await get('/v1/audit?before=yesterday')).toMatchObject({ status: 400, field: '/query/before' })
})

test('a signal of a machine is an event like others, and no act', async () => {
  const { key } = await post('/v1/keys', { name: 'shop', access: ['publish'] })
  const path = await instance()
  const before = await audit()
  const machine = { authorization: `Bearer ${String(key)}` }
  const sent = await fixture.send(`${path}/signal`, { json: { name: 'go' }, headers: machine })
  expect(sent.status).toBe(202)
  expect(await audit()).toEqual(before)
})

test('of two who edit the same letter the second is told, and nothing is overwritten', async () => {
  const { id, round, event } = await letter()
  const edit = (country: string, idempotencyKey: string) =>
    fixture.send('/v1/redrives', {
      headers,
      json: { filter: { ids: [id], round }, data: { order: orderOf(event), country }, idempotencyKey },
    })
  const first = await edit('AT', 'first')
  expect(first.status).toBe(202)
  const second = await edit('DE', 'second')
  expect([second.status, second.json.code, second.json.field]).toEqual([
    409,
    'LETTER_CHANGED',
    '/filter/round',
  ])
  // A lost answer that is asked for again is still the first redrive.
  expect((await edit('AT', 'first')).json.id).toBe(first.json.id)
  await fixture.until(
    () => get(`/v1/dead-letters/${encodeURIComponent(String(id))}`),
    ({ state }) => state === ('redriven' as never),
  )
  const again = await edit('DE', 'third')
  expect([again.status, again.json.code]).toEqual([409, 'LETTER_CHANGED'])
})

test('an edit that is refused leaves nothing behind: no redrive, and no act', async () => {
  const { id, event } = await letter()
  const standing = async () =>
    [...(await itemsOf('/v1/redrives?limit=500')), ...(await audit())].map((each) => each.id)
  const before = await standing()
  const edit = (filter: object, data: object) =>
    fixture.send('/v1/redrives', { headers, json: { filter: { ids: [id], ...filter }, data } })
  const misfit = await edit({ round: 0 }, { order: 7 })
  expect([misfit.status, misfit.json.code]).toEqual([422, 'EVENT_INVALID'])
  const late = await edit({ round: 1 }, { order: orderOf(event), country: 'AT' })
  expect([late.status, late.json.code]).toEqual([409, 'LETTER_CHANGED'])
  expect(await standing()).toEqual(before)
})

test('nor is the edit of somebody overwritten whose data died once more', async () => {
  const { id, round, event } = await letter()
  const edit = (data: object) =>
    fixture.send('/v1/redrives', { headers, json: { filter: { ids: [id], round }, data } })
  expect((await edit({ order: `${orderOf(event)} mended` })).status).toBe(202)
  const path = `/v1/dead-letters/${encodeURIComponent(String(id))}`
  await fixture.until(
    () => get(path),
    (each) => each.state === ('dead' as never) && each.round === (((round as number) + 1) as never),
  )
  const second = await edit({ order: orderOf(event), country: 'DE' })
  expect([second.status, second.json.code]).toEqual([409, 'LETTER_CHANGED'])
  expect(orderOf((await get(path)).event)).toBe(`${orderOf(event)} mended`)
})
