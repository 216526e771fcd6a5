// A row for each bed of the ward: its score and where that is going, its alarms, when it was heard of last.
import { defineSubscription, type EventOf, type Transaction } from 'eventspine'
import { alarmEnded, alarmRaised, bedMoved, readingsTaken, scoreChanged } from '../events.js'
import { recordClass } from '../policies.js'

export const board = defineSubscription({
  name: 'board',
  description: 'Keeps how each bed stands.',
  on: [readingsTaken, scoreChanged, alarmRaised, alarmEnded, bedMoved],
  ...recordClass,
  concurrency: 50,
  async transact(event, { tx }) {
    const { ward, bed } = event.data
    switch (event.type) {
      case 'ward.readings-taken':
        return hear(tx, event.data)
      case 'ward.alarm-raised': {
        const { id, rule, priority, text, raisedAt } = event.data
        return tx.query(alarmOn, [bed, ward, id, JSON.stringify({ rule, priority, text, raisedAt })])
      }
      case 'ward.alarm-ended':
        return tx.query('UPDATE ward.board SET alarms = alarms - $2 WHERE bed = $1', [bed, event.data.id])
      case 'ward.bed-moved':
        return tx.query(moved, [bed, ward])
      case 'ward.score-changed':
        return score(tx, ward, bed, event.data)
    }
  },
})

export async function hear(
  tx: Transaction,
  { ward, bed, readings }: EventOf<typeof readingsTaken>['data'],
): Promise<void> {
  const newest = readings.reduce((last, { takenAt }) => (takenAt > last ? takenAt : last), '')
  await tx.query(heard, [bed, ward, newest])
}

// What another ward says of a bed of that name is not about this one.
const heard = `
  INSERT INTO ward.board AS b (bed, ward, last_reading_at) VALUES ($1, $2, $3)
  ON CONFLICT (bed) DO UPDATE SET last_reading_at = greatest(b.last_reading_at, excluded.last_reading_at)
    WHERE b.ward = excluded.ward`

const moved = `
  INSERT INTO ward.board (bed, ward) VALUES ($1, $2) ON CONFLICT (bed) DO UPDATE SET ward = excluded.ward`

const alarmOn = `
  INSERT INTO ward.board AS b (bed, ward, alarms) VALUES ($1, $2, jsonb_build_object($3::text, $4::jsonb))
  ON CONFLICT (bed) DO UPDATE SET alarms = b.alarms || excluded.alarms`

interface Score {
  readonly total: number
  readonly response: string
  readonly missing: readonly string[]
  readonly at: string
}

/** The trend is the difference to the score of an hour before. */
async function score(tx: Transaction, ward: string, bed: string, { total, response, missing, at }: Score) {
  await tx.query(
    `INSERT INTO ward.score (bed, at, total, response) VALUES ($1, $2, $3, $4)
     ON CONFLICT (bed, at) DO UPDATE SET total = excluded.total, response = excluded.response`,
    [bed, at, total, response],
  )
  await tx.query(
    `INSERT INTO ward.board AS b (bed, ward, score, response, missing, trend)
     VALUES ($1, $2, $3, $4, $5, $3 - coalesce((
       SELECT total FROM ward.score WHERE bed = $1 AND at <= $6::timestamptz - interval '1 hour'
       ORDER BY at DESC LIMIT 1), $3))
     ON CONFLICT (bed) DO UPDATE SET score = excluded.score,
       response = excluded.response, missing = excluded.missing, trend = excluded.trend`,
    [bed, ward, total, response, missing, at],
  )
}
