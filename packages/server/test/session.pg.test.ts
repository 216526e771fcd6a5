// Sessions of the console: as much as the key, from this page alone, and no longer than the key.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApiKey } from '../src/index.js'
import { Fixture, order } from './fixture.js'

const ada = createApiKey({ scopes: ['publish', 'read', 'operate', 'admin'], name: 'ada' })
const reader = createApiKey({ scopes: ['read'], name: 'reader' })
const acme = createApiKey({
  scopes: ['publish', 'read', 'operate', 'admin'],
  tenant: 'acme',
  name: 'acme-ops',
})
const given = [ada.record, reader.record, acme.record]

const fixture = new Fixture({
  development: false,
  apiKeys: given,
  allowedHosts: ['console.example'],
  limits: { sessionsPerKeyMax: 3 },
})
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())
beforeEach(() => fixture.server.replaceKeys(given))

interface SignedIn {
  readonly cookie: string
  readonly csrf: string
}

async function signIn(key: string, to = fixture): Promise<SignedIn> {
  const reply = await to.send('/console/session', { json: { key } })
  expect(reply.status).toBe(201)
  const [cookie = ''] = reply.headers['set-cookie'] ?? []
  return { cookie: cookie.split(';')[0] ?? '', csrf: String(reply.json.csrf) }
}

/** As the console's own page sends it. */
const own = ({ cookie, csrf }: SignedIn, to = fixture) => ({
  ...{ cookie, origin: to.url, 'sec-fetch-site': 'same-origin' },
  'x-csrf-token': csrf,
})
const pause = '/v1/subscriptions/remember/pause'
const resume = '/v1/subscriptions/remember/resume'
const refused = async (path: string, headers: Record<string, string>) => {
  const reply = await fixture.send(path, { method: 'POST', headers })
  return [reply.status, reply.json.code]
}

test('the cookie is out of reach of scripts and other sites, and Secure behind https', async () => {
  const plain = await fixture.send('/console/session', { json: { key: ada.key } })
  const { port } = new URL(fixture.url)
  expect(plain.headers['set-cookie']?.[0]).toMatch(
    new RegExp(`^eventspine-session-${port}=[\\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`),
  )
  expect(plain.json).toMatchObject({
    actor: 'ada',
    scopes: ['publish', 'read', 'operate', 'admin'],
    tenant: null,
  })
  expect(plain.text).not.toContain(ada.key)
  const behind = {
    host: 'console.example',
    origin: 'https://console.example',
    'x-forwarded-proto': 'https',
  }
  const secure = await fixture.send('/console/session', { json: { key: ada.key }, headers: behind })
  expect(secure.headers['set-cookie']?.[0]).toMatch(/; Secure$/)
})

test('it may what its key may, under the name of the key', async () => {
  const session = await signIn(ada.key)
  const { json } = await fixture.send('/console/session', { headers: own(session) })
  expect(json).toMatchObject({ actor: 'ada', csrf: session.csrf })
  for (const path of [pause, resume])
    expect((await fixture.send(path, { json: {}, headers: own(session) })).status).toBe(200)
  const audit = await fixture.send('/v1/audit?limit=2', { headers: own(session) })
  expect(audit.json.items).toMatchObject([{ actor: 'ada' }, { actor: 'ada' }])
})

test('and nothing more', async () => {
  const session = await signIn(reader.key)
  expect((await fixture.send('/v1/events', { headers: own(session) })).status).toBe(200)
  expect(await refused(pause, own(session))).toEqual([403, 'SCOPE_MISSING'])
  const mine = await signIn(acme.key)
  const posted = await fixture.send('/v1/events', {
    json: { ...order('s'), tenant: 'globex' },
    headers: own(mine),
  })
  expect([posted.status, posted.json.code]).toEqual([403, 'TENANT_FORBIDDEN'])
})

describe('a stolen or borrowed cookie changes nothing', () => {
  test.each<[string, Record<string, string | undefined>, string]>([
    ['without the token', { 'x-csrf-token': undefined }, 'CSRF_REFUSED'],
    ['with an empty token', { 'x-csrf-token': '' }, 'CSRF_REFUSED'],
    ['with the token of another session', { 'x-csrf-token': 'A'.repeat(43) }, 'CSRF_REFUSED'],
    ['without an origin', { origin: undefined }, 'ORIGIN_REFUSED'],
    ['from another site', { origin: 'https://evil.example' }, 'ORIGIN_REFUSED'],
    ['from another port', { origin: 'http://127.0.0.1:1' }, 'ORIGIN_REFUSED'],
    ['by another scheme', { 'x-forwarded-proto': 'https' }, 'ORIGIN_REFUSED'],
    ['from an opaque origin', { origin: 'null' }, 'ORIGIN_REFUSED'],
    ['that the browser calls same-site', { 'sec-fetch-site': 'same-site' }, 'ORIGIN_REFUSED'],
    ['that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, 'ORIGIN_REFUSED'],
  ])('%s', async (_name, other, code) => {
    const headers = { ...own(await signIn(ada.key)), ...other }
    const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
    expect(await refused(pause, sent as Record<string, string>)).toEqual([403, code])
    const { json } = await fixture.send('/v1/subscriptions/remember', {
      headers: { authorization: `Bearer ${ada.key}` },
    })
    expect(json.state).toBe('active')
  })

  test('nor is it read for another site', async () => {
    const headers = { ...own(await signIn(ada.key)), origin: 'http://127.0.0.1:1' }
    const reply = await fixture.send('/v1/events', { headers })
    expect([reply.status, reply.json.code]).toEqual([403, 'ORIGIN_REFUSED'])
  })
})

test('another site cannot sign a person in', async () => {
  const headers = { origin: 'https://evil.example' }
  const reply = await fixture.send('/console/session', { json: { key: ada.key }, headers })
  expect([reply.status, reply.json.code, reply.headers['set-cookie']]).toEqual([
    403,
    'ORIGIN_REFUSED',
    undefined,
  ])
})

test('a wrong key opens none', async () => {
  const key = `${ada.key.slice(0, -1)}${ada.key.endsWith('A') ? 'B' : 'A'}`
  const reply = await fixture.send('/console/session', { json: { key } })
  expect([reply.status, reply.json.code, reply.headers['set-cookie']]).toEqual([
    401,
    'UNAUTHENTICATED',
    undefined,
  ])
})

test('signing out ends it, for whoever has the token', async () => {
  const session = await signIn(ada.key)
  const { 'x-csrf-token': _, ...headers } = own(session)
  const forged = await fixture.send('/console/session', { method: 'DELETE', headers })
  expect([forged.status, forged.json.code]).toEqual([403, 'CSRF_REFUSED'])
  const out = await fixture.send('/console/session', { method: 'DELETE', headers: own(session) })
  expect([out.status, out.headers['set-cookie']?.[0]]).toEqual([200, expect.stringContaining('Max-Age=0')])
  expect((await fixture.send('/v1/events', { headers: own(session) })).status).toBe(401)
})

test('a key that is withdrawn or replaced ends its sessions, and theirs alone', async () => {
  const [mine, theirs] = [await signIn(ada.key), await signIn(reader.key)]
  fixture.server.replaceKeys([reader.record])
  expect((await fixture.send('/v1/events', { headers: own(mine) })).status).toBe(401)
  expect((await fixture.send('/v1/events', { headers: own(theirs) })).status).toBe(200)
  const sameId = { ...reader.record, hash: '0'.repeat(64) }
  fixture.server.replaceKeys([sameId])
  expect((await fixture.send('/v1/events', { headers: own(theirs) })).status).toBe(401)
})

test('a key that is narrowed narrows them', async () => {
  const session = await signIn(ada.key)
  fixture.server.replaceKeys([{ ...ada.record, scopes: ['read'] }])
  expect(await refused(pause, own(session))).toEqual([403, 'SCOPE_MISSING'])
})

test('beyond the limit of a key its oldest session ends, and nobody else’s', async () => {
  const other = await signIn(reader.key)
  const sessions: SignedIn[] = []
  for (let n = 0; n < 4; n++) sessions.push(await signIn(ada.key))
  const statuses = await Promise.all(
    [...sessions, other].map(
      async (each) => (await fixture.send('/v1/events', { headers: own(each) })).status,
    ),
  )
  expect(statuses).toEqual([401, 200, 200, 200, 200])
})

test('it expires', async () => {
  const short = await new Fixture({
    development: false,
    apiKeys: given,
    limits: { sessionMsMax: 400 },
  }).start()
  try {
    const session = await signIn(ada.key, short)
    const ask = () => short.send('/v1/audit', { headers: own(session, short) })
    expect((await ask()).status).toBe(200)
    await short.until(ask, ({ status }) => status === 401)
  } finally {
    await short.stop()
  }
})

test('in development nobody needs to sign in to look, and a foreign page sees nothing', async () => {
  const open = await new Fixture().start()
  try {
    const { json } = await open.send('/console/session')
    expect(json).toMatchObject({ actor: 'development (no key)', scopes: ['read', 'publish'], csrf: null })
    const foreign = await open.send('/console/session', { headers: { origin: 'https://evil.example' } })
    expect(foreign.status).toBe(403)
    const session = await signIn(open.server.developmentKey ?? '', open)
    expect((await open.send(resume, { json: {}, headers: own(session, open) })).status).toBe(200)
    // Whose key is withdrawn does not go on as the developer, but is told.
    const brief = createApiKey({ scopes: ['read'], name: 'brief' })
    open.server.replaceKeys([brief.record])
    const dead = await signIn(brief.key, open)
    const look = () => open.send('/v1/events', { headers: { cookie: dead.cookie } })
    expect((await look()).status).toBe(200)
    open.server.replaceKeys([])
    for (const path of ['/v1/events', '/console/session']) {
      const reply = await open.send(path, { headers: { cookie: dead.cookie } })
      expect([path, reply.status, reply.json.code]).toEqual([path, 401, 'UNAUTHENTICATED'])
    }
    // Signing out takes the cookie away, and with it what was said of it.
    const out = await open.send('/console/session', { method: 'DELETE', headers: own(dead, open) })
    expect([out.status, out.headers['set-cookie']?.[0]]).toEqual([
      200,
      expect.stringMatching(/=; .*Max-Age=0/),
    ])
    expect((await open.send('/v1/events')).status).toBe(200)
  } finally {
    await open.stop()
  }
})
