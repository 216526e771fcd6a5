// The first who acknowledges an alarm has it. Whoever comes later is told who was first.
import { defineSubscription } from 'eventspine'
import { acknowledgementGiven, acknowledgementRepeated, alarmAcknowledged } from '../events.js'
import { alarmClass } from '../policies.js'

export const acknowledge = defineSubscription({
  name: 'acknowledge',
  description: 'Notes who has seen an alarm first.',
  on: acknowledgementGiven,
  ...alarmClass,
  ordered: { afterDead: 'skip' },
  async transact(event, context) {
    const { alarm, person } = event.data
    const { rowCount } = await context.tx.query(
      'INSERT INTO ward.acknowledgement (alarm, person, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [alarm, person, event.time],
    )
    if (rowCount === 1)
      return void (await context.publish(alarmAcknowledged, { alarm, person, at: event.time }))
    const { rows } = await context.tx.query<{ person: string; at: Date }>(
      'SELECT person, at FROM ward.acknowledgement WHERE alarm = $1',
      [alarm],
    )
    const [first] = rows
    if (first === undefined) return
    const { person: by, at } = first
    await context.publish(acknowledgementRepeated, { alarm, person, by, at: at.toISOString() })
  },
})
