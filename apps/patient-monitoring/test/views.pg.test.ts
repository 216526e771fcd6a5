// The views over HTTP, as pages read them.
import { expect, test } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import { ViewServer } from '../src/view-server.js'
import { Stage } from './stage.js'

type Rows = readonly Readonly<Record<string, unknown>>[]

test('a page reads board, chart, alarms and what became of one; nobody else does', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: { 'ann-1': [] } })
  let may = true
  const views = new ViewServer({ ...stage.ward, port: 0, mayRead: () => may })
  afterTest(() => views.stop())
  const { url } = await views.start()
  const read = async (path: string, method = 'GET') => {
    const response = await fetch(`${url}${path}`, { method })
    return [response.status, (await response.json()) as Rows] as const
  }
  await stage.alarm('7')
  await until(
    async () => (await stage.sql(`SELECT FROM ward.alarm_step WHERE what = 'push-handed-over'`)).length === 1,
  )
  await until(async () => (await stage.sql(`SELECT FROM ward.board WHERE alarms <> '{}'`)).length === 1)
  await until(async () => (await stage.sql('SELECT FROM ward.chart')).length > 0)
  expect(await read('/wards/icu/board')).toMatchObject([
    200,
    [{ bed: '7', colour: 'yellow', alarms: [{ priority: 'medium' }] }],
  ])
  const [, [alarm]] = await read('/beds/7/alarms')
  expect(alarm).toMatchObject({ rule: 'mean-low', endedAt: null, acknowledgedBy: null })
  const [, steps] = await read(`/alarms/${encodeURIComponent(String(alarm?.['id']))}/steps`)
  expect(steps.map(({ what }) => what).sort()).toEqual(['alarm-raised', 'push-asked', 'push-handed-over'])
  const [from, to] = [-3_600_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString())
  const [, points] = await read(`/beds/7/chart?parameter=MAP&span=hour&from=${from}&to=${to}`)
  expect(points.reduce((sum, { readings }) => sum + Number(readings), 0)).toBe(2)
  expect(await read('/wards/icu/reports')).toEqual([200, []])
  const { vapid } = await stage.ward.keys.read()
  expect(await read('/push-key')).toEqual([200, { publicKey: vapid.publicKey }])
  expect((await read('/beds/7/chart?parameter=Pulse'))[0]).toBe(400)
  expect((await read('/beds'))[0]).toBe(404)
  expect((await read('/push-key', 'POST'))[0]).toBe(405)
  may = false
  expect((await read('/wards/icu/board'))[0]).toBe(403)
})
