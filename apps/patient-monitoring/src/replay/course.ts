// The course of a recording that is told again without an end, and of which times its readings are said to be. First the last two days,
// faster than they were, until now is reached; from then on what comes is of now, as dense as it is told. One that was stopped goes on: of a
// time that lies behind what was told, nothing would count.
import type { EventOf, Eventspine } from 'eventspine'
import type { Database } from '../database.js'
import { readingsTaken } from '../events.js'
import type { Recorded } from './stays.js'

const recordedMs = 48 * 3_600_000
const minuteMs = 60_000

export interface Place {
  /** The time of the first reading that is told from here on; in ms since 1970. */
  readonly fromMs: number
  /** How far into the recording that is. */
  readonly positionMs: number
}

export interface Due {
  readonly recorded: Recorded
  /** When it is told, and when it is said to have been taken; in ms since 1970. */
  readonly dueMs: number
  readonly takenMs: number
}

/** `speed`: seconds of the recording in a second. `recorded`: in the order of its time. Ends at once where there is none. */
export function* course(
  recorded: readonly Recorded[],
  { fromMs, positionMs }: Place,
  beganMs: number,
  speed: number,
): Generator<Due> {
  for (let roundMs = -positionMs; recorded.length > 0; roundMs += recordedMs)
    for (const each of recorded) {
      const afterMs = roundMs + each.afterMs
      if (afterMs < 0) continue
      const dueMs = Math.floor(beganMs + afterMs / speed)
      yield { recorded: each, dueMs, takenMs: Math.min(dueMs, fromMs + afterMs) }
    }
}

/** Where it goes on: behind the newest reading of these beds that the log holds, whether or not it is worked off by now, or that the ward
 *  knows where the log does not hold it any more; two days ago, at its beginning, where there is none or an older one. */
export async function placeOf(
  { database, spine }: { readonly database: Database; readonly spine: Eventspine },
  recorded: readonly Recorded[],
  nowMs: number,
): Promise<Place> {
  const beds = [...new Set(recorded.map(({ bed }) => bed))]
  const [row] = await database.query<{ lastMs: number | null; began: Date | null }>(
    `SELECT
       (SELECT max((known.value ->> 'atMs')::float8) FROM ward.bed, jsonb_each(state -> 'latest') AS known
        WHERE bed = ANY ($1)) AS "lastMs",
       (SELECT min(start) FROM ward.chart WHERE bed = ANY ($1) AND span = 'minute') AS began`,
    [beds],
  )
  const told = await Promise.all(beds.map((bed) => lastToldMs(spine, bed)))
  const lastMs = Math.max(row?.lastMs ?? 0, ...told)
  if (lastMs < nowMs - recordedMs) return { fromMs: nowMs - recordedMs, positionMs: 0 }
  const began = row?.began ?? null
  const toldMs = began === null ? 0 : lastMs - began.getTime() + (recorded[0]?.afterMs ?? 0)
  // Recordings, and charts, know minutes. What was told of that minute is told again, and is the same.
  return { fromMs: lastMs, positionMs: (Math.floor(toldMs / minuteMs) * minuteMs) % recordedMs }
}

/** When the reading was taken of which this bed told last; 0 for never. */
async function lastToldMs(spine: Eventspine, bed: string): Promise<number> {
  const { items } = await spine.operator().events({ type: readingsTaken.type, key: bed, limit: 1 })
  const readings = items.flatMap(({ data }) => (data as EventOf<typeof readingsTaken>['data']).readings)
  return Math.max(0, ...readings.map(({ takenAt }) => Date.parse(takenAt)))
}
