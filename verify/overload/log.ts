// The log against the acknowledgements: what was acknowledged is in there, once.
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const pageRows = 50_000
const drainMsMax = 120_000
const pollMs = 200

export interface LogFigures {
  readonly lost: number
  readonly twice: number
}

export async function compareWithLog(
  databaseUrl: string,
  acknowledged: ReadonlySet<string>,
): Promise<LogFigures> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const seen = new Set<string>()
    let twice = 0
    for (let after = '0'; ; ) {
      const { rows } = await client.query<{ seq: string; id: string }>(
        `SELECT seq::text AS seq, id FROM eventspine.event WHERE seq > $1 AND source = '/overload' ORDER BY eventspine.event.seq LIMIT ${pageRows}`,
        [after],
      )
      for (const { id } of rows) {
        if (seen.has(id)) twice++
        seen.add(id)
      }
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.seq
    }
    const lost = [...acknowledged].filter((id) => !seen.has(id)).length
    return { lost, twice }
  } finally {
    await client.end()
  }
}

/** Waits until so many alarms were handled; false when they were not in time. */
export async function until(holds: () => Promise<boolean>, msMax = drainMsMax): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < msMax; waitedMs += pollMs) {
    if (await holds()) return true
    await delay(pollMs)
  }
  return false
}
