// Workflows over HTTP: started, seen, signalled, decided, cancelled; and what is refused.
import { defineApp, defineEvent, defineSubscription, PermanentError } from 'eventspine'
import { workflow, workflowOverdue } from 'eventspine/workflow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createApiKey } from '../src/index.js'
import { routeTable } from '../src/route/table.js'
import { Fixture, type Reply } from './fixture.js'

const refund = workflow({
  name: 'refund',
  input: z.object({ amount: z.number() }),
  run: async (ctx, { amount }) => {
    const note = await ctx.signal('note')
    const decision = await ctx.approval('pay', { to: 'finance' })
    return ctx.step('pay', () => ({ amount, note, by: decision?.by, approved: decision?.approved }))
  },
})

const all = createApiKey({ scopes: ['publish', 'read', 'operate', 'admin'], name: 'ada' })
const writer = createApiKey({ scopes: ['publish'], name: 'writer' })
const acme = createApiKey({
  scopes: ['publish', 'read', 'operate', 'admin'],
  tenant: 'acme',
  name: 'acme-ops',
})
const echo = workflow({
  name: 'echo',
  run: async (ctx, input: { readonly times: number }) => {
    if (input.times < 0) await ctx.signal('never')
    return await ctx.step('echo', () => {
      if (input.times === 0) throw new PermanentError('nothing to say')
      return 'x'.repeat(input.times)
    })
  },
})
const said = defineEvent({ type: 'tests.said', schema: z.object({}) })
const page = defineSubscription({ name: 'page', on: workflowOverdue, handle: () => {} })
const app = defineApp({
  ...{ name: 'server-workflows', workflows: [refund, echo], events: [said], subscriptions: [page] },
})
const fixture = new Fixture(
  { development: false, apiKeys: [all.record, acme.record, writer.record] },
  {},
  app,
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

/** Sends, and holds the answer against what `operationId` declares. */
async function call(operationId: string, path: string, json?: unknown, key = all.key): Promise<Reply> {
  const headers = { authorization: `Bearer ${key}` }
  const reply = await fixture.send(path, json === undefined ? { headers } : { headers, json })
  const route = routeTable.find((each) => each.operationId === operationId)
  const success = route?.successes.find(({ status }) => status === reply.status)
  if (success !== undefined) expect(success.schema.safeParse(reply.json).error?.issues ?? []).toEqual([])
  return reply
}

const stateOf = async (path: string) => (await call('showWorkflow', path)).json.state as unknown

/** Starts one and prefers to wait for its end. */
async function awaited(input: object, prefer: string): Promise<Reply> {
  const headers = { authorization: `Bearer ${all.key}`, prefer }
  return await fixture.send('/v1/workflows/echo', { headers, json: { input } })
}

test('who prefers to wait is given the end, and where to look where it takes longer', async () => {
  const ended = await awaited({ times: 3 }, 'wait=20')
  expect(ended.headers['preference-applied']).toBe('wait=20')
  expect([ended.status, ended.json.state, ended.json.output]).toEqual([200, 'completed', 'xxx'])
  const failed = await awaited({ times: 0 }, 'respond-async, wait=20')
  expect([failed.status, failed.json.state]).toEqual([200, 'failed'])
  const late = await awaited({ times: -1 }, 'wait=1')
  expect([late.status, late.json.state]).toEqual([202, undefined])
  expect((await call('showWorkflow', String(late.headers.location))).json.state).toBe('running')
  expect((await awaited({ times: 1 }, 'handling=strict')).status).toBe(202)
})

test('a key that may not read is told where to look, and no more', async () => {
  const headers = { authorization: `Bearer ${writer.key}`, prefer: 'wait=20' }
  const reply = await fixture.send('/v1/workflows/echo', { headers, json: { input: { times: 2 } } })
  expect([reply.status, reply.json.output, reply.headers['preference-applied']]).toEqual([
    202,
    undefined,
    undefined,
  ])
})

test('nobody from outside says what the engine says', async () => {
  const headers = { authorization: `Bearer ${all.key}`, 'content-type': 'application/cloudevents+json' }
  const event = { specversion: '1.0', id: '1', source: '/x', type: 'eventspine.workflow-overdue', data: {} }
  const posted = async (parts: object) =>
    (
      await fixture.send('/v1/events', {
        method: 'POST',
        headers,
        body: JSON.stringify({ ...event, ...parts }),
      })
    ).json.code
  expect(await posted({})).toBe('EVENT_UNKNOWN')
  expect(await posted({ type: 'tests.said', source: '/eventspine/workflows' })).toBe('EVENT_INVALID')
})

test('what cannot go on is ended, restarted from a step, and sent again', async () => {
  const path = '/v1/workflows/echo'
  await call('startWorkflow', path, { id: 'stuck', input: { times: -1 } })
  await fixture.until(
    () => stateOf(`${path}/stuck`),
    (state) => state === 'running',
  )
  const halted = await call('retryWorkflow', `${path}/stuck/retry`, {})
  expect([halted.status, halted.json.code]).toEqual([409, 'WORKFLOW_NOT_HALTED'])
  const early = await call('restartWorkflow', `${path}/stuck/restart`, {})
  expect([early.status, early.json.code]).toEqual([409, 'WORKFLOW_RUNNING'])
  expect((await call('terminateWorkflow', `${path}/stuck/terminate`, { reason: 'a test' })).status).toBe(200)
  expect(await stateOf(`${path}/stuck`)).toBe('terminated')
  const again = await call('terminateWorkflow', `${path}/stuck/terminate`, {})
  expect([again.status, again.json.code]).toEqual([409, 'WORKFLOW_ENDED'])
  const wrong = await call('restartWorkflow', `${path}/stuck/restart`, { from: 'sing' })
  expect([wrong.status, wrong.json.code]).toEqual([404, 'NOT_FOUND'])
  const next = await call('restartWorkflow', `${path}/stuck/restart`, {})
  expect([next.status, next.headers.location]).toEqual([202, '/v1/workflows/echo/stuck~2'])
})

test('an instance from its start to its end', async () => {
  const started = await call('startWorkflow', '/v1/workflows/refund', { id: 'r 1', input: { amount: 40 } })
  expect([started.status, started.headers.location]).toEqual([202, '/v1/workflows/refund/r%201'])
  const again = await call('startWorkflow', '/v1/workflows/refund', { id: 'r 1', input: { amount: 40 } })
  expect(again.status).toBe(202)
  const other = await call('startWorkflow', '/v1/workflows/refund', { id: 'r 1', input: { amount: 41 } })
  expect([other.status, other.json.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
  const path = String(started.headers.location)
  expect((await call('signalWorkflow', `${path}/signal`, { name: 'note', payload: 'late' })).status).toBe(202)
  await fixture.until(
    () => call('showWorkflow', path),
    ({ text }) => text.includes('"asked"'),
  )
  const asking = async () =>
    (await call('listWorkflows', '/v1/workflows?state=awaiting-approval')).json.items as unknown as object[]
  expect(await asking()).toMatchObject([{ id: 'r 1', approval: { name: 'pay', dueAtMs: null, open: 1 } }])
  const headers = { authorization: `Bearer ${all.key}` }
  expect((await fixture.send('/v1/overview', { headers })).json).toMatchObject({ awaitingApproval: 1 })
  const decided = await call('approveWorkflow', `${path}/approve`, {
    name: 'pay',
    approved: true,
    reason: 'ok',
  })
  expect(decided.status).toBe(202)
  await fixture.until(
    () => stateOf(path),
    (state) => state === 'completed',
  )
  const shown = await call('showWorkflow', path)
  expect(shown.json.output).toEqual({ amount: 40, note: 'late', by: 'ada', approved: true })
  expect(await asking()).toEqual([])
  const late = await call('signalWorkflow', `${path}/signal`, { name: 'note' })
  expect([late.status, late.json.code]).toEqual([409, 'WORKFLOW_ENDED'])
})

test('lists pages, by state, and cancels', async () => {
  for (const id of ['a', 'b', 'c'])
    await call('startWorkflow', '/v1/workflows/refund', { id, input: { amount: 1 } })
  const list = (limit: number) =>
    call('listWorkflows', `/v1/workflows?state=open&workflow=refund&limit=${limit}`)
  // They begin one after another: all have to be there before they are leafed through.
  await fixture.until(
    () => list(3),
    ({ json }) => (json.items as unknown as unknown[]).length === 3,
  )
  const page = await list(2)
  expect((page.json.items as unknown as unknown[]).length).toBe(2)
  const next = await call('listWorkflows', /^<([^>]+)>/.exec(String(page.headers.link))?.[1] ?? '')
  expect(page.json.cursor).not.toBeNull()
  expect((next.json.items as unknown as unknown[]).length).toBeGreaterThan(0)
  const found = async (query: string) => {
    const { json } = await call('listWorkflows', `/v1/workflows?workflow=refund&${query}`)
    return (json.items as unknown as { id: string }[]).map(({ id }) => id)
  }
  expect(await found('id=b&version=1&startedAfter=2020-01-01T00:00:00Z')).toEqual(['b'])
  expect(await found('startedBefore=2020-01-01T00:00:00%2B01:00')).toEqual([])
  await call('cancelWorkflow', '/v1/workflows/refund/a/cancel', { reason: 'no need' })
  await fixture.until(
    () => stateOf('/v1/workflows/refund/a'),
    (state) => state === 'cancelled',
  )
})

test('a key of one tenant starts, sees and reaches its own', async () => {
  const own = await call(
    'startWorkflow',
    '/v1/workflows/refund',
    { id: 'own', input: { amount: 1 } },
    acme.key,
  )
  expect(own.json.tenant).toBe('acme')
  await call('startWorkflow', '/v1/workflows/refund', { id: 'theirs', input: { amount: 1 } })
  const seen = () => call('listWorkflows', '/v1/workflows', undefined, acme.key)
  const { json } = await fixture.until(seen, (reply) => (reply.json.items as unknown as unknown[]).length > 0)
  expect((json.items as unknown as { id: string }[]).map(({ id }) => id)).toEqual(['own'])
  const theirs = '/v1/workflows/refund/theirs'
  expect((await call('showWorkflow', theirs, undefined, acme.key)).status).toBe(404)
  expect((await call('signalWorkflow', `${theirs}/signal`, { name: 'note' }, acme.key)).status).toBe(404)
  const named = await call('cancelWorkflow', `${theirs}/cancel?tenant=default`, {}, acme.key)
  expect([named.status, named.json.code]).toEqual([403, 'TENANT_FORBIDDEN'])
})

test.each([
  ['/v1/workflows/unknown', { input: 1 }, 404, 'WORKFLOW_UNKNOWN'],
  ['/v1/workflows/refund', { input: { amount: 'much' } }, 422, 'EVENT_INVALID'],
  ['/v1/workflows/refund', { id: '', input: { amount: 1 } }, 400, 'REQUEST_INVALID'],
  ['/v1/workflows/refund/none/signal', { name: 'note' }, 404, 'NOT_FOUND'],
  ['/v1/workflows/refund/none/cancel', { why: 'x' }, 400, 'REQUEST_INVALID'],
])('POST %s with %o is refused', async (path, json, status, code) => {
  const reply = await fixture.send(path, { headers: { authorization: `Bearer ${all.key}` }, json })
  expect([reply.status, reply.json.code]).toEqual([status, code])
})

test.each([
  ...['cursor=x', 'state=odd', 'limit=0', 'version=0', 'version=a', 'id=', 'startedAfter=monday'],
  'startedBefore=2026-02-30T00:00:00Z',
])('GET /v1/workflows?%s is refused', async (query) => {
  const reply = await call('listWorkflows', `/v1/workflows?${query}`)
  expect([reply.status, reply.json.code]).toEqual([400, 'REQUEST_INVALID'])
})

test('is known from when it is accepted on, also while no worker takes it up', async () => {
  const own = { authorization: `Bearer ${all.key}` }
  await fixture.send('/v1/subscriptions/workflow-echo/pause', { headers: own, json: {} })
  const started = await call('startWorkflow', '/v1/workflows/echo', { id: 'early', input: { times: 3 } })
  const place = String(started.headers.location)
  const early = await call('showWorkflow', place)
  expect([early.status, early.headers['retry-after']]).toEqual([202, '1'])
  expect(early.json).toEqual({ workflow: 'echo', id: 'early', tenant: 'default' })
  expect((await call('showWorkflow', place, undefined, acme.key)).status).toBe(404)
  expect((await call('showWorkflow', '/v1/workflows/echo/never')).status).toBe(404)
  await fixture.send('/v1/subscriptions/workflow-echo/resume', { headers: own, json: {} })
  // A worker hears of it by its next heartbeat, a second later at most: as long as a poll of vitest lasts by itself.
  await expect.poll(() => stateOf(place), { timeout: 20_000 }).toBe('completed')
})
