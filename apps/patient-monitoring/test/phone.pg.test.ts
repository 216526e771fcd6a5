// A carer and their phone, as the pages' questions have it: alarms of who has none, and what the ward knows of one that is there.
import { expect, test, vi } from 'vitest'
import { until } from '../../../test/spine.js'
import { idOf } from './stage.js'
import { ann, opened } from './visitor.js'

vi.setConfig({ testTimeout: 60_000 })

test('who is on duty without a phone sees the alarm all the same, and is told of it by the phone that is registered then', async () => {
  const { stage, site, visitor } = await opened()
  await visitor.signIn(site, ann)
  await stage.onDuty({ ann: {} })
  await stage.alarm('7')
  await stage.alarm('8')
  await stage.events('person-unreachable', 2)
  const own = async () => (await visitor.ask('/api/own-alarms')).body as readonly Record<string, string>[]
  expect(await own()).toMatchObject([
    { bed: '8', stands: true, openInAll: 2 },
    { bed: '7', stands: true, openInAll: 2 },
  ])
  const [eight] = await own()
  const given = { alarm: eight?.['id'], person: 'ann', token: eight?.['token'] }
  expect(await visitor.ask('/api/acknowledgements', { method: 'POST', body: given })).toMatchObject({
    status: 200,
    body: { by: 'ann' },
  })
  const phone = stage.push.subscribe('ann-1')
  const register = () => visitor.ask('/api/devices', { method: 'PUT', body: phone })
  expect((await register()).status).toBe(202)
  await until(() => stage.push.received.length > 0)
  await stage.events('push-handed-over', 1)
  // Registered again, as at each start of its page: it was told.
  expect((await register()).status).toBe(202)
  await stage.events('device-registered', 2)
  await until(async () =>
    (await stage.spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0),
  )
  expect(stage.push.received).toMatchObject([{ phone: 'ann-1', alarm: { bed: '7' } }])
  expect(await stage.events<object>('push-asked', 1)).toMatchObject([
    { device: { id: idOf(phone.endpoint) } },
  ])
})
