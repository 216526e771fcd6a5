// Keys that all servers of a log share: made, shown once, withdrawn, by admins alone; and sessions that outlive a server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey, createServer, roles, type ServerOptions } from '../src/index.js'
import { exchange, Fixture, order } from './fixture.js'

const ada = createApiKey({ scopes: roles.admin, name: 'ada' })
const acme = createApiKey({ scopes: roles.admin, name: 'acme-admin', tenant: 'acme' })
const bearer = (key: unknown) => ({ authorization: `Bearer ${String(key)}` })
const options: ServerOptions = { development: false, apiKeys: [ada.record, acme.record] }

const fixture = new Fixture({ ...options, limits: { storedKeysEveryMs: 20 } })
/** Another server of the same log, which has no keys of its own. */
let second: ReturnType<typeof createServer>
beforeAll(async () => {
  await fixture.start()
})
afterAll(async () => {
  await second?.stop()
  await fixture.stop()
})

const make = (json: object, key = ada.key) => fixture.send('/v1/keys', { json, headers: bearer(key) })
const withdraw = (id: unknown, reason = 'lost') =>
  fixture.send(`/v1/keys/${String(id)}/withdraw`, { json: { reason }, headers: bearer(ada.key) })
const audit = async () =>
  (await fixture.send('/v1/audit?limit=5', { headers: bearer(ada.key) })).json.items as unknown as {
    action: string
    target: string
    details: object
  }[]

test('a key is made for a role, shown once, and opens at once', async () => {
  const made = await make({ name: 'vic', access: 'viewer', reason: 'new here' })
  expect(made.status).toBe(201)
  const { key, id } = made.json as unknown as { key: string; id: string }
  expect(made.json).toMatchObject({ name: 'vic', role: 'viewer', scopes: ['read'], createdBy: 'ada' })
  expect((await fixture.send('/v1/events', { headers: bearer(key) })).status).toBe(200)
  const list = await fixture.send('/v1/keys', { headers: bearer(ada.key) })
  expect(list.json.items).toContainEqual(expect.objectContaining({ id, kept: 'database', withdrawn: null }))
  expect(list.json.items).toContainEqual(expect.objectContaining({ id: ada.record.id, kept: 'server' }))
  const [row] = await audit()
  const details = { name: 'vic', scopes: ['read'], tenant: null, reason: 'new here' }
  expect(row).toMatchObject({ actor: 'ada', action: 'key.create', target: id, details })
  const stored = JSON.stringify([
    list.text,
    await audit(),
    fixture.logs,
    await fixture.query('SELECT * FROM eventspine.api_key'),
  ])
  expect(stored).not.toContain(key.slice('es_0123456789abcdef_'.length))
})

test('or for a machine, by its scopes and tenant', async () => {
  const { json } = await make({ name: 'shop', access: ['publish', 'publish'], tenant: 'acme' })
  expect(json).toMatchObject({ role: null, scopes: ['publish'], tenant: 'acme' })
  const published = await fixture.send('/v1/events', { json: order('k-1'), headers: bearer(json.key) })
  expect(published.json).toMatchObject({ events: [{ tenant: 'acme' }] })
})

test.each([
  [{ access: 'viewer' }, '/name'],
  [{ name: 'x' }, '/access'],
  [{ name: 'x', access: 'owner' }, '/access'],
  [{ name: 'x', access: [] }, '/access'],
  [{ name: 'x', access: ['all'] }, '/access'],
  [{ name: 'a\nb', access: 'viewer' }, '/name'],
])('%j is refused at %s, and nothing is kept', async (body, field) => {
  const before = (await fixture.query('SELECT id FROM eventspine.api_key')).length
  const { status, json } = await make(body)
  expect([status, json.code, json.field]).toEqual([400, 'REQUEST_INVALID', field])
  expect(await fixture.query('SELECT id FROM eventspine.api_key')).toHaveLength(before)
})

test('is withdrawn with a reason, opens nothing from then on, and stays listed', async () => {
  const { json } = await make({ name: 'olga', access: 'operator' })
  const { key, id } = json as unknown as { key: string; id: string }
  expect((await fixture.send('/v1/audit', { headers: bearer(key) })).status).toBe(200)
  const gone = await withdraw(id)
  expect(gone.json).toMatchObject({ id, withdrawn: { by: 'ada', reason: 'lost' } })
  expect((await fixture.send('/v1/audit', { headers: bearer(key) })).status).toBe(401)
  const again = await withdraw(id)
  expect([again.status, again.json.code]).toEqual([404, 'NOT_FOUND'])
  expect((await audit())[0]).toMatchObject({
    action: 'key.withdraw',
    target: id,
    details: { reason: 'lost' },
  })
  // One of the server's own is its file's affair.
  expect((await withdraw(ada.record.id)).json.detail).toContain('take its record out of the file')
})

test.each(['/v1/events/tail', '/v1/overview/live'])('%s ends for whoever held it', async (path) => {
  const { json } = await make({ name: 'vic', access: 'viewer' })
  const { key, id } = json as unknown as { key: string; id: string }
  const { body } = await fetch(`${fixture.url}${path}`, { headers: bearer(key) })
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  expect((await reader.read()).done).toBe(false)
  expect((await withdraw(id)).status).toBe(200)
  for (let done = false; !done; ) done = (await reader.read()).done
})

test('nobody but an admin of all tenants sees or makes keys', async () => {
  for (const role of ['viewer', 'operator'] as const) {
    const { json } = await make({ name: role, access: role })
    const list = await fixture.send('/v1/keys', { headers: bearer(json.key) })
    expect([role, list.status, list.json.code]).toEqual([role, 403, 'SCOPE_MISSING'])
    const made = await make({ name: 'more', access: 'admin' }, String(json.key))
    expect([role, made.status]).toEqual([role, 403])
  }
  const made = await make({ name: 'more', access: 'admin' }, acme.key)
  expect([made.status, made.json.code]).toEqual([403, 'TENANT_FORBIDDEN'])
})

test('to replay to the outside world takes an admin', async () => {
  const { json } = await make({ name: 'oskar', access: 'operator' })
  const replay = (key: unknown, external?: boolean) =>
    fixture.send('/v1/replays', { json: { subscription: 'remember', external }, headers: bearer(key) })
  expect((await replay(json.key, true)).json).toMatchObject({ status: 403, code: 'SCOPE_MISSING' })
  expect((await replay(json.key)).status).toBe(202)
  expect((await replay(ada.key, true)).status).toBe(202)
})

test('a key that was made a moment ago opens at once at a server that reads them but seldom', async () => {
  const seldom = createServer(fixture.spine, { port: 0, limits: { storedKeysEveryMs: 3_600_000 } })
  await seldom.start()
  try {
    const there = (path: string, sent: object) => exchange(seldom.address?.url ?? '', path, sent)
    // The second is made within the moment for which the reading for the first counts.
    for (const name of ['una', 'ben']) {
      const { key } = (await make({ name, access: 'viewer' })).json
      expect((await there('/v1/events', { headers: bearer(key) })).status).toBe(200)
    }
    const { key } = (await make({ name: 'zoe', access: 'viewer' })).json
    expect((await there('/console/session', { json: { key } })).status).toBe(201)
    const strangers = Array.from({ length: 20 }, () => createApiKey({ scopes: roles.admin }).key)
    const replies = await Promise.all(strangers.map((each) => there('/v1/events', { headers: bearer(each) })))
    expect(replies.map(({ status }) => status)).toEqual(strangers.map(() => 401))
  } finally {
    await seldom.stop()
  }
})

describe('a second server behind the same address', () => {
  interface SignedIn {
    readonly cookie: string
    readonly csrf: string
  }
  let viewer: string
  let session: SignedIn
  // The address in the browser: that of the balancer before both.
  const host = 'localhost:9999'
  const own = ({ cookie, csrf }: SignedIn) => ({
    ...{ host, cookie, origin: `http://${host}`, 'x-csrf-token': csrf },
  })

  beforeAll(async () => {
    const { json } = await make({ name: 'pia', access: 'operator' })
    viewer = String(json.key)
    second = createServer(fixture.spine, { port: 0, limits: { storedKeysEveryMs: 20 } })
    await second.start()
    const reply = await fixture.send('/console/session', { json: { key: viewer }, headers: { host } })
    const [cookie = ''] = reply.headers['set-cookie'] ?? []
    session = { cookie: cookie.split(';')[0] ?? '', csrf: String(reply.json.csrf) }
  })
  const there = (path: string, sent = {}) => exchange(second.address?.url ?? '', path, sent)

  test('knows the keys that the first has made, and none of its own', async () => {
    expect((await there('/v1/events', { headers: bearer(viewer) })).status).toBe(200)
    expect((await there('/v1/events', { headers: bearer(ada.key) })).status).toBe(401)
  })

  test('knows the sessions that were opened at the first, with their tokens', async () => {
    const { json } = await there('/console/session', { headers: own(session) })
    expect(json).toMatchObject({ actor: 'pia', role: 'operator', csrf: session.csrf })
    const paused = '/v1/subscriptions/remember/pause'
    const { 'x-csrf-token': _, ...forged } = own(session)
    expect((await there(paused, { json: {}, headers: forged })).json.code).toBe('CSRF_REFUSED')
    for (const path of [paused, '/v1/subscriptions/remember/resume'])
      expect((await there(path, { json: {}, headers: own(session) })).status).toBe(200)
  })

  test('so does one that is started anew', async () => {
    await second.stop()
    await second.start()
    expect((await there('/v1/events', { headers: own(session) })).status).toBe(200)
  })

  test('a key that is withdrawn at the first ends its sessions at the second', async () => {
    const { json } = await make({ name: 'quinn', access: 'viewer' })
    await fixture.until(
      () => there('/v1/events', { headers: bearer(json.key) }),
      ({ status }) => status === 200,
    )
    const reply = await there('/console/session', { json: { key: json.key }, headers: { host } })
    const [cookie = ''] = reply.headers['set-cookie'] ?? []
    const theirs = { cookie: cookie.split(';')[0] ?? '', csrf: String(reply.json.csrf) }
    expect((await there('/v1/events', { headers: own(theirs) })).status).toBe(200)
    await withdraw(json.id)
    await fixture.until(
      () => there('/v1/events', { headers: own(theirs) }),
      ({ status }) => status === 401,
    )
    expect((await there('/v1/events', { headers: own(session) })).status).toBe(200)
  })

  test('signing out at one ends it at both', async () => {
    const out = await fixture.send('/console/session', { method: 'DELETE', headers: own(session) })
    expect(out.status).toBe(200)
    expect((await there('/v1/events', { headers: own(session) })).status).toBe(401)
  })

  test('what the database keeps of a session opens nothing', async () => {
    const { json } = await make({ name: 'rob', access: 'viewer' })
    await fixture.send('/console/session', { json: { key: json.key }, headers: { host } })
    const [row] = await fixture.query(
      'SELECT token_hash FROM eventspine.console_session ORDER BY opened_at DESC',
    )
    const cookie = `eventspine-session-9999=${String(row?.token_hash)}`
    expect((await fixture.send('/v1/events', { headers: { host, cookie } })).status).toBe(401)
  })
})
