// The ways in: what is refused, with which reason, and that a device speaks for its own bed alone.
import { createApiKey, createServer } from '@eventspine/server'
import mqtt from 'mqtt'
import { expect, test, vi } from 'vitest'
import { freePort } from '../../../test/mosquitto.js'
import { afterTest, until } from '../../../test/spine.js'
import { deviceSilent, readingsTaken } from '../src/events.js'
import { board, limitsOf } from '../src/views.js'
import { PushService } from './push-service.js'
import { idOf, Stage } from './stage.js'

vi.setConfig({ testTimeout: 60_000 })

const keys = {
  bed: createApiKey({ scopes: ['routes'], name: 'bed-7' }),
  ward: createApiKey({ scopes: ['routes'], name: 'ward-icu' }),
  other: createApiKey({ scopes: ['routes'], name: 'ward-wb' }),
  ann: createApiKey({ scopes: ['routes'], name: 'person-ann' }),
  lead: createApiKey({ scopes: ['operate'], name: 'lead' }),
}

async function served(stage: Stage) {
  const server = createServer(stage.spine, {
    port: 0,
    apiKeys: Object.values(keys).map(({ record }) => record),
  })
  afterTest(() => server.stop())
  const { url } = await server.start()
  return async (method: string, path: string, body: object, key: keyof typeof keys) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[key].key}` },
      body: JSON.stringify(body),
    })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }
}

const now = () => new Date().toISOString()

test('a gateway sends a batch for its own beds, and is told what is wrong with it before anything is stored', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  const reading = { parameter: 'HR', value: 70, takenAt: now() }
  const send = (bed: string, readings: readonly object[], key: keyof typeof keys = 'bed', ward = 'icu') =>
    ask('POST', `/wards/${ward}/beds/${bed}/readings`, { readings }, key)
  expect((await send('7', [reading, { ...reading, parameter: 'SysABP', value: 0 }])).status).toBe(202)
  expect((await send('8', [reading], 'ward')).status).toBe(202)
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  const refused: readonly (readonly [Awaited<ReturnType<typeof send>>, number, string | undefined])[] = [
    [await send('8', [reading]), 403, undefined],
    [await send('8', [reading], 'ward', 'er'), 403, undefined],
    [await send('7', [{ ...reading, parameter: 'Pulse' }]), 400, '/readings/0/parameter'],
    [await send('7', [reading, { ...reading, value: 'high' }]), 400, '/readings/1/value'],
    [await send('7', [reading, { ...reading, takenAt: tomorrow }]), 400, '/readings/1/takenAt'],
    [await send('7', [{ ...reading, takenAt: '0000-01-01T00:00:00Z' }]), 400, '/readings/0/takenAt'],
    [await send('7', []), 400, '/readings'],
    [
      await send(
        '7',
        Array.from({ length: 501 }, () => reading),
      ),
      400,
      '/readings',
    ],
    [await send('7 or 8', [reading]), 400, '/path/bed'],
  ]
  expect(refused.map(([{ status, json }]) => [status, json['field']])).toEqual(
    refused.map(([, ...wanted]) => wanted),
  )
  expect(await stage.events('readings-taken', 2)).toEqual([
    {
      ...{ ward: 'icu', bed: '7' },
      readings: [
        { ...reading, artefact: false },
        { parameter: 'SysABP', value: 0, takenAt: reading.takenAt, artefact: true },
      ],
    },
    { ward: 'icu', bed: '8', readings: [{ ...reading, artefact: false }] },
  ])
})

test('a batch that a gateway sends again is one; one with another reading is another', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  const batch = [
    { parameter: 'HR', value: 70, takenAt: now() },
    { parameter: 'Temp', value: 37, takenAt: now() },
  ]
  const send = async (readings: readonly object[], bed = '7') =>
    (await ask('POST', `/wards/icu/beds/${bed}/readings`, { readings }, 'ward')).json['event']
  const first = await send(batch)
  expect(await send(batch)).toEqual(first)
  expect(await send(batch.slice(0, 1))).not.toEqual(first)
  expect(await send(batch, '8')).not.toEqual(first)
  // What is answered is listed a tick later: with the last, all are.
  const beds = async () => (await stage.events<{ bed: string }>('readings-taken')).map(({ bed }) => bed)
  await until(async () => (await beds()).includes('8'))
  expect(await beds()).toEqual(['7', '7', '8'])
})

test('the key of a gateway or a person publishes nothing past the routes', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  const facts = [
    { type: 'ward.acknowledgement-given', data: { alarm: '7.pulse-high.1', person: 'ann' } },
    { type: 'ward.duty-set', data: { ward: 'icu', people: ['mallory'] } },
    {
      type: 'ward.readings-taken',
      data: {
        ...{ ward: 'icu', bed: '8' },
        readings: [{ parameter: 'HR', value: 70, takenAt: now(), artefact: false }],
      },
    },
  ]
  for (const key of ['bed', 'ward', 'ann'] as const)
    for (const fact of facts) expect((await ask('POST', '/v1/events', fact, key)).status).toBe(403)
  for (const { type } of facts) expect(await stage.events(type.replace('ward.', ''))).toEqual([])
})

test('a phone is told nothing where its endpoint is of no known push service, however it was registered', async () => {
  const stage = await Stage.start({ pushOrigins: ['https://push.example'] })
  // The local push service stands for any address inside the network.
  await stage.onDuty({ ann: { inside: [] } })
  await stage.alarm('7')
  expect(await stage.events('push-failed', 1)).toMatchObject([
    { person: 'ann', reason: 'refused', detail: expect.stringContaining('no push service that is known') },
  ])
  await stage.events('person-unreachable', 1)
  expect(stage.push.requests('inside')).toBe(0)
})

test('a bed belongs to the ward that it was first heard in, until somebody moves it', async () => {
  const port = await freePort()
  const stage = await Stage.start({ devices: { port } }, { sources: true })
  const ask = await served(stage)
  const send = (ward: string, key: keyof typeof keys, value: number) =>
    ask(
      'POST',
      `/wards/${ward}/beds/Q1/readings`,
      { readings: [{ parameter: 'HR', value, takenAt: now() }] },
      key,
    )
  const bed = async () => (await stage.sql<{ ward: string }>('SELECT ward FROM ward.bed'))[0]?.ward
  const onBoard = async () => (await stage.sql<{ ward: string }>('SELECT ward FROM ward.board'))[0]?.ward
  expect((await send('icu', 'ward', 80)).status).toBe(202)
  await until(async () => (await bed()) === 'icu' && (await onBoard()) === 'icu')
  const refused = await send('wb', 'other', 30)
  expect([refused.status, refused.json['detail']]).toEqual([
    403,
    expect.stringContaining('PUT /wards/wb/beds/Q1/place'),
  ])
  const limits = await ask('PUT', '/wards/wb/beds/Q1/limits', { by: 'lee' }, 'lead')
  expect(limits.status).toBe(403)
  const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    username: 'ward/wb/bed/Q1',
    password: await stage.ward.keys.devicePassword('wb', 'Q1'),
  })
  afterTest(() => device.endAsync(true))
  await device.publishAsync('ward/wb/bed/Q1/HR', JSON.stringify({ value: 30, takenAt: now() }), { qos: 1 })
  await until(async () => {
    const { items } = await stage.spine.operator().deadLetters({ subscription: 'source-devices' })
    return items.some(({ failure }) => failure.message.includes('belongs to another ward'))
  })
  // Where two wards speak of a new bed at once the log decides: what passed all the same has no effect.
  await stage.spine.publish(readingsTaken, {
    ...{ ward: 'wb', bed: 'Q1' },
    readings: [{ parameter: 'HR', value: 30, takenAt: now(), artefact: false }],
  })
  await stage.spine.publish(deviceSilent, { ward: 'wb', bed: 'Q1', noticedBy: 'connection', heardAt: null })
  await until(async () =>
    (await stage.spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0),
  )
  expect([await bed(), await onBoard()]).toEqual(['icu', 'icu'])
  const raised = async () =>
    (await stage.events<{ rule: string }>('alarm-raised')).filter(({ rule }) => rule !== 'bed-refused')
  expect(await raised()).toEqual([])
  expect((await ask('PUT', '/wards/wb/beds/Q1/place', {}, 'other')).status).toBe(403)
  expect((await ask('PUT', '/wards/wb/beds/Q1/place', {}, 'lead')).status).toBe(202)
  await until(async () => (await bed()) === 'wb' && (await onBoard()) === 'wb')
  await until(async () => (await send('wb', 'other', 30)).status === 202)
  expect(await until(async () => (await raised())[0])).toMatchObject({
    ...{ ward: 'wb', bed: 'Q1', rule: 'pulse-very-low' },
  })
})

test('limits of a patient: what is not named stays, null is the usual one, and what is no limit is refused', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  const set = (body: object) => ask('PUT', '/wards/icu/beds/7/limits', { by: 'lee', ...body }, 'lead')
  const kept = async () =>
    (
      await stage.sql<{ patient: unknown }>(
        `SELECT state -> 'patient' AS patient FROM ward.bed WHERE bed = '7'`,
      )
    )[0]?.patient
  const unknown = await set({ limits: { 'mean-low': 45 } })
  expect([unknown.status, unknown.json['field']]).toEqual([404, '/path/bed'])
  await stage.measure('7', 'HR', 70)
  await until(kept)
  for (const rule of ['news2-high', 'device-silent']) {
    const { status, json } = await set({ limits: { [rule]: 5 } })
    expect([status, json['field']]).toEqual([400, '/limits'])
    expect(JSON.stringify(json)).toContain('pulse-very-high')
  }
  const becomes = async (body: object, patient: object) => {
    expect((await set(body)).status).toBe(202)
    await until(async () => JSON.stringify(await kept()) === JSON.stringify(patient))
  }
  await becomes({ saturationScale: 2 }, { limits: {}, saturationScale: 2 })
  await becomes({ limits: { 'mean-low': 45 } }, { limits: { 'mean-low': 45 }, saturationScale: 2 })
  await becomes(
    { limits: { 'pulse-low': 45 } },
    { limits: { 'mean-low': 45, 'pulse-low': 45 }, saturationScale: 2 },
  )
  await becomes({ limits: { 'mean-low': null } }, { limits: { 'pulse-low': 45 }, saturationScale: 2 })
})

test('limits that no patient can have, or that switch an alarm off, are refused', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  await stage.measure('7', 'HR', 70)
  await until(async () => (await limitsOf(stage.ward.database, '7')) !== undefined)
  const set = (limits: object) => ask('PUT', '/wards/icu/beds/7/limits', { by: 'lee', limits }, 'lead')
  const refused = [
    [{ 'pulse-very-low': 4 }, 'pulse-very-low', 'from 20 to 70'],
    [{ 'pulse-very-low': -5 }, 'pulse-very-low', 'from 20 to 70'],
    [{ 'pulse-high': 1e9 }, 'pulse-high', 'from 80 to 200'],
    [{ 'pulse-very-low': 55 }, 'pulse-very-low', 'pulse-low (50) must be above pulse-very-low (55)'],
    [{ 'pulse-high': 150 }, 'pulse-high', 'pulse-high (150) must be below pulse-very-high (150)'],
  ] as const
  for (const [limits, rule, why] of refused) {
    const { status, json } = await set(limits)
    expect([status, json['field']]).toEqual([400, `/limits/${rule}`])
    expect(json['detail']).toContain(why)
  }
  expect(await stage.events('patient-limits-set')).toEqual([])
  expect((await set({ 'pulse-very-low': 55, 'pulse-low': 60 })).status).toBe(202)
  const view = await until(async () => {
    const now = await limitsOf(stage.ward.database, '7')
    return now?.setBy === 'lee' ? now : null
  })
  expect(view.limits.filter(({ limit, usual }) => limit !== usual)).toMatchObject([
    { rule: 'pulse-very-low', limit: 55, usual: 40, least: 20, most: 70 },
    { rule: 'pulse-low', limit: 60, usual: 50 },
  ])
  // What was set before is held against what is set now.
  expect((await set({ 'pulse-low': null })).json['field']).toBe('/limits/pulse-low')
})

test('limits, score and alarms of a patient are not those of the next', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  await stage.alarm('7')
  await stage.measure('7', 'RespRate', 30)
  await stage.events('alarm-raised', 2)
  expect(
    (await ask('PUT', '/wards/icu/beds/7/limits', { by: 'lee', saturationScale: 2 }, 'lead')).status,
  ).toBe(202)
  const row = async () => (await board(stage.ward.database, 'icu'))[0]
  await until(async () => (await row())?.alarms.length === 2)
  expect((await ask('POST', '/wards/icu/beds/7/patients', {}, 'ward')).status).toBe(403)
  expect((await ask('POST', '/wards/icu/beds/8/patients', {}, 'lead')).status).toBe(404)
  expect((await ask('POST', '/wards/icu/beds/7/patients', {}, 'lead')).status).toBe(202)
  expect(await stage.events<{ rule: string }>('alarm-ended', 2)).toHaveLength(2)
  await until(async () => (await row())?.alarms.length === 0)
  expect(await row()).toMatchObject({ score: null, response: null, missing: [], colour: 'grey' })
  expect(await limitsOf(stage.ward.database, '7')).toMatchObject({ saturationScale: 1, setBy: null })
  // What was measured of the one before is in no score of the next.
  await stage.measure('7', 'HR', 70)
  await until(async () => (await row())?.score === 0)
})

test('a person registers a phone of their own, at a push service that is known', async () => {
  const push = new PushService()
  await push.start()
  afterTest(() => push.stop())
  const stage = await Stage.start({ pushOrigins: [push.origin, 'https://*.push.example'] })
  const ask = await served(stage)
  const phone = push.subscribe('ann-1')
  const register = (body: object, person = 'ann') => ask('PUT', `/people/${person}/devices`, body, 'ann')
  const { keys: secrets } = phone
  const refused = [
    [await register(phone, 'ben'), 403, undefined],
    [await register({ ...phone, endpoint: 'http://169.254.169.254/latest' }), 400, '/endpoint'],
    [await register({ ...phone, endpoint: `${push.origin}.example.com/push/1` }), 400, '/endpoint'],
    [await register({ ...phone, endpoint: phone.endpoint.replace('//', '//me:secret@') }), 400, '/endpoint'],
    [
      await register({ ...phone, endpoint: phone.endpoint.replace('/push', '\\@evil.example/push') }),
      400,
      '/endpoint',
    ],
    [
      await register({ ...phone, endpoint: phone.endpoint.replace('/push', '/\r\nX: y/push') }),
      400,
      '/endpoint',
    ],
    [await register({ ...phone, endpoint: 'https://.push.example/1' }), 400, '/endpoint'],
    [await register({ ...phone, endpoint: 'https://push.example/1' }), 400, '/endpoint'],
    [await register({ ...phone, keys: { ...secrets, p256dh: 'A'.repeat(87) } }), 400, '/keys/p256dh'],
    [await register({ ...phone, keys: { ...secrets, auth: 'short' } }), 400, '/keys/auth'],
  ] as const
  expect(refused.map(([{ status, json }]) => [status, json['field']])).toEqual(
    refused.map(([, ...wanted]) => wanted),
  )
  expect((await register(phone)).status).toBe(202)
  expect((await ask('PUT', '/wards/icu/duty', { people: ['ann'] }, 'ann')).status).toBe(403)
  const twice = await ask('PUT', '/wards/icu/duty', { people: ['ann', 'ben', 'ann'] }, 'lead')
  expect([twice.status, twice.json['field']]).toEqual([400, '/people'])
  expect((await ask('PUT', '/wards/icu/duty', { people: ['ann'] }, 'lead')).status).toBe(202)
  await until(async () => (await stage.sql('SELECT FROM ward.device, ward.duty')).length === 1)
  await stage.alarm('7')
  await until(() => push.received.length === 1)
})

test('whoever operates takes away one phone of a person, or all of them with every sign-in', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  await stage.onDuty({ ann: { 'ann-1': [], 'ann-2': [] }, ben: { 'ben-1': [] } })
  await stage.sql(
    `INSERT INTO ward.session (hash, person, ward, kind, expires_at)
     SELECT person, person, 'icu', 'carer', now() + interval '1 hour' FROM unnest(ARRAY['ann', 'ben']) AS person`,
  )
  const left = async () =>
    (await stage.sql<{ endpoint: string }>('SELECT endpoint FROM ward.device ORDER BY 1')).map(
      ({ endpoint }) => endpoint.split('/').at(-1),
    )
  const one = `/people/ann/devices/${idOf(`${stage.push.origin}/push/ann-1`)}`
  expect((await ask('DELETE', one, {}, 'ann')).status).toBe(403)
  expect((await ask('DELETE', '/people/ann/devices/no-id', {}, 'lead')).status).toBe(400)
  expect((await ask('DELETE', one, {}, 'lead')).status).toBe(202)
  await until(async () => (await left()).join() === 'ann-2,ben-1')
  expect((await ask('DELETE', '/people/ann/devices', {}, 'ann')).status).toBe(403)
  expect((await ask('DELETE', '/people/ann/devices', {}, 'lead')).status).toBe(202)
  await until(async () => (await left()).join() === 'ben-1')
  expect(await stage.sql('SELECT person FROM ward.session')).toEqual([{ person: 'ben' }])
  expect((await stage.events('device-removed')).at(-1)).toEqual({ person: 'ann', device: null, by: 'lead' })
})

test('a bedside device publishes for its bed with its password, and is missed when it is gone', async () => {
  const port = await freePort()
  const stage = await Stage.start({ devices: { port } }, { sources: true })
  const connect = async (bed: string, password: string) => {
    const client = await mqtt.connectAsync(
      `mqtt://127.0.0.1:${port}`,
      {
        ...{ clientId: `monitor-${bed}`, username: `ward/icu/bed/${bed}`, password, reconnectPeriod: 0 },
        will: { topic: `ward/icu/bed/${bed}/status`, payload: Buffer.from('offline'), qos: 1, retain: false },
      },
      false,
    )
    client.on('error', () => {})
    afterTest(() => client.endAsync(true))
    return client
  }
  const password = await stage.ward.keys.devicePassword('icu', '7')
  await until(() =>
    connect('7', 'wrong').then(
      () => false,
      (error: { code?: number }) => error.code === 4 || error.code === 5,
    ),
  )
  await expect(connect('8', password)).rejects.toMatchObject({ code: expect.any(Number) })
  const device = await connect('7', password)
  const publish = (topic: string, payload: object) =>
    device.publishAsync(`ward/icu/bed/${topic}`, JSON.stringify(payload), { qos: 1 })
  const reading = { value: 70, takenAt: now() }
  await publish('7/HR', reading)
  await publish('7/HR', reading)
  await publish('7/Pulse', reading)
  await publish('7/HR', { value: 'high', takenAt: now() })
  expect(await stage.events('readings-taken', 1)).toEqual([
    { ward: 'icu', bed: '7', readings: [{ parameter: 'HR', ...reading, artefact: false }] },
  ])
  // It is started anew, and counts from the beginning: the same number is another reading.
  const [counted, later] = [
    { ...reading, id: '1' },
    { value: 71, takenAt: now(), id: '1' },
  ]
  for (const each of [counted, counted, later, later]) await publish('7/DiasABP', each)
  expect(
    (await stage.events<{ readings: readonly object[] }>('readings-taken', 3)).flatMap(
      ({ readings }) => readings,
    ),
  ).toMatchObject([{ parameter: 'HR' }, { value: 70 }, { value: 71, takenAt: later?.takenAt }])
  const letters = await until(async () => {
    const { items } = await stage.spine.operator().deadLetters({ subscription: 'source-devices' })
    return items.length === 2 ? items.map(({ failure }) => failure.message).sort() : null
  })
  expect(letters).toEqual([
    expect.stringContaining('"Pulse" is no parameter'),
    expect.stringContaining('value: '),
  ])
  // It speaks for another bed, and is cut off.
  publish('8/HR', reading).catch(() => {})
  await until(() => !device.connected)
  expect(await stage.events('alarm-raised', 1)).toMatchObject([{ bed: '7', rule: 'device-silent' }])
  expect(await stage.events('readings-taken')).toHaveLength(3)
})
