// One function does all of it, for each reading: what is it, who must know, what is kept. Correct, and short. Whatever any of its
// steps waits for, the next alarm of everybody waits for, too.
import { defineSubscription, type EventOf, type Transaction, TransientError } from 'eventspine'
import type { Database } from '../database.js'
import { type AlarmBrief, readingsTaken } from '../events.js'
import { chart } from '../functions/charts.js'
import { type KeptAlarm, keep } from '../functions/history.js'
import { acknowledgementPath, type PushSettings } from '../functions/push.js'
import type { KeyChain } from '../keys.js'
import { alarmClass } from '../policies.js'
import { isOfPushService, outcomeOf, type Phone, sendPush } from '../push-message.js'
import type { Arrival } from '../rules/arrival.js'
import { type Bed, emptyBed, takeAll } from '../rules/bed.js'

export interface Services extends PushSettings {
  readonly database: Database
  readonly keys: KeyChain
  /** Of a reading that was older when it came in no alarm is made. */
  readonly readingAgeMsMax: number
}

type Readings = EventOf<typeof readingsTaken>['data']
type Device = Phone & { readonly id: string; readonly person: string }

export const readingArrived = (services: Services) =>
  defineSubscription({
    name: 'reading-arrived',
    description: 'Qualifies, pushes, and keeps, for each reading.',
    on: readingsTaken,
    ...alarmClass,
    ordered: { afterDead: 'skip' },
    concurrency: 100,
    async transact({ data, time }, { tx, signal }) {
      const arrival = { arrivedMs: Date.parse(time), ageMsMax: services.readingAgeMsMax }
      const alarms = await qualify(tx, data, arrival)
      // A person first, then whatever is kept.
      for (const alarm of alarms) await tell(services, alarm, signal)
      await keep(tx, alarms)
      await chart(tx, [{ ...data, arrivedMs: arrival.arrivedMs }], arrival.ageMsMax)
      await hear(tx, data)
    },
  })

async function qualify(tx: Transaction, { ward, bed, readings }: Readings, arrival: Arrival) {
  const { rows } = await tx.query<{ state: Bed }>('SELECT state FROM ward.bed WHERE bed = $1', [bed])
  let state = rows[0]?.state ?? emptyBed
  const alarms: KeptAlarm[] = []
  const taken = readings.map(({ takenAt, ...reading }) => ({ ...reading, takenMs: Date.parse(takenAt) }))
  for (const told of takeAll(bed, state, taken, arrival)) {
    state = told.bed
    for (const { beganMs, raisedMs, ...alarm } of told.raised) {
      const times = { beganAt: new Date(beganMs).toISOString(), raisedAt: new Date(raisedMs).toISOString() }
      alarms.push({ ...alarm, ward, bed, ...times })
    }
  }
  await tx.query(
    `INSERT INTO ward.bed AS b (bed, ward, state, heard_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (bed) DO UPDATE SET state = excluded.state, heard_at = excluded.heard_at`,
    [bed, ward, JSON.stringify(state), new Date(arrival.arrivedMs)],
  )
  return alarms
}

async function hear(tx: Transaction, { ward, bed, readings }: Readings) {
  const newest = readings.reduce((last, { takenAt }) => (takenAt > last ? takenAt : last), '')
  await tx.query(
    `INSERT INTO ward.board AS b (bed, ward, last_reading_at) VALUES ($1, $2, $3)
     ON CONFLICT (bed) DO UPDATE SET last_reading_at = greatest(b.last_reading_at, excluded.last_reading_at)
       WHERE b.ward = excluded.ward`,
    [bed, ward, newest],
  )
}

/** Once: what was handed over is noted beside the transaction, so that an attempt that fails later on is no second push. */
async function tell(services: Services, { beganAt: _, ...alarm }: KeptAlarm, signal: AbortSignal) {
  const { database } = services
  const [device] = await database.query<Device>(whoIsTold, [alarm.ward])
  if (device === undefined) return
  const { id, person } = device
  const told = await database.query('SELECT FROM ward.push WHERE alarm = $1', [alarm.id])
  if (told.length > 0) return
  await send(services, alarm, device, signal)
  await database.query('INSERT INTO ward.push (alarm, person, device, brief) VALUES ($1, $2, $3, $4)', [
    ...[alarm.id, person, id, JSON.stringify(alarm)],
  ])
}

const whoIsTold = `
  SELECT device.* FROM ward.duty JOIN ward.device USING (person)
  WHERE ward = $1 ORDER BY position, registered_at, id LIMIT 1`

async function send(services: Services, alarm: AlarmBrief, device: Device, signal: AbortSignal) {
  const { keys, subject, answerMsMax, pushOrigins } = services
  if (!isOfPushService(device.endpoint, pushOrigins)) return
  const { person } = device
  const token = await keys.acknowledgementToken(alarm.id, person)
  const body = { alarm, person, acknowledge: { path: acknowledgementPath(alarm.id), person, token } }
  const message = { id: alarm.id, subject, body }
  const outcome = outcomeOf(await sendPush(await keys.read(), device, message, { answerMsMax, signal }))
  if (outcome.kind === 'handed-over') return
  throw new TransientError(outcome.detail, { retryAfterMs: outcome.retryAfterMs })
}
