// The database beside the run: the log against the acknowledgements (what was acknowledged is in there, once), what is
// not through yet, and the connections that are open.
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

const countConnections = `SELECT count(*)::int AS count FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()`

/** How many connections the system under load holds at most, looked at again and again. */
export class ConnectionWatch {
  readonly #client: pg.Client
  #stopped = false
  #running: Promise<void> | undefined
  max = 0

  constructor(databaseUrl: string) {
    this.#client = new pg.Client({ connectionString: databaseUrl })
  }

  async start(): Promise<void> {
    await this.#client.connect()
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    await this.#client.end()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const { rows } = await this.#client.query<{ count: number }>(countConnections)
      this.max = Math.max(this.max, rows[0]?.count ?? 0)
      await delay(pollMs)
    }
  }
}

/** Deliveries that wait for another attempt, and dead letters. */
export async function openDeliveries(databaseUrl: string): Promise<{ rows: number; letters: number }> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query(
      `SELECT (SELECT count(*)::int FROM eventspine.delivery) AS rows, (SELECT count(*)::int FROM eventspine.dead_letter) AS letters`,
    )
    return rows[0]
  } finally {
    await client.end()
  }
}
