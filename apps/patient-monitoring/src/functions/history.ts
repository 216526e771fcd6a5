// What became of each alarm: who, what, when, acknowledged by. Rows stand for themselves, so that it does not matter in which order
// the events are handled, or whether they are replayed.
import { defineSubscription, type EventOf, type Transaction } from 'eventspine'
import {
  alarmAcknowledged,
  alarmEnded,
  alarmRaised,
  alarmUnanswered,
  personUnreachable,
  pushAsked,
  pushFailed,
  pushHandedOver,
} from '../events.js'
import { recordBatch, recordClass } from '../policies.js'

/** What of the person's device, and why. */
interface Step {
  readonly alarm: string
  readonly person?: string | undefined
  readonly device?: string
  readonly detail?: string
  /** Where it is not the time of the event. */
  readonly at?: string
}

const interests = [
  alarmRaised,
  alarmEnded,
  pushAsked,
  pushHandedOver,
  pushFailed,
  personUnreachable,
  alarmAcknowledged,
  alarmUnanswered,
] as const

export const history = defineSubscription({
  name: 'history',
  description: 'Keeps what became of each alarm.',
  on: interests,
  ...recordClass,
  // In an order, what an outage left would go home one by one of each bed.
  ordered: false,
  batch: recordBatch,
  async transactMany(deliveries, { tx }) {
    const events = deliveries.map(({ event }) => event)
    await keep(
      tx,
      events.flatMap((event) => (event.type === alarmRaised.type ? event.data : [])),
    )
    const steps = events.map((event) => ({
      ...{ event: event.id, at: event.time, what: event.type.replace(/^ward\./, ''), ...stepOf(event) },
    }))
    await tx.query(
      `INSERT INTO ward.alarm_step (event, alarm, at, what, person, device, detail)
       SELECT event, alarm, at, what, person, device, detail
       FROM jsonb_to_recordset($1) AS step (event text, alarm text, at timestamptz, what text, person text, device text,
         detail text)
       ON CONFLICT DO NOTHING`,
      [JSON.stringify(steps)],
    )
  },
})

export type KeptAlarm = Omit<EventOf<typeof alarmRaised>['data'], 'people'>

export async function keep(tx: Transaction, alarms: readonly KeptAlarm[]): Promise<void> {
  if (alarms.length === 0) return
  await tx.query(
    `INSERT INTO ward.alarm (id, ward, bed, rule, priority, text, value, began_at, raised_at)
     SELECT id, ward, bed, rule, priority, text, value, "beganAt", "raisedAt"
     FROM jsonb_to_recordset($1) AS alarm (id text, ward text, bed text, rule text, priority text, text text,
       value double precision, "beganAt" timestamptz, "raisedAt" timestamptz)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(alarms)],
  )
}

function stepOf(event: EventOf<typeof interests>): Step {
  switch (event.type) {
    case 'ward.alarm-raised':
      return { alarm: event.data.id, detail: event.data.text }
    case 'ward.alarm-ended':
      return { alarm: event.data.id }
    case 'ward.alarm-acknowledged':
      return event.data
    case 'ward.alarm-unanswered':
      return { alarm: event.data.alarm.id }
    case 'ward.push-failed': {
      const { alarm, person, device, reason, detail } = event.data
      return { alarm: alarm.id, person, device, detail: `${reason}: ${detail}` }
    }
    case 'ward.push-asked':
      return { alarm: event.data.alarm.id, person: event.data.person, device: event.data.device.id }
    case 'ward.push-handed-over':
      return { ...event.data, alarm: event.data.alarm.id }
    case 'ward.person-unreachable':
      return { alarm: event.data.alarm.id, person: event.data.person }
  }
}
