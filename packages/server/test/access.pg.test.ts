// Who may do what: keys, scopes, tenants, host names, other sites.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey, createServer } from '../src/index.js'
import { routeTable } from '../src/route/table.js'
import { exchange, Fixture, mend, order } from './fixture.js'

const all = createApiKey({ scopes: ['publish', 'read', 'operate', 'admin'], name: 'ada' })
const publisher = createApiKey({ scopes: ['publish'] })
const reader = createApiKey({ scopes: ['read'] })
const acme = createApiKey({
  scopes: ['publish', 'read', 'operate', 'admin'],
  tenant: 'acme',
  name: 'acme-ops',
})
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const fixture = new Fixture({
  development: false,
  apiKeys: [all.record, publisher.record, reader.record, acme.record],
  allowedHosts: ['Events.Example'],
  limits: { inFlightPerCredentialMax: 2 },
})
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const pathOf = (url: string) => url.replaceAll(/:[a-z]+/gi, 'x')

test('the log names the key that was refused', async () => {
  fixture.logs.splice(0)
  const refused = await fixture.send('/v1/events', { json: order('refused'), headers: bearer(reader.key) })
  expect(refused.json.code).toBe('SCOPE_MISSING')
  await fixture.until(
    async () => fixture.logs.length,
    (count) => count === 1,
  )
  expect(fixture.logs[0]).toMatchObject({ problem: 'SCOPE_MISSING', credential: reader.record.id })
})

describe('every route', () => {
  const guarded = routeTable.filter(({ access }) => access.scope !== 'open' && access.openOnLoopback !== true)

  test('there are guarded ones', () => expect(guarded.length).toBeGreaterThan(20))

  test.each(guarded.map((route) => [`${route.method} ${route.url}`, route] as const))(
    '%s needs its scope',
    async (_name, { method, url, access }) => {
      const without = await fixture.send(pathOf(url), { method })
      expect(without.status).toBe(401)
      expect(without.headers['www-authenticate']).toMatch(/^Bearer/)
      const other = access.scope === 'read' ? publisher : reader
      const lacking = await fixture.send(pathOf(url), { method, headers: bearer(other.key) })
      expect([lacking.status, lacking.json.code]).toEqual([403, 'SCOPE_MISSING'])
      if (access.tenancy !== 'system') return
      const limited = await fixture.send(pathOf(url), { method, headers: bearer(acme.key) })
      expect([limited.status, limited.json.code]).toEqual([403, 'TENANT_FORBIDDEN'])
    },
  )
})

test('a key that is not ours, mutated, or in another form is no key', async () => {
  const { key } = all
  const last = key.endsWith('A') ? 'B' : 'A'
  const wrong = [
    `${key.slice(0, -1)}${last}`,
    `${key}x`,
    key.slice(0, -1),
    key.toUpperCase(),
    createApiKey({ scopes: ['read'] }).key,
    'es__',
    'x'.repeat(5_000),
  ]
  for (const each of wrong)
    expect((await fixture.send('/v1/events', { headers: bearer(each) })).status).toBe(401)
  for (const authorization of [key, `Basic ${key}`, 'Bearer', `Bearer ${key} ${key}`]) {
    expect((await fixture.send('/v1/events', { headers: { authorization } })).status).toBe(401)
  }
  expect((await fixture.send('/v1/events', { headers: { authorization: `bearer ${key}` } })).status).toBe(200)
})

test('a revoked key is refused from the next request on', async () => {
  const one = createApiKey({ scopes: ['read'] })
  fixture.server.replaceKeys([all.record, publisher.record, reader.record, acme.record, one.record])
  expect((await fixture.send('/v1/events', { headers: bearer(one.key) })).status).toBe(200)
  fixture.server.replaceKeys([all.record, publisher.record, reader.record, acme.record])
  expect((await fixture.send('/v1/events', { headers: bearer(one.key) })).status).toBe(401)
})

describe('a key of one tenant', () => {
  const mine = bearer(acme.key)

  test('publishes for its tenant, and for no other', async () => {
    const own = await fixture.send('/v1/events', { json: { ...order('own'), id: 'own' }, headers: mine })
    expect(own.json).toMatchObject({ events: [{ tenant: 'acme' }] })
    const other = await fixture.send('/v1/events', {
      json: [order('a'), { ...order('b'), tenant: 'globex' }],
      headers: mine,
    })
    expect([other.status, other.json.code, other.json.field]).toEqual([403, 'TENANT_FORBIDDEN', '/1/tenant'])
  })

  test('sees another tenant as if it were not there', async () => {
    const theirs = { ...order('theirs'), id: 'theirs', tenant: 'globex', correlationId: 'own' }
    expect((await fixture.send('/v1/events', { json: theirs, headers: bearer(all.key) })).status).toBe(202)
    const foreign = await fixture.send('/v1/events/theirs', { headers: mine })
    const missing = await fixture.send('/v1/events/nothing', { headers: mine })
    expect([foreign.status, missing.status]).toEqual([404, 404])
    expect({ ...foreign.json, instance: '' }).toEqual({ ...missing.json, instance: '' })
    expect((await fixture.send('/v1/events/theirs?tenant=globex', { headers: mine })).status).toBe(404)
    for (const query of ['', '?tenant=globex', '?correlation=own']) {
      const list = await fixture.send(`/v1/events${query}`, { headers: mine })
      expect(list.status).toBe(200)
      expect(list.text).not.toContain('globex')
    }
    const own = await fixture.send('/v1/events/own', { headers: mine })
    expect(own.json).toMatchObject({ event: { id: 'own' }, chain: { event: { id: 'own' } } })
    expect(own.text).not.toContain('theirs')
  })

  test('sees dead letters and redrives of its own only', async () => {
    mend(false)
    const json = ['acme', 'globex'].map((tenant) => ({
      type: 'tests.failing',
      tenant,
      key: `of ${tenant}`,
      data: { reason: tenant },
    }))
    await fixture.send('/v1/events', { json, headers: bearer(all.key) })
    const list = (key: string, query = '') =>
      fixture.send(`/v1/dead-letters${query}`, { headers: bearer(key) })
    const both = await fixture.until(
      () => list(all.key),
      (reply) => (reply.json.items as unknown as unknown[]).length === 2,
    )
    const letters = both.json.items as unknown as { id: string; tenant: string }[]
    expect((await list(acme.key)).json.items).toMatchObject([{ tenant: 'acme' }])
    expect((await list(all.key, '?key=of+globex')).json.items).toMatchObject([{ tenant: 'globex' }])
    expect((await list(acme.key, '?key=of+globex')).json.items).toEqual([])
    const groups = await fixture.send('/v1/dead-letters/groups', { headers: mine })
    expect(groups.json.items).toMatchObject([{ count: 1, message: 'No luck: acme' }])
    for (const { id, tenant } of letters) {
      const shown = await fixture.send(`/v1/dead-letters/${encodeURIComponent(id)}`, { headers: mine })
      expect([tenant, shown.status]).toEqual([tenant, tenant === 'acme' ? 200 : 404])
      const checked = await fixture.send(`/v1/dead-letters/${encodeURIComponent(id)}/check`, {
        ...{ headers: mine, json: { data: { reason: 'new' } } },
      })
      expect([tenant, checked.status]).toEqual([tenant, tenant === 'acme' ? 200 : 404])
    }

    const preview = { filter: { ids: letters.map(({ id }) => id) } }
    expect((await fixture.send('/v1/redrives/preview', { json: preview, headers: mine })).json.selected).toBe(
      1,
    )
    const start = (key: string, tenant: string) =>
      fixture.send('/v1/redrives', {
        json: { filter: { tenant }, idempotencyKey: 'same' },
        headers: bearer(key),
      })
    const theirs = await start(all.key, 'globex')
    const own = await start(acme.key, 'acme')
    expect([theirs.status, own.status]).toEqual([202, 202])
    expect(own.json.id).not.toBe(theirs.json.id)
    const redrives = await fixture.send('/v1/redrives', { headers: mine })
    expect(redrives.json.items).toMatchObject([{ id: own.json.id }])
    const location = String(theirs.headers.location)
    expect((await fixture.send(location, { headers: mine })).status).toBe(404)
    expect((await fixture.send(`${location}/stop`, { method: 'POST', headers: mine })).status).toBe(404)
    expect((await fixture.send(String(own.headers.location), { headers: mine })).status).toBe(200)
  })

  test('redrives and discards its own only', async () => {
    for (const [path, more] of [
      ['/v1/redrives/preview', {}],
      ['/v1/redrives', {}],
      ['/v1/dead-letters/discard', { reason: 'r' }],
    ] as const) {
      const reply = await fixture.send(path, {
        json: { filter: { tenant: 'globex' }, ...more },
        headers: mine,
      })
      expect([reply.status, reply.json.code]).toEqual([403, 'TENANT_FORBIDDEN'])
    }
  })
})

test.each([
  'localhost',
  'LOCALHOST:9',
  '127.0.0.1:80',
  '[::1]',
  '[::1]:4600',
  'events.example',
  'events.example:443',
])('the host name %s is served', async (host) =>
  expect((await fixture.send('/healthz', { headers: { host } })).status).toBe(200),
)

test.each([
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.nip.io',
  '0.0.0.0',
  '[::2]',
  'localhost.',
  '2130706433',
  'local_host',
  ' ',
])('the host name %s is not', async (host) => {
  const reply = await fixture.send('/healthz', { headers: { host } })
  expect([reply.status, reply.json.code]).toEqual([421, 'HOST_REFUSED'])
})

test('a target that names a host of its own is judged by that one', async () => {
  const host = '127.0.0.1'
  const foreign = await fixture.send('http://evil.example/healthz', { headers: { host } })
  expect([foreign.status, foreign.json.code]).toEqual([421, 'HOST_REFUSED'])
  const own = await fixture.send('http://localhost/healthz', { headers: { host: 'evil.example' } })
  expect(own.json.code).not.toBe('HOST_REFUSED')
})

test('a third request of one credential waits for the first two; another credential does not', async () => {
  const controllers = [new AbortController(), new AbortController()]
  const tails = await Promise.all(
    controllers.map(({ signal }) =>
      fetch(`${fixture.url}/v1/events/tail`, { headers: bearer(reader.key), signal }),
    ),
  )
  expect(tails.map(({ status }) => status)).toEqual([200, 200])
  const third = await fixture.send('/v1/events', { headers: bearer(reader.key) })
  expect([third.status, third.json.code]).toEqual([429, 'IN_FLIGHT_MAX'])
  expect(Number(third.headers['retry-after'])).toBeGreaterThan(0)
  expect((await fixture.send('/v1/events', { headers: bearer(all.key) })).status).toBe(200)
  for (const controller of controllers) controller.abort()
  await fixture.until(
    () => fixture.send('/v1/events', { headers: bearer(reader.key) }),
    ({ status }) => status === 200,
  )
})

describe('in development', () => {
  const open = new Fixture()
  beforeAll(() => open.start())
  afterAll(() => open.stop())

  test('reads and publishes without a key, but does not operate', async () => {
    expect((await open.send('/v1/events', { json: order('dev') })).status).toBe(202)
    expect((await open.send('/v1/events')).status).toBe(200)
    expect((await open.send('/v1/subscriptions/remember/pause', { method: 'POST' })).status).toBe(401)
    expect((await open.operate('/v1/subscriptions/remember/pause')).status).toBe(200)
    expect((await open.operate('/v1/subscriptions/remember/resume')).status).toBe(200)
  })

  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['no origin to speak of', { origin: 'null' }],
    ['another port', { origin: 'http://127.0.0.1:3000' }],
    ['https', { origin: 'https://127.0.0.1' }],
    ['cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['same-site', { 'sec-fetch-site': 'same-site' }],
  ])('a page of %s is refused', async (_name, headers) => {
    const stored = await open.eventsStored()
    for (const sent of [{ headers }, { headers, json: order('csrf') }]) {
      const reply = await open.send('/v1/events', sent)
      expect([reply.status, reply.json.code]).toEqual([403, 'ORIGIN_REFUSED'])
    }
    expect(await open.eventsStored()).toBe(stored)
    const own = { ...headers, ...bearer(open.server.developmentKey ?? '') }
    expect((await open.send('/v1/events', { headers: own })).status).toBe(200)
  })

  test('its own page is not', async () => {
    const headers = { origin: open.url, 'sec-fetch-site': 'same-origin' }
    expect((await open.send('/v1/events', { headers })).status).toBe(200)
  })

  test.each(['x-forwarded-for', 'forwarded', 'via'])(
    'what came through a proxy (%s) needs a key',
    async (name) => {
      expect((await open.send('/v1/events', { headers: { [name]: 'for=192.0.2.1' } })).status).toBe(401)
    },
  )

  test('a wrong key is refused, not ignored', async () => {
    expect((await open.send('/v1/events', { headers: bearer('es_nothing') })).status).toBe(401)
  })
})

describe('the key file', () => {
  test('is made once, for its owner alone, and kept', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'eventspine-key-'))
    const keyFile = join(directory, 'deep', 'key')
    try {
      const options = { port: 0, development: true, keyFile } as const
      const first = createServer(fixture.spine, options)
      await first.start()
      const key = first.developmentKey ?? ''
      expect((await stat(keyFile)).mode & 0o777).toBe(0o600)
      expect(await readFile(keyFile, 'utf8')).toBe(`${key}\n`)
      await first.stop()
      const second = createServer(fixture.spine, options)
      const { url } = await second.start()
      expect(second.developmentKey).toBe(key)
      expect((await exchange(url, '/v1/audit', { headers: bearer(key) })).status).toBe(200)
      await second.stop()
      await writeFile(keyFile, 'something else')
      await expect(createServer(fixture.spine, options).start()).rejects.toThrow(/holds no API key/)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

test('a server that nobody could use does not start, and says what to do', async () => {
  const server = createServer(fixture.spine, { port: 0 })
  await expect(server.start()).rejects.toThrow(/keys create --name you --role admin/)
  await server.stop()
})

test('unsafe options are refused at once', () => {
  expect(() => createServer(fixture.spine, { host: '0.0.0.0', development: true })).toThrow(/loopback only/)
})

test('a key is kept as its hash only', () => {
  expect(JSON.stringify(all.record)).not.toContain(all.key.slice('es_0123456789abcdef_'.length))
  expect(all.record.hash).toMatch(/^[0-9a-f]{64}$/)
})
