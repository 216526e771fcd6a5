// Whom an alarm goes to, and on which device: the first of the person's, and another one where that does not take it. It asks for
// pushes; what carries them out knows nothing of people.
import { defineSubscription, type TransactionContext } from 'eventspine'
import {
  type AlarmBrief,
  alarmRaised,
  otherDeviceDue,
  personDue,
  personUnreachable,
  pushAsked,
  pushFailed,
} from '../events.js'
import { alarmClass } from '../policies.js'

interface Device {
  readonly id: string
  readonly endpoint: string
  readonly p256dh: string
  readonly auth: string
}

export const address = defineSubscription({
  name: 'address',
  description: 'Chooses the device of the person who is told next.',
  on: [alarmRaised, personDue, pushFailed, otherDeviceDue],
  ...alarmClass,
  concurrency: 100,
  async transact(event, context) {
    if (event.type === alarmRaised.type) {
      const { people, beganAt: _, ...alarm } = event.data
      const [first] = people
      return first === undefined ? undefined : ask(context, alarm, first)
    }
    const { alarm, person } = event.data
    // Of one that is still being tried nobody can say that the person is out of reach.
    await ask(context, alarm, person, event.type !== otherDeviceDue.type)
  },
})

async function ask(
  context: TransactionContext,
  alarm: AlarmBrief,
  person: string,
  isLast = true,
): Promise<void> {
  const device = await next(context, alarm, person)
  if (device !== undefined) return void (await context.publish(pushAsked, { alarm, person, device }))
  if (!isLast) return
  await note(context, alarm, person)
  await context.publish(personUnreachable, { alarm, person })
}

/** It was for this person all the same: the page has it, and the next device that is registered is told. */
async function note({ tx }: TransactionContext, alarm: AlarmBrief, person: string): Promise<void> {
  await tx.query(
    `INSERT INTO ward.push (alarm, person, device, brief) VALUES ($1, $2, '', $3) ON CONFLICT DO NOTHING`,
    [alarm.id, person, JSON.stringify(alarm)],
  )
}

/** The first of the person's devices that was not tried for this alarm, noted as tried. */
async function next(
  { tx }: TransactionContext,
  alarm: AlarmBrief,
  person: string,
): Promise<Device | undefined> {
  const { rows } = await tx.query<Device>(
    `WITH untried AS (
       SELECT d.id, d.endpoint, d.p256dh, d.auth FROM ward.device AS d
       WHERE d.person = $2
         AND NOT EXISTS (SELECT FROM ward.push AS p WHERE p.alarm = $1 AND p.person = $2 AND p.device = d.id)
       ORDER BY d.registered_at, d.id LIMIT 1
     ), noted AS (
       INSERT INTO ward.push (alarm, person, device, brief) SELECT $1, $2, id, $3 FROM untried
     )
     SELECT id, endpoint, p256dh, auth FROM untried`,
    [alarm.id, person, JSON.stringify(alarm)],
  )
  return rows[0]
}
