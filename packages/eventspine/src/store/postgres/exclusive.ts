// Transactions for housekeeping: unprepared, because their statements name tables that come and go, and bounded
// in what they may make others wait for.
import { type Database, translate } from './database.js'

/** Runs a statement. Without `values` it may be several, separated by semicolons; the rows are the last one's. */
export type Execute = <Row = Record<string, unknown>>(
  name: string,
  text: string,
  values?: readonly unknown[],
) => Promise<Row[]>

/**
 * How long housekeeping waits for a table lock. Whoever waits for an exclusive lock makes everybody behind it wait
 * too, publishers included: that, and not the work under the lock, is what must be short.
 */
export const lockWaitMsMax = 80

/** A statement of housekeeping that takes longer will never be answered: its connection is given up. A migration may
 *  take as long as it does, and who waits for the migration of another as well. */
const housekeepingMsMax = 600_000

/** `taken`: another worker is at it. `busy`: a table is in use. Either way nothing happened; a later call tries again. */
export type Exclusive<Result> =
  | { readonly state: 'done'; readonly result: Result }
  | { readonly state: 'taken' | 'busy' }

/** `work` in one transaction. Prefer `Database.transaction` where the statements are fixed. */
export async function unprepared<Result>(
  database: Database,
  work: (execute: Execute) => Promise<Result>,
): Promise<Result> {
  try {
    return await attempt(database, Number.POSITIVE_INFINITY, work)
  } catch (error) {
    throw translate(error)
  }
}

/** The same, and no schema is put in: for statements that hold names of users, in which nothing may be replaced. */
export async function verbatim<Result>(
  database: Database,
  work: (execute: Execute) => Promise<Result>,
): Promise<Result> {
  try {
    return await attempt(database, housekeepingMsMax, work, 'BEGIN', (text) => text)
  } catch (error) {
    throw translate(error)
  }
}

/** `work` in one transaction that holds `lock` (a name that starts with `eventspine.`) in this schema. Never waits long. */
export async function exclusively<Result>(
  database: Database,
  lock: string,
  work: (execute: Execute) => Promise<Result>,
): Promise<Exclusive<Result>> {
  try {
    // In one message: each takes a worker and the server out of their sleep.
    const opening = `BEGIN; SET LOCAL lock_timeout = ${lockWaitMsMax}; SELECT pg_try_advisory_xact_lock(${lockKey(lock)}) AS held`
    return await attempt<Exclusive<Result>>(
      database,
      housekeepingMsMax,
      async (execute, [row]) =>
        row?.held === true ? { state: 'done', result: await work(execute) } : { state: 'taken' },
      opening,
    )
  } catch (error) {
    if (hasCode(error, 'lock_not_available')) return { state: 'busy' }
    throw translate(error)
  }
}

/** `work`, which has connections of its own, while no other process is at work of this name in this schema. */
export async function alone(database: Database, name: string, work: () => Promise<void>): Promise<void> {
  // The lock is the transaction's: one of the session would stay behind where a pooler hands sessions on.
  await unprepared(database, async (execute) => {
    await execute('alone.patience', 'SET LOCAL idle_in_transaction_session_timeout = 0')
    await execute('alone.lock', `SELECT pg_advisory_xact_lock(hashtextextended('eventspine.' || $1, 0))`, [
      name,
    ])
    await work()
  })
}

/** SQL for the number of an advisory lock. The schema takes part, as everywhere: cells of one database do not wait for one another. */
export const lockKey = (lock: string) => `hashtextextended('${lock}', 0)`

const codes = {
  lock_not_available: '55P03',
  check_violation: '23514',
  deadlock_detected: '40P01',
  unique_violation: '23505',
  invalid_object_definition: '42P17',
  insufficient_privilege: '42501',
  undefined_function: '42883',
  feature_not_supported: '0A000',
  undefined_table: '42P01',
  object_in_use: '55006',
  query_canceled: '57014',
} as const

/** True when the server refused with one of these conditions. */
export function hasCode(error: unknown, ...conditions: readonly (keyof typeof codes)[]): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return conditions.some((condition) => codes[condition] === code)
}

async function attempt<Result>(
  database: Database,
  msMax: number,
  work: (execute: Execute, opened: readonly Readonly<Record<string, unknown>>[]) => Promise<Result>,
  opening = 'BEGIN',
  written = (text: string) => qualified(database, text),
): Promise<Result> {
  const client = await database.connect('read')
  const bounded = <Answer>(ask: () => Promise<Answer>) => database.within(client, msMax, ask)
  let broken: Error | undefined
  const execute: Execute = async <Row>(name: string, text: string, values?: readonly unknown[]) => {
    const statement = `/* ${name} */ ${written(text)}`
    const answer = await bounded(() =>
      values === undefined ? client.query(statement) : client.query(statement, [...values]),
    )
    const last = Array.isArray(answer) ? answer.at(-1) : answer
    return last.rows as Row[]
  }
  try {
    const result = await work(execute, await execute('maintain.begin', opening))
    await bounded(() => client.query('COMMIT'))
    return result
  } catch (error) {
    await bounded(() => client.query('ROLLBACK')).catch((fault: Error) => {
      broken = fault
    })
    throw error
  } finally {
    client.release(broken)
  }
}

// Not `Database.sql`, which keeps every text that it sees: these are ever new.
const qualified = (database: Database, text: string) => text.replaceAll('eventspine.', `${database.schema}.`)
