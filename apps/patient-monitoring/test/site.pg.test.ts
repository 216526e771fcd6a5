// What the pages ask, as a browser asks it: who may see what, what a change must say, and rows that go on where a reader was.
import { type RequestOptions, request } from 'node:http'
import { expect, test } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import { deviceRemoved } from '../src/events.js'
import { ann, opened, Visitor, wall } from './visitor.js'

test('a code is good once, and kept as a hash; its session ends with its cookie', async () => {
  const { stage, site, visitor } = await opened()
  expect((await visitor.ask('/api/session')).status).toBe(401)
  const code = await visitor.signIn(site, ann)
  expect(code).toMatch(/^[\w-]{22}$/)
  const kept = JSON.stringify(await stage.sql('SELECT * FROM ward.session, ward.key'))
  expect(kept).not.toContain(visitor.cookie.split('=')[1])
  expect((await visitor.ask('/api/session')).body).toMatchObject({
    person: 'ann',
    ward: 'icu',
    kind: 'carer',
  })
  const again = { method: 'POST', body: { code } }
  expect((await visitor.ask('/api/session', again)).status).toBe(401)
  const later = (await site.invitation(ann, -1)).split('#')[1]
  expect((await visitor.ask('/api/session', { ...again, body: { code: later } })).status).toBe(401)
  expect((await visitor.ask('/api/session', { method: 'DELETE', body: {} })).status).toBe(200)
  expect((await visitor.ask('/api/session')).status).toBe(401)
})

test('a cookie holds what no script and no other site can use', async () => {
  const { site, url, visitor } = await opened()
  const [, code] = (await site.invitation(ann)).split('#')
  const { headers } = await visitor.ask('/api/session', { method: 'POST', body: { code } })
  expect(headers.get('set-cookie')).toMatch(
    /^ward-session\d+=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
  )
  const policy = (await fetch(`${url}/phone/`)).headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'; script-src 'self'")
  expect(policy).not.toContain('unsafe')
})

test('a change needs the token of its session and a page of this address', async () => {
  const { stage, site, url, visitor } = await opened()
  await visitor.signIn(site, ann)
  const body = stage.push.subscribe('ann-1')
  const put = (headers: Readonly<Record<string, string>>) =>
    visitor.ask('/api/devices', { method: 'PUT', body, headers })
  expect((await put({ 'x-csrf-token': 'guessed' })).status).toBe(403)
  expect((await put({ origin: 'https://evil.example' })).status).toBe(403)
  expect((await put({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect(await stage.sql('SELECT FROM ward.device')).toEqual([])
  expect((await put({})).status).toBe(202)
  await until(async () => (await stage.sql(`SELECT FROM ward.device WHERE person = 'ann'`)).length === 1)
  // A name of another site that leads to this address.
  expect(await statusOf(url, { headers: { host: 'evil.example' } })).toBe(421)
})

test('what is not written as a browser writes it is refused, and is no fault of the ward', async () => {
  const { stage, site, url, visitor } = await opened()
  await visitor.signIn(site, ann)
  await stage.measure('7', 'HR', 80)
  await until(async () => (await stage.sql('SELECT FROM ward.bed')).length === 1)
  const year0 = '0000-01-01T00:00:00Z'
  const now = new Date().toISOString()
  for (const path of [`charts?span=hour&from=${year0}&to=${now}`, `scores?from=${year0}`])
    expect((await visitor.ask(`/api/beds/7/${path}`)).status, path).toBe(400)
  expect((await visitor.ask('/api/beds/%E0%A4%A/alarms')).status).toBe(400)
  for (const [path, status] of [
    ['//', 404],
    ['//evil.example/sign-in', 404],
    ['/beds/%E0%A4%A', 404],
    // Whoever is not signed in is told that, and nothing of what they wrote.
    ['/api/beds/%E0%A4%A/alarms', 401],
    ['/phone', 308],
    ['/wards/icu/', 308],
    ['http://evil.example/api/session', 400],
    ['http://[', 400],
  ] as const)
    expect(await statusOf(url, { path }), path).toBe(status)
  const headers = { 'content-type': 'application/json-of-sorts' }
  const phone = { method: 'PUT', body: stage.push.subscribe('ann-1'), headers }
  expect((await visitor.ask('/api/devices', phone)).status).toBe(415)
})

/** Of what no browser and no fetch would send. */
const statusOf = (url: string, options: RequestOptions) =>
  new Promise((resolve, reject) => {
    const asking = request(url, options, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asking.once('error', reject)
    asking.end()
  })

test('a guest sees one ward, a carer the own alarms alone, and a display none', async () => {
  const { stage, site, url, visitor } = await opened()
  await stage.onDuty({ ann: { 'ann-1': [] } })
  await stage.alarm('7')
  await until(() => stage.push.received.length > 0)
  await until(async () => (await stage.sql(`SELECT FROM ward.board WHERE alarms <> '{}'`)).length === 1)
  await until(async () => (await stage.sql('SELECT FROM ward.alarm')).length === 1)
  await until(async () => (await stage.sql('SELECT FROM ward.chart')).length > 0)
  await visitor.signIn(site, ann)
  const read = async (path: string, of = visitor) =>
    (await of.ask(path)).body as readonly Record<string, unknown>[]
  expect(await read('/api/wards/icu/board')).toMatchObject([
    { bed: '7', colour: 'yellow', alarms: [{ priority: 'medium', rule: 'mean-low', acknowledgedBy: null }] },
  ])
  const [own] = await read('/api/own-alarms')
  expect(own).toMatchObject({ bed: '7', stands: true, acknowledgedBy: null })
  const id = encodeURIComponent(String(own?.['id']))
  expect((await read(`/api/beds/7/alarms/${id}/steps`)).map(({ what }) => what)).toContain('alarm-raised')
  const [from, to] = [-3_600_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString())
  expect(await read(`/api/beds/7/charts?span=minute&from=${from}&to=${to}`)).toMatchObject({
    // One point, or two where a minute has passed between the readings.
    MAP: expect.arrayContaining([expect.objectContaining({ lowest: 50 })]),
  })
  expect((await visitor.ask('/api/beds/7/charts?span=week')).status).toBe(400)
  for (const path of ['/api/wards/other/board', '/api/live/wards/other', '/api/wards/%00/board'])
    expect((await visitor.ask(path)).status, path).toBe(403)
  for (const path of ['/api/beds/%00/alarms', '/api/beds/7/alarms/7.%00/steps'])
    expect((await visitor.ask(path)).status, path).toBe(404)
  const other = new Visitor(url)
  await other.signIn(site, { ...ann, person: 'ben', ward: 'other' })
  expect((await other.ask('/api/beds/7/alarms')).status).toBe(403)
  expect(await read('/api/own-alarms', other)).toEqual([])
  await other.signIn(site, wall)
  for (const path of ['/api/own-alarms', '/api/live/own-alarms', '/api/push-key'])
    expect((await other.ask(path)).status, path).toBe(403)
  expect((await other.ask('/api/wards/icu/board')).status).toBe(200)
})

test('whoever signs out gets no alarm on that device any more, and somebody else keeps it who has signed in there', async () => {
  const { stage, site, visitor } = await opened()
  await visitor.signIn(site, ann)
  const phone = stage.push.subscribe('shared')
  const owners = async () =>
    (await stage.sql<{ person: string }>('SELECT person FROM ward.device')).map(({ person }) => person)
  const register = () => visitor.ask('/api/devices', { method: 'PUT', body: phone })
  const leave = () => visitor.ask('/api/session', { method: 'DELETE', body: { endpoint: phone.endpoint } })
  await stage.onDuty({ ann: {} })
  expect((await register()).status).toBe(202)
  await until(async () => (await owners()).join() === 'ann')
  expect((await leave()).status).toBe(200)
  await until(async () => (await owners()).length === 0)
  await stage.alarm('7')
  expect(await stage.events('person-unreachable', 1)).toMatchObject([{ person: 'ann' }])
  expect(stage.push.requests('shared')).toBe(0)
  await visitor.signIn(site, { ...ann, person: 'ben' })
  await register()
  await until(async () => (await owners()).join() === 'ben')
  await stage.spine.publish(deviceRemoved, { person: 'ann', device: null, by: 'lead' })
  await until(async () =>
    (await stage.spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0),
  )
  expect(await owners()).toEqual(['ben'])
})

test('whoever has many alarms is shown first what stands and waits, the most urgent at the top, and how many there are', async () => {
  const { stage, site, visitor } = await opened()
  await visitor.signIn(site, ann)
  await stage.measure('7', 'HR', 30)
  const [high] = await stage.events<{ id: string; rule: string }>('alarm-raised', 1)
  expect(high?.rule).toBe('pulse-very-low')
  // Told to Ann long before 60 lesser ones of other beds; the two newest of those are in somebody's hands.
  await stage.sql(
    `INSERT INTO ward.push (alarm, person, device, brief, asked_at)
     SELECT id, 'ann', 'ann-1', jsonb_build_object('id', id, 'ward', 'icu', 'bed', bed, 'rule', rule,
       'priority', priority, 'text', rule, 'value', null, 'raisedAt', '2026-01-01T00:00:00.000Z'),
       now() - age * interval '1 minute'
     FROM (SELECT $1 AS id, '7' AS bed, 'pulse-very-low' AS rule, 'high' AS priority, 90 AS age
       UNION ALL SELECT 'over-high', '8', 'pulse-very-low', 'high', 1
       UNION ALL SELECT 'other-' || n, 'o' || n, 'mean-low', 'medium', n FROM generate_series(1, 60) AS n) AS told`,
    [high?.id],
  )
  await stage.sql(
    `INSERT INTO ward.acknowledgement (alarm, person, at) VALUES ('other-1', 'ben', now()), ('other-2', 'ben', now())`,
  )
  const own = (await visitor.ask('/api/own-alarms')).body as readonly Record<string, unknown>[]
  expect(own).toHaveLength(50)
  expect(own.slice(0, 3)).toMatchObject([
    { id: high?.id, stands: true, openInAll: 60 },
    { id: 'over-high', stands: false },
    { id: 'other-3', stands: false, acknowledgedBy: null },
  ])
})

test('an acknowledgement says who was first; without its token it is nobody’s', async () => {
  const { stage, site, visitor } = await opened()
  await stage.onDuty({ ann: { 'ann-1': [] } })
  await stage.alarm('7')
  const { alarm, acknowledge } = (await until(
    () => stage.push.received[0],
  )) as (typeof stage.push.received)[number]
  const give = (body: unknown, headers = {}) =>
    visitor.ask('/api/acknowledgements', { method: 'POST', body, headers })
  const given = { alarm: alarm.id, person: 'ann', token: acknowledge.token }
  expect((await give({ ...given, person: 'ben' })).status).toBe(403)
  expect((await give(given, { origin: 'https://evil.example' })).status).toBe(403)
  expect((await give({ alarm: alarm.id })).status).toBe(400)
  expect(await stage.events('acknowledgement-given')).toEqual([])
  expect(await give(given)).toMatchObject({ status: 200, body: { by: 'ann' } })
  expect(await give(given)).toMatchObject({ status: 200, body: { by: 'ann' } })
  expect(await stage.events('acknowledgement-given', 1)).toHaveLength(1)
  await visitor.signIn(site, ann)
  expect((await visitor.ask('/api/own-alarms')).body).toMatchObject([{ acknowledgedBy: 'ann' }])
})

test('a reader that comes back is sent what has changed since, and one that was elsewhere everything', async () => {
  const { stage, site, url, visitor } = await opened()
  await visitor.signIn(site, wall)
  await stage.measure('7', 'HR', 80)
  await stage.measure('8', 'HR', 80)
  await until(async () => (await stage.sql('SELECT FROM ward.board WHERE score = 0')).length === 2)
  const first = await follow(url, visitor.cookie)
  const all = await until(() => first.messages.at(-1))
  expect(all.data).toMatchObject({ full: true, rows: [{ bed: '7' }, { bed: '8' }] })
  await stage.measure('8', 'HR', 81)
  await until(() => first.messages.length > 1)
  expect(first.messages.at(-1)?.data).toMatchObject({ full: false, rows: [{ bed: '8' }] })
  first.leave()
  await stage.sql(`DELETE FROM ward.board WHERE bed = '7'`)
  const second = await follow(url, visitor.cookie, { lastId: all.id })
  await until(() => second.messages.some(({ data }) => data.gone.includes('7')))
  expect(second.messages.map(({ data }) => data.full)).not.toContain(true)
  const third = await follow(url, visitor.cookie, { lastId: '000000000000-1' })
  expect((await until(() => third.messages[0])).data).toMatchObject({ full: true, rows: [{ bed: '8' }] })
})

// Nobody looks here by the clock: that it ends is the doing of whoever has signed out.
const neverMs = 2_000_000_000

test('what is streamed ends with the session that it is streamed to, and no other', async () => {
  const { stage, site, url, visitor } = await opened({ sessionsMs: neverMs })
  const other = new Visitor(url)
  await visitor.signIn(site, ann)
  await other.signIn(site, wall)
  const streams = [
    await follow(url, visitor.cookie),
    await follow(url, visitor.cookie, { path: '/api/live/own-alarms' }),
  ]
  const others = await follow(url, other.cookie)
  expect((await visitor.ask('/api/session', { method: 'DELETE', body: {} })).status).toBe(200)
  await Promise.all(streams.map(({ ended }) => ended))
  expect((await visitor.ask('/api/live/wards/icu')).status).toBe(401)
  await stage.measure('7', 'HR', 80)
  await until(() => others.messages.some(({ data }) => data.rows.length > 0))
})

test('what is streamed ends also where the session has ended elsewhere, or by its time', async () => {
  const { stage, site, url, visitor } = await opened({ sessionsMs: 20 })
  const other = new Visitor(url)
  await visitor.signIn(site, ann)
  await other.signIn(site, wall)
  const lost = await follow(url, visitor.cookie)
  const late = await follow(url, other.cookie)
  await stage.spine.publish(deviceRemoved, { person: 'ann', device: null, by: 'lead' })
  await lost.ended
  await stage.measure('7', 'HR', 80)
  await until(() => late.messages.some(({ data }) => data.rows.length > 0))
  await stage.sql(`UPDATE ward.session SET expires_at = clock_timestamp() WHERE person = 'wall'`)
  await late.ended
  expect((await other.ask('/api/session')).status).toBe(401)
})

interface Message {
  readonly id: string
  readonly data: {
    readonly full: boolean
    readonly gone: readonly string[]
    readonly rows: readonly unknown[]
  }
}

interface Followed {
  readonly path?: string
  readonly lastId?: string
}

async function follow(url: string, cookie: string, { path = '/api/live/wards/icu', lastId }: Followed = {}) {
  const left = new AbortController()
  afterTest(() => left.abort())
  const response = await fetch(`${url}${path}`, {
    headers: { cookie, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) },
    signal: left.signal,
  })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const messages: Message[] = []
  const ended = take(response, messages).catch(() => undefined)
  return { messages, ended, leave: () => left.abort() }
}

async function take(response: Response, messages: Message[]): Promise<void> {
  let text = ''
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, id, data] = /^id: (.+)\nevent: rows\ndata: (.+)$/.exec(block) ?? []
      if (id !== undefined && data !== undefined)
        messages.push({ id, data: JSON.parse(data) as Message['data'] })
    }
  }
}
