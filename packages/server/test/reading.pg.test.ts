// What the read side shows and the operator's routes do, each answer held against the schema that the API declares.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import { routeTable } from '../src/route/table.js'
import { subscriptionView } from '../src/schema/views.js'
import { Fixture, mend, order, type Reply } from './fixture.js'

const fixture = new Fixture()
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

/** Sends, and checks status and body against the declaration of `operationId`. */
async function call(operationId: string, path: string, json?: unknown): Promise<Reply> {
  const route = routeTable.find((each) => each.operationId === operationId)
  const reply =
    route?.method === 'POST'
      ? await fixture.operate(path, json)
      : await fixture.send(path, { headers: key() })
  const success = route?.successes.find(({ status }) => status === reply.status)
  if (success === undefined) throw new Error(`${operationId}: ${reply.status} ${reply.text}`)
  expect(issuesOf(success.schema, reply.json)).toEqual([])
  return reply
}

const key = () => ({ authorization: `Bearer ${fixture.server.developmentKey}` })

function issuesOf(schema: z.ZodType, value: unknown): unknown[] {
  return schema.safeParse(value).error?.issues ?? []
}

function allCompleted({ json }: Reply): boolean {
  const states = (json.deliveries as unknown as { state: string }[]).map(({ state }) => state)
  return states.length > 0 && states.every((state) => state === 'completed')
}

const items = (reply: Reply) => reply.json.items as unknown as Record<string, unknown>[]

test('pages of events are stable while new ones arrive', async () => {
  await fixture.send('/v1/events', {
    json: [...Array(7).keys()].map((n) => ({ type: 'tests.anything', id: `page-${n}`, data: n })),
  })
  const seen: unknown[] = []
  let path: string | undefined = '/v1/events?type=tests.anything&limit=3'
  while (path !== undefined) {
    const page = await call('listEvents', path)
    seen.push(...items(page).map(({ data }) => data))
    await fixture.send('/v1/events', { json: { type: 'tests.anything', data: 'later' } })
    path = /^<([^>]+)>; rel="next"$/.exec(String(page.headers.link))?.[1]
    expect(path === undefined).toBe(page.json.cursor === null)
  }
  expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0])
})

test.each(['newest', 'oldest'])(
  'a page of large events ends early, %s first, and the next goes on',
  async (direction) => {
    const data = Array(200).fill('w'.repeat(1_000))
    const ids = [...Array(60).keys()].map((n) => `large-${direction}-${n}`)
    for (let at = 0; at < ids.length; at += 5) {
      const json = ids.slice(at, at + 5).map((id) => ({ type: 'tests.anything', id, key: direction, data }))
      expect((await fixture.send('/v1/events', { json })).status).toBe(202)
    }
    const list = `/v1/events?key=${direction}&order=${direction}&limit=500`
    // Oldest first shows what a worker has seen.
    await fixture.until(() => call('showEvent', `/v1/events/${ids.at(-1)}`), allCompleted)
    const first = await call('listEvents', list)
    expect(items(first)).toHaveLength(25)
    const seen = items(first).map(({ id }) => id)
    for (
      let cursor = first.json.cursor as unknown as string | null;
      cursor !== null && seen.length < ids.length;
    ) {
      const page = await call('listEvents', `${list}&cursor=${cursor}`)
      seen.push(...items(page).map(({ id }) => id))
      cursor = page.json.cursor as unknown as string | null
    }
    expect(seen).toEqual(direction === 'oldest' ? ids : ids.toReversed())
  },
)

test('events are found by key, correlation, tenant and time', async () => {
  const json = {
    ...order('find-me'),
    id: 'find',
    tenant: 'finders',
    correlationId: 'search',
    time: '2020-01-01T00:00:00Z',
  }
  expect((await fixture.send('/v1/events', { json })).status).toBe(202)
  const now = Date.now()
  const found = async (query: string) =>
    items(await call('listEvents', `/v1/events?${query}`)).map(({ id }) => id)
  expect(await found('key=find-me')).toEqual(['find'])
  expect(await found('correlation=search&type=orders.order-placed')).toEqual(['find'])
  expect(await found('tenant=finders&type=orders.order-placed')).toEqual(['find'])
  expect(await found(`tenant=finders&type=*placed&after=${new Date(now - 60_000).toISOString()}`)).toEqual([
    'find',
  ])
  expect(await found(`tenant=finders&type=*placed&before=${new Date(now - 60_000).toISOString()}`)).toEqual(
    [],
  )
  expect(await found('tenant=nobody')).toEqual([])
  expect(await found(`key=${encodeURIComponent("' OR 1=1 --")}`)).toEqual([])
})

test('an event with its deliveries, runs and causal tree', async () => {
  expect((await fixture.send('/v1/events', { json: { ...order('tree'), id: 'tree/1 ü' } })).status).toBe(202)
  const path = `/v1/events/${encodeURIComponent('tree/1 ü')}`
  const settled = ({ json }: Reply) => {
    const states = (json.deliveries as unknown as { state: string }[]).map(({ state }) => state)
    return states.length === 2 && states.every((state) => state === 'completed')
  }
  const { json } = await fixture.until(() => call('showEvent', path), settled)
  expect(json.chain).toMatchObject({
    event: { id: 'tree/1 ü' },
    children: [
      { event: { type: 'orders.order-confirmed', causationId: 'tree/1 ü', correlationId: 'tree/1 ü' } },
    ],
  })
  expect(json.deliveries).toMatchObject([{ runs: [{ outcome: 'done' }] }, { runs: [{ outcome: 'done' }] }])
})

test('the trace of an event, and of none', async () => {
  expect((await fixture.send('/v1/events', { json: { ...order('trace'), id: 'trace/1' } })).status).toBe(202)
  const path = '/v1/events/trace%2F1/trace'
  const attempted = ({ json }: Reply) => {
    const events = json.events as unknown as { deliveries: { attempts: unknown[] }[] }[]
    return (
      events.length === 2 && events[0]?.deliveries.every(({ attempts }) => attempts.length === 1) === true
    )
  }
  const { json } = await fixture.until(() => call('traceEvent', path), attempted)
  expect(json).toMatchObject({ correlationId: 'trace/1', truncated: false })
  expect(json.events).toMatchObject([
    { id: 'trace/1', deliveries: [{ subscription: 'confirm' }, { subscription: 'remember' }] },
    { type: 'orders.order-confirmed', causationId: 'trace/1' },
  ])
  for (const none of ['/v1/events/none/trace', `${path}?tenant=acme`])
    expect((await fixture.send(none)).status).toBe(404)
})

test('subscriptions, workers, breakers, doctor', async () => {
  expect(
    items(await call('listSubscriptions', '/v1/subscriptions'))
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['confirm', 'fail', 'remember'])
  await fixture.send('/v1/events', { json: order('handled') })
  const { p50Ms, p99Ms, sinceMs } = await fixture.until(
    async () =>
      subscriptionView.parse((await call('showSubscription', '/v1/subscriptions/confirm')).json).handling,
    ({ runs }) => runs > 0,
  )
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms ?? Number.NaN)
  expect(sinceMs).toBeLessThanOrEqual(Date.now() + 1_000)
  expect((await call('showSubscription', '/v1/subscriptions/confirm')).json).toMatchObject({
    name: 'confirm',
    state: 'active',
  })
  expect(items(await call('listWorkers', '/v1/workers'))).toHaveLength(1)
  await call('listBreakers', '/v1/breakers')
  expect((await call('showMap', '/v1/map')).json.nodes).toContainEqual(
    expect.objectContaining({ id: 'subscription:confirm', declared: true }),
  )
  // The rate of the subscription itself, as the overview tells it: from the second reading on.
  const taken = async () => {
    const edges = (await call('showMap', '/v1/map')).json.edges as unknown as {
      to: string
      takenPerSecond: number | null
    }[]
    return edges.filter(({ to }) => to === 'subscription:confirm').map((each) => each.takenPerSecond)
  }
  await expect.poll(taken, { timeout: 20_000 }).toEqual([expect.any(Number)])
  const { json } = await call('doctor', '/v1/doctor')
  expect(json.subscriptions).toHaveLength(3)
})

test('contracts with who writes and who reads them', async () => {
  const json = { ...order('agreed'), source: '/shop' }
  expect((await fixture.send('/v1/events', { json })).status).toBe(202)
  const list = () => call('listContracts', '/v1/contracts')
  const { items: contracts, findings } = (await list()).json as unknown as Record<string, { type: string }[]>
  expect(contracts?.filter(({ type }) => type === 'orders.order-placed')).toMatchObject([
    { version: 1, app: 'server-tests' },
    {
      version: 2,
      schema: { properties: { order: { type: 'string' } } },
      producers: expect.arrayContaining(['source:/shop']),
      consumers: [
        { name: 'confirm', app: 'server-tests', reads: 2 },
        { name: 'remember', app: 'server-tests', reads: 2 },
      ],
    },
  ])
  expect(findings?.filter(({ type }) => type === 'tests.failing')).toEqual([])
  await fixture.query(
    `UPDATE eventspine.event_contract SET fingerprint = 'other' WHERE type = 'tests.failing'`,
  )
  expect((await list()).json.findings).toContainEqual(
    expect.objectContaining({ severity: 'breaking', kind: 'changed', type: 'tests.failing', version: 1 }),
  )
})

test('a paused subscription takes nothing until it is resumed', async () => {
  expect((await call('pauseSubscription', '/v1/subscriptions/remember/pause')).json).toEqual({
    name: 'remember',
    state: 'paused',
  })
  expect(
    (await fixture.send('/v1/events', { json: { type: 'tests.anything', id: 'paused', data: 1 } })).status,
  ).toBe(202)
  expect((await call('showSubscription', '/v1/subscriptions/remember')).json.state).toBe('paused')
  expect((await call('showEvent', '/v1/events/paused')).json.deliveries).toMatchObject([{ state: 'pending' }])
  expect((await call('resumeSubscription', '/v1/subscriptions/remember/resume', {})).json.state).toBe(
    'active',
  )
  const done = ({ json }: Reply) =>
    (json.deliveries as unknown as { state: string }[])[0]?.state === 'completed'
  await fixture.until(() => call('showEvent', '/v1/events/paused'), done)
})

const failing = (id: string, tenant = 'default') => ({
  type: 'tests.failing',
  id,
  tenant,
  data: { reason: id },
})

async function dead(count: number, query = ''): Promise<Record<string, unknown>[]> {
  const path = `/v1/dead-letters?subscription=fail${query}`
  return items(
    await fixture.until(
      () => call('listDeadLetters', path),
      (reply) => items(reply).length === count,
    ),
  )
}

test('dead letters are listed, grouped, shown, previewed, redriven and discarded', async () => {
  mend(false)
  expect(
    (await fixture.send('/v1/events', { json: [failing('d1'), failing('d2'), failing('d3', 'acme')] }))
      .status,
  ).toBe(202)
  const [letter] = await dead(3)
  expect(await dead(1, '&tenant=acme')).toHaveLength(1)
  const id = String(letter?.id)
  expect(id).toContain('/')
  expect((await call('showDeadLetter', `/v1/dead-letters/${encodeURIComponent(id)}`)).json).toMatchObject({
    id,
    subscription: 'fail',
  })
  const { schema } = (await call('showDeadLetter', `/v1/dead-letters/${encodeURIComponent(id)}`)).json
  expect(schema).toMatchObject({ type: 'object', properties: { reason: { type: 'string' } } })
  const check = `/v1/dead-letters/${encodeURIComponent(id)}/check`
  expect((await call('checkDeadLetter', check, { data: { reason: 'better' } })).json).toEqual({ ok: true })
  const unfit = await fixture.operate(check, { data: { reason: 5 } })
  expect([unfit.status, unfit.json.code, unfit.json.field]).toEqual([422, 'EVENT_INVALID', '/data/reason'])
  expect((await fixture.operate(check, {})).json).toMatchObject({ code: 'REQUEST_INVALID', field: '/data' })
  expect((await fixture.operate('/v1/dead-letters/fail%2F1.999/check', { data: 1 })).status).toBe(404)
  expect((await call('showDeadLetter', `/v1/dead-letters/${encodeURIComponent(id)}`)).json).toMatchObject({
    ...{ state: 'dead', event: letter?.event },
  })
  const groups = items(await call('groupDeadLetters', '/v1/dead-letters/groups?subscription=fail'))
  expect(groups.reduce((sum, { count }) => sum + Number(count), 0)).toBe(3)

  const preview = await call('previewRedrive', '/v1/redrives/preview', {
    filter: { subscription: 'fail', tenant: 'default' },
  })
  expect(preview.json.selected).toBe(2)
  mend(true)
  const request = {
    filter: { subscription: 'fail', tenant: 'default' },
    rate: 1_000,
    reason: 'mended',
    idempotencyKey: 'once',
  }
  const started = await call('startRedrive', '/v1/redrives', request)
  expect(started.status).toBe(202)
  expect(started.json).toMatchObject({ selected: 2, actor: 'development' })
  const again = await call('startRedrive', '/v1/redrives', request)
  expect(again.json.id).toBe(started.json.id)
  const location = String(started.headers.location)
  const { json } = await fixture.until(
    () => call('showRedrive', location),
    (reply) => reply.json.endedAtMs !== null,
  )
  expect(json).toMatchObject({ state: 'completed', succeeded: 2, failed: 0 })
  expect(items(await call('listRedrives', '/v1/redrives')).map((redrive) => redrive.id)).toEqual([
    started.json.id,
  ])

  const discarded = await call('discardDeadLetters', '/v1/dead-letters/discard', {
    filter: { tenant: 'acme' },
    reason: 'too old',
  })
  expect(discarded.json).toEqual({ discarded: 1 })
  expect(await dead(1, '&state=discarded')).toMatchObject([{ resolvedBy: 'development', reason: 'too old' }])
})

test('a redrive can be stopped', async () => {
  mend(false)
  await fixture.send('/v1/events', {
    json: [...Array(5).keys()].map((n) => failing(`stop-${n}`, 'stoppers')),
  })
  await dead(5, '&tenant=stoppers')
  const started = await call('startRedrive', '/v1/redrives', {
    filter: { tenant: 'stoppers' },
    rate: 0.01,
    canary: 1,
  })
  const stopped = await call('stopRedrive', `${String(started.headers.location)}/stop`, { reason: 'enough' })
  expect(stopped.json).toMatchObject({ state: 'stopped', note: 'enough' })
})

test('a replay goes to its subscription only, and not to one that calls the world', async () => {
  const refused = await fixture.operate('/v1/replays', { subscription: 'confirm' })
  expect([refused.status, refused.json.code]).toEqual([409, 'REPLAY_REFUSED'])
  const unknown = await fixture.operate('/v1/replays', { subscription: 'nobody' })
  expect(unknown.status).toBe(404)
  const body = { subscription: 'remember', from: 'beginning' }
  const preview = await call('previewReplay', '/v1/replays/preview', body)
  expect(preview.json).toMatchObject({ events: expect.any(Number), beyond: 0 })
  const later = { ...body, from: '2199-01-01T00:00:00Z' }
  expect((await call('previewReplay', '/v1/replays/preview', later)).json).toMatchObject({ events: 0 })
  const started = await call('startReplay', '/v1/replays', { ...body, reason: 'test' })
  const location = String(started.headers.location)
  await fixture.until(
    () => call('showReplay', location),
    ({ json }) => json.state === 'completed' && json.matched === preview.json.events,
  )
  expect(items(await call('listReplays', '/v1/replays'))).toHaveLength(1)
  const second = await call('startReplay', '/v1/replays', {
    subscription: 'remember',
    from: '2026-01-01T00:00:00Z',
  })
  await call('stopReplay', `${String(second.headers.location)}/stop`)
})

test('a breaker is set by hand', async () => {
  const set = await call('setBreaker', '/v1/breakers/payments', { state: 'open', tenant: 'acme' })
  expect(set.json).toEqual({ name: 'payments', tenant: 'acme', key: '', state: 'open' })
  expect(items(await call('listBreakers', '/v1/breakers'))).toMatchObject([
    { name: 'payments', state: 'open' },
  ])
  await call('setBreaker', '/v1/breakers/payments', { state: 'closed', tenant: 'acme' })
  expect(items(await call('listBreakers', '/v1/breakers'))).toMatchObject([
    { name: 'payments', state: 'closed' },
  ])
  const ofKey = { tenant: 'acme', key: 'k1' }
  await call('setBreaker', '/v1/breakers/payments', { state: 'closed', ...ofKey })
  expect(items(await call('listBreakers', '/v1/breakers'))).toMatchObject([{ key: '' }, { ...ofKey }])
})

test('the audit names who did what', async () => {
  const audit = items(await call('listAudit', '/v1/audit?limit=500'))
  const actions = audit.map(({ action, actor }) => `${String(actor)} ${String(action)}`)
  expect(actions.length).toBeGreaterThanOrEqual(6)
  expect(new Set(audit.map(({ actor }) => actor))).toEqual(new Set(['development']))
  expect(items(await call('listAudit', '/v1/audit?limit=1'))).toHaveLength(1)
  const [oldest] = audit.slice(-1)
  expect((await call('showAct', `/v1/audit/${String(oldest?.id)}`)).json).toEqual(oldest)
  expect((await fixture.send('/v1/audit/999999')).status).toBe(404)
})
