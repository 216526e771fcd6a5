// Who is on duty, and on which devices people want alarms.
import { defineSubscription } from 'eventspine'
import { deviceRegistered, deviceRemoved, dutySet, pushFailed } from '../events.js'
import { alarmClass } from '../policies.js'

export const duty = defineSubscription({
  name: 'duty',
  description: 'Keeps who is told of the alarms of a ward, one after another.',
  on: dutySet,
  ...alarmClass,
  ordered: { afterDead: 'skip' },
  async transact({ data: { ward, people } }, { tx }) {
    await tx.query('DELETE FROM ward.duty WHERE ward = $1', [ward])
    await tx.query(
      `INSERT INTO ward.duty (ward, position, person)
       SELECT $1, position, person FROM unnest($2::text[]) WITH ORDINALITY AS on_duty (person, position)`,
      [ward, people],
    )
  },
})

export const devices = defineSubscription({
  name: 'devices',
  description: 'Keeps the devices of people, and forgets those that are gone.',
  on: [deviceRegistered, deviceRemoved, pushFailed],
  ...alarmClass,
  async transact(event, { tx }) {
    if (event.type === deviceRegistered.type) {
      const { person, device } = event.data
      await tx.query(
        `INSERT INTO ward.device (id, person, endpoint, p256dh, auth) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET person = excluded.person, p256dh = excluded.p256dh, auth = excluded.auth`,
        [device.id, person, device.endpoint, device.p256dh, device.auth],
      )
      return
    }
    const { person, device } = event.data
    if (event.type === pushFailed.type && event.data.reason !== 'gone') return
    // Somebody else may have signed in by it meanwhile: theirs it stays.
    await tx.query('DELETE FROM ward.device WHERE person = $1 AND id = coalesce($2, id)', [person, device])
    if (device === null) await tx.query('DELETE FROM ward.session WHERE person = $1', [person])
  },
})
