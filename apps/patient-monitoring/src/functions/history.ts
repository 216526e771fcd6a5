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
import { recordClass } from '../policies.js'

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
  async transact(event, { tx }) {
    if (event.type === alarmRaised.type) await keep(tx, event.data)
    const { alarm, person, device, detail, at = event.time } = stepOf(event)
    await tx.query(
      `INSERT INTO ward.alarm_step (event, alarm, at, what, person, device, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      [event.id, alarm, at, event.type.replace(/^ward\./, ''), person, device, detail],
    )
  },
})

export type KeptAlarm = Omit<EventOf<typeof alarmRaised>['data'], 'people'>

export async function keep(tx: Transaction, alarm: KeptAlarm): Promise<void> {
  const { id, ward, bed, rule, priority, text, value, beganAt, raisedAt } = alarm
  await tx.query(
    `INSERT INTO ward.alarm (id, ward, bed, rule, priority, text, value, began_at, raised_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [id, ward, bed, rule, priority, text, value, beganAt, raisedAt],
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
