// What machines and newcomers ask first, the headers on every answer, the log, start and stop.
import { readFileSync } from 'node:fs'
import { createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createServer } from '../src/index.js'
import { routeTable } from '../src/route/table.js'
import { exchange, Fixture, order } from './fixture.js'

const fixture = new Fixture({ version: '1.2.3' })
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

test('health, readiness and metrics need no key on loopback', async () => {
  expect((await fixture.send('/healthz')).json).toEqual({ ok: true })
  expect((await fixture.send('/readyz')).json).toEqual({ ok: true, cells: { main: { ok: true } } })
  await fixture.send('/v1/events', { json: order('metrics') })
  const metrics = await fixture.send('/metrics')
  expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(metrics.text).toMatch(/^eventspine_events_published_total\{.*\} \d+$/m)
  expect(metrics.text).toMatch(/^# TYPE eventspine_subscription_lag_seconds gauge$/m)
  for (const name of ['matched', 'completed', 'skipped', 'discarded'])
    expect(metrics.text).toMatch(
      new RegExp(`^eventspine_subscription_${name}_total\\{cell="main",subscription="confirm"\\} \\d+$`, 'm'),
    )
})

test('requests are counted and timed by route, method and status, and no caller can make labels', async () => {
  const own = await new Fixture().start()
  const series = async () => {
    const { text } = await own.send('/metrics')
    const lines = [...text.matchAll(/^eventspine_http_request_seconds_count\{(.*)\} (\d+)$/gm)]
    return new Map(lines.map(([, labels, count]) => [labels, Number(count)]))
  }
  const labels = (route: string, method: string, status: number) =>
    `route="${route}",method="${method}",status="${status}"`
  for (const name of ['a', 'b', '"} 1']) await own.send(`/v1/events/${encodeURIComponent(name)}`)
  for (const path of ['/x', '/y', '/z"']) await own.send(path)
  await own.send('/v1/events', { json: order('counted') })
  await own.send('/v1/events', { method: 'PROPFIND' })
  await own.send('/healthz', { method: 'HEAD' })
  // An answer is counted once its connection has seen the end of it.
  const counted = await own.until(series, (found) => found.size >= 5)
  expect(Object.fromEntries(counted)).toMatchObject({
    [labels('/v1/events/:id', 'GET', 404)]: 3,
    [labels('none', 'GET', 404)]: 3,
    [labels('/v1/events', 'POST', 202)]: 1,
    [labels('none', 'other', 405)]: 1,
    [labels('/healthz', 'HEAD', 200)]: 1,
  })
  const { text } = await own.send('/metrics')
  expect(text).toMatch(/^# TYPE eventspine_http_request_seconds histogram$/m)
  expect(text).toContain(
    `eventspine_http_request_seconds_bucket{${labels('/v1/events/:id', 'GET', 404)},le="+Inf"} 3\n`,
  )
  await own.stop()
})

test('a breaker that nobody declares is not found', async () => {
  const opened = await fixture.operate('/v1/breakers/payment', { state: 'open' })
  expect(opened.json).toMatchObject({
    status: 404,
    code: 'NOT_FOUND',
    detail: expect.stringContaining('Did you mean "payments"?'),
  })
  expect((await fixture.operate('/v1/breakers/payments', { state: 'closed' })).status).toBe(200)
})

test('every answer carries the security headers, and none allows another origin', async () => {
  const sent = [
    fixture.send('/'),
    fixture.send('/healthz'),
    fixture.send('/openapi.json'),
    fixture.send('/v1/events'),
    fixture.send('/nothing'),
    fixture.send('/v1/events', {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
    }),
    fixture.send('/v1/events/%zz'),
    fixture.send('/v1/events', { method: 'DELETE' }),
    fixture.send('/v1/audit', { headers: { authorization: 'x' } }),
  ]
  for (const { headers } of await Promise.all(sent)) {
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    })
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*frame-ancestors 'none'/)
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(
      Object.keys(headers).filter((name) => name.startsWith('access-control') || name === 'x-powered-by'),
    ).toEqual([])
  }
})

test('unknown routes, other methods, OPTIONS and HEAD', async () => {
  expect((await fixture.send('/nothing')).json).toMatchObject({ status: 404, code: 'ROUTE_UNKNOWN' })
  expect((await fixture.send('/nothing', { method: 'OPTIONS' })).status).toBe(404)
  const deleted = await fixture.send('/v1/events', { method: 'DELETE' })
  expect([deleted.status, deleted.headers.allow]).toEqual([405, 'POST, GET, HEAD, OPTIONS'])
  const put = await fixture.send('/v1/dead-letters/a%2Fb', { method: 'PUT', json: {} })
  expect([put.status, put.headers.allow, put.json.code]).toEqual([
    405,
    'GET, HEAD, OPTIONS',
    'METHOD_NOT_ALLOWED',
  ])
  const options = await fixture.send('/v1/redrives', { method: 'OPTIONS' })
  expect([options.status, options.headers.allow, options.text]).toEqual([204, 'POST, GET, HEAD, OPTIONS', ''])
  const [head, get] = [await fixture.send('/readyz', { method: 'HEAD' }), await fixture.send('/readyz')]
  expect([head.status, head.text, head.headers['content-length']]).toEqual([
    200,
    '',
    get.headers['content-length'],
  ])
  expect((await fixture.send('/v1/events/none', { method: 'HEAD' })).status).toBe(404)
})

test('the page for people has no script, and shows names as text', async () => {
  const page = await fixture.send('/')
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.text).not.toMatch(/<script|onerror|javascript:/i)
  expect(page.text).toContain('A customer ordered &lt;something&gt;')
  expect(page.text).toContain(`curl -i ${fixture.url}/v1/events`)
  for (const [, link = ''] of page.text.matchAll(/href="([^"]+)"/g))
    expect((await fixture.send(link)).status).toBe(200)
})

test('the log has one line per request with ids, and never a payload', async () => {
  const canary = 'canary-5f1e'
  fixture.logs.splice(0)
  const json = {
    ...order('logged'),
    id: 'logged',
    tenant: 'acme',
    subject: canary,
    data: { order: 'logged', quantity: 1, note: canary },
  }
  await fixture.send('/v1/events', { json, headers: { 'x-request-id': 'my-request' } })
  await fixture.send('/v1/events', {
    json: { ...json, data: { order: canary } },
    headers: { 'x-request-id': 'bad\tid' },
  })
  await fixture.send(`/v1/events?key=${canary}`, { headers: { 'user-agent': canary, cookie: canary } })
  await fixture.send(`/v1/events/${canary}`, { headers: { authorization: `Bearer es_${canary}` } })
  await fixture.until(
    async () => fixture.logs.length,
    (count) => count === 4,
  )
  const byRoute = fixture.logs.map(({ method, route, status, problem, eventIds }) => [
    method,
    route,
    status,
    problem,
    eventIds,
  ])
  expect(byRoute).toEqual([
    ['POST', '/v1/events', 202, undefined, ['logged']],
    ['POST', '/v1/events', 422, 'EVENT_INVALID', undefined],
    ['GET', '/v1/events', 200, undefined, undefined],
    ['GET', '/v1/events/:id', 401, 'UNAUTHENTICATED', undefined],
  ])
  expect(fixture.logs[0]).toMatchObject({
    requestId: 'my-request',
    tenant: 'acme',
    credential: 'anonymous',
    level: 'info',
  })
  expect(fixture.logs[1]?.requestId).toMatch(/^[0-9a-f-]{36}$/)
  expect(JSON.stringify(fixture.logs)).not.toContain(canary)
})

describe('the OpenAPI document', () => {
  interface Operation {
    readonly operationId: string
    readonly summary: string
    readonly security: { apiKey?: string[] }[]
    readonly parameters: { name: string; in: string; schema: object }[]
    readonly requestBody?: { content: Record<string, { schema: object }> }
    readonly responses: Record<string, { content?: Record<string, { schema: { $ref?: string } }> }>
  }
  type Paths = Record<string, Record<string, Operation>>

  const document = async () => (await fixture.send('/openapi.json')).json
  const operations = async () =>
    Object.values((await document()).paths as unknown as Paths).flatMap((path) => Object.values(path))

  test('is of version 3.1 and names this version, else that of the package', async () => {
    expect(await document()).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    const server = createServer(fixture.spine, { port: 0, development: true })
    const { url } = await server.start()
    expect((await exchange(url, '/openapi.json')).json).toMatchObject({ info: { version } })
    await server.stop()
  })

  test('has every route with its scope, parameters, body and problems', async () => {
    const paths = (await document()).paths as unknown as Paths
    const known = await operations()
    expect(known.length).toBe(routeTable.length)
    for (const route of routeTable) {
      const operation = paths[route.url.replaceAll(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()]
      expect(operation?.operationId).toBe(route.operationId)
      expect(operation?.security).toEqual(
        route.access.scope === 'open'
          ? []
          : [route.access.scope, route.access.orScope ?? []].flat().map((scope) => ({ apiKey: [scope] })),
      )
      const names = operation?.parameters.map((parameter) => parameter.name)
      expect(names).toEqual([...Object.keys(route.path.shape), ...Object.keys(route.query.shape)])
      const pathNames = operation?.parameters
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => `:${name}`)
      expect(pathNames).toEqual(route.url.match(/:\w+/g) ?? [])
      expect(operation?.requestBody !== undefined).toBe(route.method === 'POST')
      for (const status of ['400', '421', '500']) {
        expect(operation?.responses[status]?.content?.['application/problem+json']?.schema.$ref).toBe(
          '#/components/schemas/Problem',
        )
      }
    }
  })

  test('refers only to what it contains, and has no empty schema for a body', async () => {
    const text = JSON.stringify(await document())
    const { components } = JSON.parse(text) as { components: { schemas: object } }
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
    expect([...new Set(references)].filter((name) => !Object.hasOwn(components.schemas, name ?? ''))).toEqual(
      [],
    )
    expect(text.match(/"\$ref":"(?!#\/components\/schemas\/)/)).toBeNull()
    for (const { requestBody, operationId } of await operations()) {
      for (const { schema } of Object.values(requestBody?.content ?? {}))
        expect([operationId, Object.keys(schema).length > 0]).toEqual([operationId, true])
    }
  })

  test('unique operation ids', async () => {
    const ids = (await operations()).map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('start and stop', () => {
  test('twice each, in any order, and again', async () => {
    const server = createServer(fixture.spine, { port: 0, development: true })
    await server.stop()
    expect(server.address).toBeUndefined()
    const [one, two] = await Promise.all([server.start(), server.start()])
    expect(one).toEqual(two)
    expect((await exchange(one.url, '/healthz')).status).toBe(200)
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
    await expect(exchange(one.url, '/healthz')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/)
    const { url } = await server.start()
    expect((await exchange(url, '/healthz')).status).toBe(200)
    await server.stop()
  })

  test('a taken port is said to be taken', async () => {
    const taken = createTcpServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    await expect(createServer(fixture.spine, { port, development: true }).start()).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken`,
    )
    await new Promise((resolve) => taken.close(resolve))
  })

  test('requests in flight are answered before the server is gone', async () => {
    const server = createServer(fixture.spine, { port: 0, development: true })
    const { url } = await server.start()
    const replies = [...Array(20).keys()].map((n) =>
      exchange(url, '/v1/events', { json: { ...order(`drain-${n}`), id: `drain-${n}` } }),
    )
    // At least one is at its route.
    await Promise.race(replies)
    await server.stop()
    const outcomes = await Promise.allSettled(replies)
    const stored = await fixture.query(`SELECT id FROM eventspine.event WHERE id LIKE 'drain-%'`)
    const acknowledged = outcomes.filter(
      (outcome) => outcome.status === 'fulfilled' && outcome.value.status === 202,
    )
    expect(stored.length).toBeGreaterThanOrEqual(acknowledged.length)
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') expect([202, 503]).toContain(outcome.value.status)
    }
  })
})

test('when the library has stopped, publishing gets 503 with Retry-After and readiness says why', async () => {
  const other = await new Fixture().start()
  await other.spine.stop()
  const refused = await other.send('/v1/events', { json: order('late') })
  expect([refused.status, refused.json.code]).toEqual([503, 'STOPPED'])
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  const ready = await other.send('/readyz')
  expect([ready.status, ready.json.code]).toEqual([503, 'UNAVAILABLE'])
  expect((await other.send('/healthz')).status).toBe(200)
  await other.stop()
})

test('what is too much at once is refused with Retry-After, and the rest is stored', async () => {
  const small = await new Fixture({}, { limits: { pendingEventsMax: 2 } }).start()
  const sent = [...Array(60).keys()].map((n) => small.send('/v1/events', { json: order(`o${n}`) }))
  const replies = await Promise.all(sent)
  const refused = replies.filter(({ status }) => status !== 202)
  expect(refused.length).toBeGreaterThan(0)
  for (const { status, json, headers } of refused) {
    expect([status, json.code, Number(headers['retry-after']) > 0]).toEqual([503, 'OVERLOADED', true])
  }
  const stored = await small.query(`SELECT 1 FROM eventspine.event WHERE type = 'orders.order-placed'`)
  expect(stored).toHaveLength(60 - refused.length)
  await small.stop()
})

test('with several cells the tenant decides where an event goes, and cell says whom to ask', async () => {
  const url = inject('postgresUrl')
  const [main, acme] = ['main', 'acme'].map((cell) => ({ url, schema: `cells_${cell}_${process.pid}` }))
  if (main === undefined || acme === undefined) throw new Error('two cells')
  const placement = (tenant: string) => (tenant === 'acme' ? 'acme' : 'main')
  const two = await new Fixture({}, { cells: { main, acme }, placement }).start()
  try {
    for (const tenant of ['acme', 'other']) {
      const reply = await two.send('/v1/events', { json: { ...order(tenant), id: tenant, tenant } })
      expect(reply.status).toBe(202)
    }
    const statuses = [
      '/v1/events/acme',
      '/v1/events/acme?cell=acme',
      '/v1/events/other',
      '/v1/events/other?cell=acme',
    ]
    const replies = await Promise.all(statuses.map((path) => two.send(path)))
    expect(replies.map(({ status }) => status)).toEqual([404, 200, 200, 404])
    expect((await two.send('/readyz')).json.cells).toEqual({ main: { ok: true }, acme: { ok: true } })
    const mixed = ['acme', 'other'].map((tenant) => ({ ...order('x'), tenant }))
    expect((await two.send('/v1/events', { json: mixed })).json).toMatchObject({
      status: 400,
      code: 'REQUEST_INVALID',
    })
  } finally {
    await two.stop([main.schema, acme.schema])
  }
})
