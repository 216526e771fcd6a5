// Beds as a whole: one that is taken out of service, and one of which only a part still speaks.
import { createApiKey, createServer } from '@eventspine/server'
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import { dutySet, readingsTaken, silenceWatchDue } from '../src/events.js'
import { board } from '../src/views.js'
import { Stage } from './stage.js'

vi.setConfig({ testTimeout: 60_000 })

async function served(stage: Stage) {
  const lead = createApiKey({ scopes: ['operate'], name: 'lead' })
  const ward = createApiKey({ scopes: ['routes'], name: 'ward-icu' })
  const server = createServer(stage.spine, { port: 0, apiKeys: [lead.record, ward.record] })
  afterTest(() => server.stop())
  const { url } = await server.start()
  return async (method: string, path: string, key: 'lead' | 'ward' = 'lead', body: object = {}) => {
    const authorization = `Bearer ${{ lead, ward }[key].key}`
    const headers = { 'content-type': 'application/json', authorization }
    return (await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) })).status
  }
}

const settled = (stage: Stage) =>
  until(async () => (await stage.spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0))

test('a bed that is closed leaves the board with its alarms, and is missed by nobody', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  await stage.alarm('7')
  await stage.measure('8', 'HR', 70)
  await until(async () => (await board(stage.ward.database, 'icu')).length === 2)
  await stage.events('alarm-raised', 1)
  expect(await ask('DELETE', '/wards/icu/beds/7', 'ward')).toBe(403)
  expect(await ask('DELETE', '/wards/icu/beds/9')).toBe(404)
  expect(await ask('DELETE', '/wards/icu/beds/7')).toBe(202)
  expect(await stage.events('alarm-ended', 1)).toMatchObject([{ bed: '7', rule: 'mean-low' }])
  await until(async () => (await board(stage.ward.database, 'icu')).length === 1)
  await settled(stage)
  await stage.sql(`UPDATE ward.bed SET heard_at = heard_at - interval '2 minutes'`)
  await stage.spine.publish(silenceWatchDue, {})
  const silent = await until(async () => {
    const raised = await stage.events<{ bed: string; rule: string }>('alarm-raised')
    const found = raised.filter(({ rule }) => rule === 'device-silent')
    return found.length > 0 ? found : null
  })
  await settled(stage)
  expect(silent.map(({ bed }) => bed)).toEqual(['8'])
  expect(await board(stage.ward.database, 'icu')).toMatchObject([{ bed: '8' }])
  // Whoever speaks of it makes it anew.
  await stage.measure('7', 'HR', 71)
  await until(async () => (await board(stage.ward.database, 'icu')).length === 2)
})

test('who speaks of a bed of another ward is refused, and that is an alarm of their ward until the bed is theirs', async () => {
  const stage = await Stage.start()
  const ask = await served(stage)
  await stage.spine.publish(dutySet, { ward: 'icu', people: ['ann'] })
  // Somebody has mistyped the bed of this ward in another one.
  const takenAt = new Date().toISOString()
  const readings = [{ parameter: 'HR' as const, value: 70, takenAt, artefact: false }]
  await stage.spine.publish(readingsTaken, { ward: 'wb', bed: '7', readings })
  await until(async () => (await stage.sql('SELECT FROM ward.bed, ward.duty')).length === 1)
  const send = () =>
    ask('POST', '/wards/icu/beds/7/readings', 'ward', { readings: [{ parameter: 'HR', value: 0, takenAt }] })
  expect(await send()).toBe(403)
  expect(await send()).toBe(403)
  await until(async () => (await stage.sql('SELECT FROM ward.refused')).length === 1)
  await stage.spine.publish(silenceWatchDue, {})
  await stage.spine.publish(silenceWatchDue, {})
  await settled(stage)
  expect(await stage.events('alarm-raised')).toMatchObject([
    { ward: 'icu', bed: '7', rule: 'bed-refused', people: ['ann'], text: expect.stringContaining('ward wb') },
  ])
  expect(await stage.events('alarm-ended')).toEqual([])
  expect(await ask('PUT', '/wards/icu/beds/7/place')).toBe(202)
  await settled(stage)
  await stage.spine.publish(silenceWatchDue, {})
  expect(await stage.events('alarm-ended', 1)).toMatchObject([{ bed: '7', rule: 'bed-refused' }])
})

test('a monitor that is silent is noticed while a thermometer speaks, and a bed of thermometers alone is not', async () => {
  const stage = await Stage.start({ silentMs: 2_000 })
  await stage.measure('7', 'HR', 70)
  await stage.measure('8', 'Temp', 37)
  await settled(stage)
  const heard = await stage.sql<{ at: Date }>(`SELECT heard_at AS at FROM ward.bed WHERE bed = '7'`)
  await until(() => Date.now() - Number(heard[0]?.at) > 2_500)
  for (const bed of ['7', '8']) await stage.measure(bed, 'Temp', 37.1)
  await settled(stage)
  await stage.spine.publish(silenceWatchDue, {})
  expect(await stage.events('alarm-raised', 1)).toMatchObject([{ bed: '7', rule: 'device-silent' }])
  await stage.measure('7', 'Temp', 37.2)
  await settled(stage)
  expect(await stage.events('alarm-ended')).toEqual([])
  await stage.measure('7', 'HR', 71)
  expect(await stage.events('alarm-ended', 1)).toMatchObject([{ bed: '7', rule: 'device-silent' }])
})
