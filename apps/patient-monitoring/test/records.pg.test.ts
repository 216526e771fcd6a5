// What is made of readings and alarms beside the way to the phone: charts, board, history, report; and that none of it is in the way.

import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import {
  acknowledgementGiven,
  deviceRegistered,
  deviceSilent,
  patientLimitsSet,
  readingsTaken,
  shiftEnded,
  silenceWatchDue,
} from '../src/events.js'
import { isArtefact, type Parameter } from '../src/rules/parameters.js'
import { alarms, board, chart, reports } from '../src/views.js'
import { freshDatabase, idOf, Stage } from './stage.js'

vi.setConfig({ testTimeout: 60_000 })

const reading = (parameter: Parameter, value: number, takenAt: string) => ({
  ...{ parameter, value, takenAt, artefact: isArtefact(parameter, value) },
})

const settled = (stage: Stage, ...names: string[]) =>
  until(async () => {
    const all = await stage.spine.operator().subscriptions()
    return all.every(
      ({ name, lagEvents, retrying }) => !names.includes(name) || (lagEvents === 0 && retrying === 0),
    )
  })

test('charts have each reading where it belongs, however late and in whatever order, and artefacts apart', async () => {
  const stage = await Stage.start()
  const taken = (...readings: ReturnType<typeof reading>[]) =>
    stage.spine.publish(readingsTaken, { ward: 'icu', bed: '7', readings })
  await taken(reading('HR', 70, '2026-01-01T10:00:50Z'), reading('HR', 80, '2026-01-01T10:00:10Z'))
  await taken(reading('HR', 90, '2026-01-01T10:01:00Z'), reading('Temp', 17, '2026-01-01T10:01:00Z'))
  await taken(reading('HR', 60, '2026-01-01T10:00:30Z'), reading('HR', 100, '2026-01-01T09:59:59.999Z'))
  await settled(stage, 'charts')
  const of = (span: 'minute' | 'hour', parameter: Parameter = 'HR') =>
    chart(stage.ward.database, {
      bed: '7',
      parameter,
      span,
      from: '2026-01-01T09:00:00Z',
      to: '2026-01-01T11:00:00Z',
    })
  expect(await of('minute')).toMatchObject([
    { start: new Date('2026-01-01T09:59:00Z'), readings: 1, mean: 100 },
    { start: new Date('2026-01-01T10:00:00Z'), readings: 3, mean: 70, lowest: 60, highest: 80, last: 70 },
    { start: new Date('2026-01-01T10:01:00Z'), readings: 1, mean: 90 },
  ])
  expect(await of('hour')).toMatchObject([
    { start: new Date('2026-01-01T09:00:00Z'), readings: 1, last: 100 },
    { start: new Date('2026-01-01T10:00:00Z'), readings: 4, mean: 75, lowest: 60, highest: 90, last: 90 },
  ])
  expect(await of('hour', 'Temp')).toMatchObject([{ readings: 0, mean: null, last: null, artefacts: 1 }])
})

test('the board has the worst alarm of a bed, its score with its trend, and its last reading', async () => {
  // Two hours of a day that has gone by, told at once.
  const stage = await Stage.start({ readingAgeMsMax: Number.MAX_SAFE_INTEGER })
  const taken = (minutes: number, ...values: readonly (readonly [Parameter, number])[]) =>
    stage.spine.publish(readingsTaken, {
      ...{ ward: 'icu', bed: '7' },
      readings: values.map(([parameter, value]) =>
        reading(parameter, value, new Date(Date.UTC(2026, 0, 1, 10, minutes)).toISOString()),
      ),
    })
  const seen = async () => (await board(stage.ward.database, 'icu'))[0]
  await taken(0, ['HR', 70], ['RespRate', 16])
  await until(async () => (await seen())?.score === 0)
  expect(await seen()).toMatchObject({ bed: '7', colour: 'green', trend: 0, alarms: [] })
  await taken(61, ['HR', 120], ['RespRate', 22], ['GCS', 14])
  await until(async () => (await seen())?.score === 7)
  await settled(stage, 'board')
  expect(await seen()).toMatchObject({
    ...{ colour: 'red', trend: 7, response: 'high', lastReadingAt: new Date('2026-01-01T11:01:00Z') },
    ...{ missing: ['saturation', 'oxygen', 'systolic', 'temperature'] },
  })
  await taken(120, ['HR', 70], ['RespRate', 16], ['GCS', 15])
  await until(async () => (await seen())?.colour === 'green')
  expect(await seen()).toMatchObject({ score: 0, alarms: [] })
})

test('a bed of which everything comes too late is silent, however much that is', async () => {
  const stage = await Stage.start({ silentMs: 0 })
  await stage.measure('7', 'HR', 70)
  await settled(stage, 'qualify')
  await stage.spine.publish(silenceWatchDue, {})
  await stage.events('alarm-raised', 1)
  for (const value of [70, 0.5, 500]) await stage.measure('7', 'HR', value, new Date(Date.now() - 7_200_000))
  await settled(stage, 'qualify')
  expect(await stage.events('alarm-ended')).toEqual([])
  await stage.measure('7', 'HR', 71)
  expect(await stage.events('alarm-ended', 1)).toMatchObject([{ rule: 'device-silent' }])
})

test('limits of one patient hold from then on', async () => {
  const stage = await Stage.start()
  const place = { ward: 'icu', bed: '7' }
  await stage.spine.publish(patientLimitsSet, {
    ...place,
    limits: { 'mean-low': 45 },
    saturationScale: 2,
    by: 'dr-lee',
  })
  await stage.alarm('7')
  await stage.alarm('8')
  const raised = await stage.events<{ bed: string }>('alarm-raised', 1)
  await settled(stage, 'qualify')
  expect(raised.map(({ bed }) => bed)).toEqual(['8'])
})

test('a bed of which nothing is heard is one alarm, noticed by whomever, and over with the next reading', async () => {
  const stage = await Stage.start({ silentMs: 0 })
  await stage.measure('7', 'HR', 70)
  await settled(stage, 'qualify')
  await stage.spine.publish(silenceWatchDue, {})
  const [raised] = await stage.events<{ rule: string }>('alarm-raised', 1)
  expect(raised).toMatchObject({ bed: '7', rule: 'device-silent', value: null })
  await stage.spine.publish(deviceSilent, { ward: 'icu', bed: '7', noticedBy: 'connection', heardAt: null })
  await stage.measure('7', 'HR', 71)
  expect(await stage.events('alarm-ended', 1)).toMatchObject([{ bed: '7', rule: 'device-silent' }])
  // Somebody noticed it, and behind that a reading was found to have come.
  const heardAt = '2026-01-01T00:00:00.000Z'
  await stage.spine.publish(deviceSilent, { ward: 'icu', bed: '7', noticedBy: 'watch', heardAt })
  await settled(stage, 'qualify')
  expect(await stage.events('alarm-raised')).toHaveLength(1)
})

test('a bed that falls silent again within a quarter of an hour is told when that is over, if it is silent still', async () => {
  const stage = await Stage.start({ silentMs: 3_600_000 })
  const startMs = Date.now() - 20 * 60_000
  const after = (minutes: number) => new Date(startMs + minutes * 60_000)
  const heard = (minutes: number) =>
    stage.spine.publish(
      readingsTaken,
      { ward: 'icu', bed: '7', readings: [reading('HR', 70, after(minutes).toISOString())] },
      { time: after(minutes) },
    )
  const missed = (minutes: number, sinceMinutes: number) =>
    stage.spine.publish(
      deviceSilent,
      { ward: 'icu', bed: '7', noticedBy: 'watch', heardAt: after(sinceMinutes).toISOString() },
      { time: after(minutes) },
    )
  await heard(0)
  await missed(1, 0)
  await heard(2)
  for (const minutes of [3, 10, 15, 16, 17]) await missed(minutes, 2)
  await settled(stage, 'qualify')
  const raised = await stage.events<{ rule: string; raisedAt: string }>('alarm-raised')
  expect(raised.map(({ rule, raisedAt }) => [rule, raisedAt])).toEqual([
    ['device-silent', after(1).toISOString()],
    ['device-silent', after(16).toISOString()],
  ])
})

test('a report tells a shift: alarms, who came, the worst beds; written again it is as of then', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: { 'ann-1': [] } })
  await stage.alarm('7')
  await stage.measure('8', 'RespRate', 30)
  await until(() => stage.push.received.length === 2)
  await settled(stage, 'history', 'board')
  const shift = {
    from: new Date(Date.now() - 3_600_000).toISOString(),
    to: new Date(Date.now() + 60_000).toISOString(),
  }
  await stage.spine.publish(shiftEnded, shift)
  const report = () => until(async () => (await reports(stage.ward.database, 'icu'))[0])
  expect((await report()).body).toMatchObject({
    ...{ beds: 2, alarms: { high: 0, medium: 1, low: 1, acknowledged: 0, unanswered: 0 } },
    ...{ rules: { 'mean-low': 1, 'news2-single': 1 }, worst: [{ bed: '8', score: 3, trend: 0 }] },
  })
  const [first] = await alarms(stage.ward.database, { ward: 'icu' })
  expect(first).toMatchObject({ ward: 'icu', acknowledgedBy: null })
})

/** Holds tables, as a migration that does not end. Answers what gives them back. */
async function hold(stage: Stage, ...tables: string[]): Promise<() => Promise<unknown>> {
  const holder = new pg.Client({ connectionString: stage.url })
  await holder.connect()
  afterTest(() => holder.end())
  await holder.query('BEGIN')
  await holder.query(`LOCK ${tables.map((table) => `ward.${table}`).join(', ')} IN ACCESS EXCLUSIVE MODE`)
  return () => holder.query('ROLLBACK')
}

const ofRecords = ['alarm', 'alarm_step', 'chart', 'board', 'score', 'report']

const waiting = async (stage: Stage) =>
  (
    await stage.sql<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    )
  )[0]?.count ?? 0

test('history, charts, board and report that hang delay no alarm, and have all of it afterwards', async () => {
  // What hangs takes all that it can get: two transactions. The third is kept for alarms.
  const url = await freshDatabase()
  const stage = await Stage.start({ databaseUrl: url }, { cells: { main: { url, connectionsMax: 3 } } })
  await stage.onDuty({ ann: { 'ann-1': [] } })
  const release = await hold(stage, ...ofRecords)
  const beds = Array.from({ length: 60 }, (_, index) => `b${index}`)
  for (const bed of beds) await stage.measure(bed, 'HR', 70)
  await until(async () => (await waiting(stage)) >= 2)
  for (const bed of beds) await stage.alarm(bed)
  await until(() => stage.push.received.length === beds.length)
  expect(await waiting(stage)).toBeGreaterThanOrEqual(2)
  expect(new Set(stage.push.received.map(({ alarm }) => alarm.id)).size).toBe(beds.length)
  await release()
  await settled(stage, 'history', 'charts', 'board')
  expect(await alarms(stage.ward.database, { ward: 'icu' })).toHaveLength(beds.length)
  expect(await board(stage.ward.database, 'icu')).toHaveLength(beds.length)
})

test('each function has a transaction of its own: seven that hang leave the eighth its own', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: { 'ann-1': [] } })
  const release = await hold(stage, ...ofRecords, 'device', 'acknowledgement')
  const at = new Date().toISOString()
  await stage.measure('7', 'HR', 70)
  await stage.spine.publish(shiftEnded, { from: new Date(Date.now() - 1_000).toISOString(), to: at })
  await stage.spine.publish(acknowledgementGiven, { alarm: 'none', person: 'ann' })
  const { endpoint, keys } = stage.push.subscribe('ann-2')
  await stage.spine.publish(deviceRegistered, {
    person: 'ann',
    device: { id: idOf(endpoint), endpoint, ...keys },
  })
  await stage.alarm('7')
  // Charts, board, report, history; acknowledge, devices, address.
  await until(async () => (await waiting(stage)) === 7)
  await stage.alarm('8')
  expect(await stage.events<{ bed: string }>('alarm-raised', 2)).toMatchObject([{ bed: '7' }, { bed: '8' }])
  expect(await waiting(stage)).toBe(7)
  await release()
  await until(() => stage.push.received.length === 2)
})

test('pages that hang hold up no push', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: { 'ann-1': [] } })
  const release = await hold(stage, 'board')
  const happened: string[] = []
  const pages = Array.from({ length: 20 }, () =>
    board(stage.ward.database, 'icu').then(
      () => happened.push('page'),
      () => happened.push('page given up'),
    ),
  )
  await stage.alarm('7')
  await until(() => stage.push.received.length === 1)
  expect(happened).toEqual([])
  await release()
  await Promise.all(pages)
})
