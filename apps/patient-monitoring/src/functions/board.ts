// A row for each bed of the ward: its score and where that is going, its alarms, when it was heard of last.
import { defineSubscription, type EventOf, type Transaction } from 'eventspine'
import { alarmEnded, alarmRaised, bedCleared, bedMoved, readingsTaken, scoreChanged } from '../events.js'
import { recordBatch, recordClass } from '../policies.js'

const interests = [readingsTaken, scoreChanged, alarmRaised, alarmEnded, bedMoved, bedCleared] as const

export const board = defineSubscription({
  name: 'board',
  description: 'Keeps how each bed stands.',
  on: interests,
  ...recordClass,
  batch: recordBatch,
  // Rows are read, brought forward by all that waits, and written: a bed of which much is told is written once.
  async transactMany(deliveries, { tx }) {
    const rows = await read(tx, [...new Set(deliveries.map(({ event }) => event.data.bed))])
    const closed = new Set<string>()
    for (const { event } of deliveries) {
      const { bed } = event.data
      const row = broughtForward(rows, event)
      if (row !== undefined) rows.set(bed, row)
      else if (rows.delete(bed)) closed.add(bed)
    }
    const scores = deliveries.flatMap(({ event }) => (event.type === scoreChanged.type ? event.data : []))
    if (closed.size > 0) await tx.query('DELETE FROM ward.board WHERE bed = ANY($1)', [[...closed]])
    await write(tx, [...rows.values()])
    if (scores.length > 0) await keepScores(tx, scores)
  },
})

interface Row {
  readonly bed: string
  readonly ward: string
  readonly score: number | null
  readonly response: string | null
  readonly missing: readonly string[]
  /** The difference to the score of an hour before. */
  readonly trend: number
  readonly lastReadingAt: Date | null
  /** Those that stand, by their id. */
  readonly alarms: Readonly<Record<string, object>>
}

/** Undefined where there is no row, or none any more. */
function broughtForward(rows: ReadonlyMap<string, Row>, event: EventOf<typeof interests>): Row | undefined {
  const { ward, bed } = event.data
  const row = rows.get(bed) ?? { ...emptyRow, bed, ward }
  switch (event.type) {
    case 'ward.readings-taken':
      // What another ward says of a bed of that name is not about this one.
      return row.ward === ward ? { ...row, lastReadingAt: newest(row.lastReadingAt, event.data) } : row
    case 'ward.alarm-raised': {
      const { id, rule, priority, text, raisedAt } = event.data
      return { ...row, alarms: { ...row.alarms, [id]: { rule, priority, text, raisedAt } } }
    }
    case 'ward.alarm-ended': {
      if (!rows.has(bed)) return undefined
      const { [event.data.id]: _, ...alarms } = row.alarms
      return { ...row, alarms }
    }
    case 'ward.bed-cleared':
      if (event.data.isClosed || !rows.has(bed)) return undefined
      return { ...row, score: null, response: null, missing: [], trend: 0 }
    case 'ward.bed-moved':
      return { ...row, ward }
    case 'ward.score-changed': {
      const { total: score, response, missing } = event.data
      return { ...row, score, response, missing }
    }
  }
}

const emptyRow: Omit<Row, 'bed' | 'ward'> = {
  ...{ score: null, response: null, missing: [], trend: 0, lastReadingAt: null, alarms: {} },
}

const newest = (before: Date | null, { readings }: EventOf<typeof readingsTaken>['data']): Date =>
  new Date(Math.max(before?.getTime() ?? 0, ...readings.map(({ takenAt }) => Date.parse(takenAt))))

async function read(tx: Transaction, beds: readonly string[]): Promise<Map<string, Row>> {
  const { rows } = await tx.query<Row>(
    `SELECT bed, ward, score, response, missing, trend, last_reading_at AS "lastReadingAt", alarms
     FROM ward.board WHERE bed = ANY($1)`,
    [beds],
  )
  return new Map(rows.map((row) => [row.bed, row]))
}

const write = (tx: Transaction, rows: readonly Row[]) =>
  tx.query(
    `INSERT INTO ward.board (bed, ward, score, response, missing, trend, last_reading_at, alarms)
     SELECT bed, ward, score, response, missing, trend, "lastReadingAt", alarms
     FROM jsonb_to_recordset($1) AS row (bed text, ward text, score int, response text, missing text[], trend int,
       "lastReadingAt" timestamptz, alarms jsonb)
     ORDER BY bed
     ON CONFLICT (bed) DO UPDATE SET ward = excluded.ward, score = excluded.score, response = excluded.response,
       missing = excluded.missing, trend = excluded.trend, last_reading_at = excluded.last_reading_at, alarms = excluded.alarms`,
    [JSON.stringify(rows)],
  )

/** The course of the scores, and where it is going: of a bed with several, the newest counts. */
async function keepScores(tx: Transaction, scores: readonly EventOf<typeof scoreChanged>['data'][]) {
  const last = new Map(scores.map((score) => [`${score.bed} ${score.at}`, score]))
  await tx.query(
    `WITH told AS (
       SELECT bed, at, total, response
       FROM jsonb_to_recordset($1) AS told (bed text, at timestamptz, total int, response text)
     )
     INSERT INTO ward.score (bed, at, total, response) SELECT bed, at, total, response FROM told ORDER BY bed, at
     ON CONFLICT (bed, at) DO UPDATE SET total = excluded.total, response = excluded.response`,
    [JSON.stringify([...last.values()])],
  )
  await tx.query(
    `UPDATE ward.board AS b SET trend = b.score - coalesce((
       SELECT total FROM ward.score AS s WHERE s.bed = b.bed AND s.at <= told.at - interval '1 hour'
       ORDER BY s.at DESC LIMIT 1), b.score)
     FROM jsonb_to_recordset($1) AS told (bed text, at timestamptz)
     WHERE b.bed = told.bed`,
    [JSON.stringify([...new Map(scores.map(({ bed, at }) => [bed, { bed, at }])).values()])],
  )
}
