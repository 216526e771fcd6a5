// From a reading to a phone and back, in a running ward: what arrives, what is tried where, what is never told again.
import { createServer } from '@eventspine/server'
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import { alarmRaised, deviceRemoved, readingsTaken } from '../src/events.js'
import { idOf, Stage } from './stage.js'

vi.setConfig({ testTimeout: 60_000 })

interface Of {
  readonly alarm: { readonly id: string }
  readonly person: string
  readonly device: string
  readonly reason: string
  readonly detail: string
}

const phone = (stage: Stage, name: string) => idOf(`${stage.push.origin}/push/${name}`)

test('an alarm is raised once and reaches the phone of who is on duty, enciphered and signed', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: { 'ann-1': [] }, ben: { 'ben-1': [] } })
  await stage.measure('7', 'Temp', 17)
  await stage.measure('7', 'MAP', 0)
  await stage.alarm('7')
  await stage.alarm('7')
  const [raised] = await stage.events<{ id: string; people: string[] }>('alarm-raised', 1)
  expect(raised?.people).toEqual(['ann', 'ben'])
  await until(() => stage.push.received.length > 0)
  expect(stage.push.received).toMatchObject([
    {
      phone: 'ann-1',
      person: 'ann',
      urgency: 'high',
      alarm: { id: raised?.id, bed: '7', priority: 'medium' },
    },
  ])
  expect(stage.push.faults).toEqual([])
  await stage.events('push-handed-over', 1)
  const steps = await until(async () => {
    const rows = await stage.sql<{ what: string }>(
      'SELECT what FROM ward.alarm_step WHERE alarm = $1 ORDER BY what',
      [raised?.id],
    )
    return rows.length === 3 ? rows.map(({ what }) => what) : null
  })
  expect(steps).toEqual(['alarm-raised', 'push-asked', 'push-handed-over'])
})

test.each(['today', 'first'] as const)(
  'what a gateway kept for a day wakes nobody; what the functions have not come to for a day does (%s)',
  async (shape) => {
    const stage = await Stage.start({}, {}, shape)
    await stage.onDuty({ ann: { 'ann-1': [] } })
    const [hour, yesterdayMs] = [3_600_000, Date.now() - 86_400_000]
    const came = (bed: string, takenMs: number, arrivedMs: number) =>
      stage.spine.publish(
        readingsTaken,
        {
          ...{ ward: 'icu', bed },
          readings: [
            { parameter: 'HR', value: 30, takenAt: new Date(takenMs).toISOString(), artefact: false },
          ],
        },
        { time: new Date(arrivedMs) },
      )
    await came('kept', yesterdayMs, Date.now())
    await came('just', yesterdayMs - hour, yesterdayMs)
    await came('old', yesterdayMs - hour - 1, yesterdayMs)
    const charted = async () =>
      Object.fromEntries(
        (await stage.sql(`SELECT bed, too_late FROM ward.chart WHERE span = 'minute' AND readings = 1`)).map(
          (row) => [row['bed'], row['too_late']],
        ),
      )
    await until(async () => Object.keys(await charted()).length === 3)
    expect(await charted()).toEqual({ kept: 1, just: 0, old: 1 })
    // The next in time says the same, and is told.
    await came('kept', Date.now(), Date.now())
    const told = () => new Set(stage.push.received.map(({ alarm }) => alarm.id.split('.')[0]))
    await until(() => told().has('kept') && told().has('just'))
    await until(async () =>
      (await stage.spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0),
    )
    expect([...told()].sort()).toEqual(['just', 'kept'])
  },
)

test('a phone that is gone is forgotten, and the other one of the person is tried', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: { old: [410], lost: [404], new: [] } })
  await stage.alarm('7')
  const [raised] = await stage.events<{ id: string }>('alarm-raised', 1)
  await until(() => stage.push.received.some(({ alarm }) => alarm.id === raised?.id))
  expect(stage.push.received[0]).toMatchObject({ phone: 'new', person: 'ann' })
  const failed = (await stage.events<Of>('push-failed', 2)).filter(({ alarm }) => alarm.id === raised?.id)
  expect(failed.map(({ device, reason }) => [device, reason])).toEqual([
    [phone(stage, 'old'), 'gone'],
    [phone(stage, 'lost'), 'gone'],
  ])
  await until(async () => (await stage.sql('SELECT FROM ward.device')).length === 1)
})

test('a push service that is busy is asked again when it says so; one that never answers, until another device is', async () => {
  const stage = await Stage.start({ pushAnswerMsMax: 150, reachMs: 500 })
  await stage.onDuty({ ann: { hung: ['never'], busy: [{ status: 429, retryAfterSeconds: 1 }, 500, 201] } })
  await stage.alarm('7')
  await stage.alarm('8')
  await until(() => stage.push.received.length > 0, 30_000)
  expect(stage.push.received[0]).toMatchObject({ phone: 'busy' })
  expect(stage.push.requests('busy')).toBeGreaterThanOrEqual(3)
  await until(() => stage.push.received.length === 2)
  const isOpen = ({ key, state }: { key: string; state: string }) =>
    key === phone(stage, 'hung') && state === 'open'
  await until(async () => (await stage.spine.operator().breakers()).some(isOpen))
})

test('a device that is taken away while its push service is busy is not told: another one of the person is', async () => {
  const stage = await Stage.start({ reachMs: 60_000 })
  await stage.onDuty({ ann: { lost: [{ status: 429, retryAfterSeconds: 2 }, 201], own: [] } })
  await stage.alarm('7')
  await until(() => stage.push.requests('lost') === 1)
  await stage.spine.publish(deviceRemoved, { person: 'ann', device: phone(stage, 'lost'), by: 'lead' })
  await until(() => stage.push.received.length > 0)
  expect(stage.push.received).toMatchObject([{ phone: 'own', person: 'ann' }])
  expect(stage.push.requests('lost')).toBe(1)
})

test('one that wants to be left alone for longer than an alarm may wait is left for the next person', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: { busy: [{ status: 429, retryAfterSeconds: 3_600 }] }, ben: { 'ben-1': [] } })
  await stage.alarm('7')
  await until(() => stage.push.received.length > 0)
  expect(stage.push.received[0]).toMatchObject({ phone: 'ben-1', person: 'ben' })
  expect((await stage.events<Of>('push-failed', 1))[0]?.detail).toContain('3600 s')
  expect(await stage.events<Of>('person-unreachable', 1)).toMatchObject([{ person: 'ann' }])
})

test('whoever acknowledges first has it; nobody is told of it again', async () => {
  const stage = await Stage.start({ pushAnswerMsMax: 300 })
  await stage.onDuty({ ann: { 'ann-1': [] }, ben: { 'ben-1': [{ status: 429, retryAfterSeconds: 2 }, 201] } })
  const server = createServer(stage.spine, { port: 0, development: true })
  afterTest(() => server.stop())
  const { url } = await server.start()
  await stage.alarm('7')
  await until(() => stage.push.received.length > 0)
  const [{ acknowledge, alarm }] = stage.push.received as [(typeof stage.push.received)[number]]
  const acknowledging = (body: object) =>
    fetch(`${url}${acknowledge.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=20' },
      body: JSON.stringify(body),
    })
  const { person, token } = acknowledge
  expect((await acknowledging({ person: 'ben', token })).status).toBe(403)
  expect((await acknowledging({ person, token: `${token.slice(0, -1)}!` })).status).toBe(403)
  expect(await stage.events('acknowledgement-given')).toEqual([])
  const first = await acknowledging({ person, token })
  expect([first.status, await first.json()]).toEqual([200, { by: 'ann', at: expect.any(String) }])
  const bens = await stage.ward.keys.acknowledgementToken(alarm.id, 'ben')
  const second = await acknowledging({ person: 'ben', token: bens })
  expect([second.status, await second.json()]).toEqual([200, { by: 'ann', at: expect.any(String) }])
  await until(async () => (await stage.spine.workflows.show('escalation', alarm.id))?.state === 'completed')
  // Ben's phone is asked for it all the same: by then it is known.
  await stage.spine.publish(alarmRaised, {
    ...{
      id: alarm.id,
      ward: 'icu',
      bed: '7',
      rule: 'pulse-very-low',
      priority: 'high',
      text: 'again',
      value: 0,
    },
    ...{ raisedAt: new Date().toISOString(), beganAt: new Date().toISOString(), people: ['ben'] },
  })
  await until(async () => (await stage.events('push-asked')).length >= 2)
  const subscriptions = async () =>
    (await stage.spine.operator().subscriptions()).find(({ name }) => name === 'push')
  await until(async () => {
    const push = await subscriptions()
    return push !== undefined && push.lagEvents === 0 && push.retrying === 0
  })
  expect(stage.push.requests('ben-1')).toBe(0)
})

test('an alarm whose people have no device is an open question at once', async () => {
  const stage = await Stage.start()
  await stage.onDuty({ ann: {}, ben: {}, lead: {} })
  await stage.alarm('7')
  const [unanswered] = await stage.events<{ alarm: { id: string } }>('alarm-unanswered', 1)
  const details = await until(async () => {
    const shown = await stage.spine.workflows.show('escalation', unanswered?.alarm.id ?? '')
    return shown?.questions.length === 1 ? shown : null
  })
  expect(details.state).not.toBe('completed')
})
