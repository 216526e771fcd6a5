// The first shape works: it is measured beside the other as it is, and not as a straw man.
import { Eventspine } from 'eventspine'
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import { FirstWard } from '../src/before/first-ward.js'
import { Database } from '../src/database.js'
import { deviceRegistered, dutySet, readingsTaken } from '../src/events.js'
import { PushService } from './push-service.js'
import { freshDatabase, idOf } from './stage.js'

vi.setConfig({ testTimeout: 60_000 })

async function started() {
  const databaseUrl = await freshDatabase()
  const push = new PushService()
  await push.start()
  afterTest(() => push.stop())
  const ward = new FirstWard({ databaseUrl, devices: { port: 0 }, pushOrigins: [push.origin] })
  const spine = new Eventspine(ward.app, {
    ...{ databaseUrl, prepare: ward.prepare, shutdownMs: 2_000, stalledMs: 0, sources: false },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
  const database = new Database(() => databaseUrl)
  afterTest(async () => {
    await spine.stop()
    await ward.stop()
    await database.stop()
  })
  await spine.start()
  const { endpoint, keys } = push.subscribe('ann-1')
  await spine.publish(dutySet, { ward: 'icu', people: ['ann'] })
  await spine.publish(deviceRegistered, { person: 'ann', device: { id: idOf(endpoint), endpoint, ...keys } })
  await until(
    async () => (await database.query('SELECT FROM ward.device JOIN ward.duty USING (person)')).length === 1,
  )
  const measure = (value: number) =>
    spine.publish(readingsTaken, {
      ...{ ward: 'icu', bed: '7' },
      readings: [{ parameter: 'HR', value, artefact: false, takenAt: new Date().toISOString() }],
    })
  return { push, database, measure }
}

test('a reading becomes an alarm, a push, a history, a chart and a place on the board', async () => {
  const { push, database, measure } = await started()
  await measure(30)
  await until(async () => (await database.query('SELECT FROM ward.board')).length === 1)
  expect(push.received).toMatchObject([
    { phone: 'ann-1', person: 'ann', alarm: { bed: '7', priority: 'high', rule: 'pulse-very-low' } },
    { phone: 'ann-1', person: 'ann', alarm: { bed: '7', priority: 'low', rule: 'news2-single' } },
  ])
  expect(push.faults).toEqual([])
  expect(await database.query('SELECT id FROM ward.alarm ORDER BY id')).toEqual(
    push.received.map(({ alarm: { id } }) => ({ id })).sort((a, b) => (a.id < b.id ? -1 : 1)),
  )
  expect(await database.query(`SELECT readings FROM ward.chart WHERE span = 'minute'`)).toEqual([
    { readings: 1 },
  ])
})

test('while charts fail, it tells of an alarm once, and of nothing that comes behind it; mended, it has all of it', async () => {
  const { push, database, measure } = await started()
  await database.query('ALTER TABLE ward.chart RENAME TO chart_away')
  await measure(30)
  await until(() => push.received.length === 2)
  await measure(160)
  await until(async () => {
    const rows = await database.query<{ attempt: number }>(
      `SELECT attempt FROM eventspine.delivery WHERE subscription = 'reading-arrived'`,
    )
    return rows.some(({ attempt }) => attempt >= 3)
  })
  expect(push.received.length).toBe(2)
  await database.query('ALTER TABLE ward.chart_away RENAME TO chart')
  await until(() => push.received.some(({ alarm }) => alarm.id.includes('pulse-very-high')))
  expect(new Set(push.received.map(({ alarm }) => alarm.id)).size).toBe(push.received.length)
  await until(async () => (await database.query('SELECT FROM ward.alarm')).length === push.received.length)
})
