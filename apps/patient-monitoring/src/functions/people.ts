// Who is on duty, and on which devices people want alarms.
import { defineSubscription, type Transaction, type TransactionContext } from 'eventspine'
import type { Database } from '../database.js'
import {
  type AlarmBrief,
  deviceRegistered,
  deviceRemoved,
  dutySet,
  otherDeviceDue,
  peopleMax,
  pushFailed,
} from '../events.js'
import { alarmClass } from '../policies.js'
import { priorities } from '../rules/limits.js'

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

/** One after another. */
export async function whoIsOnDuty(database: Database, ward: string): Promise<readonly string[]> {
  const rows = await database.query<{ person: string }>(
    'SELECT person FROM ward.duty WHERE ward = $1 ORDER BY position LIMIT $2',
    [ward, peopleMax],
  )
  return rows.map(({ person }) => person)
}

export const devices = defineSubscription({
  name: 'devices',
  description: 'Keeps the devices of people, and forgets those that are gone.',
  on: [deviceRegistered, deviceRemoved, pushFailed],
  ...alarmClass,
  async transact(event, context) {
    const { tx } = context
    if (event.type === deviceRegistered.type) {
      const { person, device } = event.data
      await tx.query(
        `INSERT INTO ward.device (id, person, endpoint, p256dh, auth) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET person = excluded.person, p256dh = excluded.p256dh, auth = excluded.auth`,
        [device.id, person, device.endpoint, device.p256dh, device.auth],
      )
      await tellMissed(context, person)
      return
    }
    const { person, device } = event.data
    if (event.type === pushFailed.type && event.data.reason !== 'gone') return
    // Somebody else may have signed in by it meanwhile: theirs it stays.
    const { rows } = await tx.query<{ id: string }>(
      'DELETE FROM ward.device WHERE person = $1 AND id = coalesce($2, id) RETURNING id',
      [person, device],
    )
    if (event.type === pushFailed.type && rows.length > 0) await noteGone(tx, event.data.device)
    if (device === null) await tx.query('DELETE FROM ward.session WHERE person = $1', [person])
  },
})

/** For as long as a browser may come back with it. */
const noteGone = (tx: Transaction, device: string) =>
  tx.query(
    `WITH old AS (DELETE FROM ward.device_gone WHERE at < clock_timestamp() - interval '90 days')
     INSERT INTO ward.device_gone (id, at) VALUES ($1, clock_timestamp())
     ON CONFLICT (id) DO UPDATE SET at = excluded.at`,
    [device],
  )

/** A phone that was just unlocked is not flooded: the page shows the rest. */
const missedMax = 20

/** What still stands, is in nobody's hands, and found no device of the person that is there now: this one is tried. */
async function tellMissed({ tx, publish }: TransactionContext, person: string): Promise<void> {
  const { rows } = await tx.query<{ brief: AlarmBrief }>(
    `SELECT missed.brief FROM ward.push AS missed
     JOIN ward.bed AS b ON b.bed = missed.brief ->> 'bed'
     WHERE missed.person = $1 AND missed.device = ''
       AND b.state #>> ARRAY['episodes', missed.brief ->> 'rule', 'alarm'] = missed.alarm
       AND NOT EXISTS (SELECT FROM ward.acknowledgement AS a WHERE a.alarm = missed.alarm)
       AND NOT EXISTS (
         SELECT FROM ward.push AS tried JOIN ward.device AS d ON d.id = tried.device AND d.person = tried.person
         WHERE tried.alarm = missed.alarm AND tried.person = $1)
     ORDER BY array_position($2::text[], missed.brief ->> 'priority'), missed.asked_at DESC LIMIT $3`,
    [person, priorities, missedMax],
  )
  for (const { brief } of rows) await publish(otherDeviceDue, { alarm: brief, person })
}
