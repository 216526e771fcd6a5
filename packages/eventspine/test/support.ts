// What the tests of the running engine share: a schema of their own on the run's server, and waiting on conditions.

import { type App, Eventspine, type EventspineOptions, jsonLogger } from 'eventspine'
import pg from 'pg'
import { afterEach } from 'vitest'

export const databaseUrl = process.env['EVENTSPINE_TEST_DATABASE_URL'] ?? ''
/** Past a pooler, for sessions that must be one's own. */
export const directUrl = process.env['EVENTSPINE_TEST_DIRECT_DATABASE_URL'] ?? databaseUrl

let schemas = 0
const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Runs after the test, whatever became of it. */
export const afterTest = (cleanup: () => Promise<unknown>) => void cleanups.push(cleanup)

export function freshSchema(): string {
  const schema = `t${process.pid}_${++schemas}`
  afterTest(() => sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`))
  return schema
}

export async function sql<Row extends pg.QueryResultRow = Record<string, unknown>>(
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

export const logged: string[] = []

/** A started Eventspine in `schema`, stopped after the test. */
export async function running(
  app: App,
  schema: string,
  options: Partial<EventspineOptions> = {},
): Promise<Eventspine> {
  const spine = new Eventspine(app, {
    databaseUrl,
    schema,
    logger: jsonLogger('error', Date.now, (line) => logged.push(line)),
    shutdownMs: 5_000,
    // The process under it is that of the tests.
    stalledMs: 0,
    ...options,
  })
  afterTest(() => spine.stop())
  await spine.start()
  return spine
}

/** Asks until `condition` holds; fails with what it last said after `ms`. */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  ms = 15_000,
): Promise<NonNullable<Value>> {
  const end = Date.now() + ms
  let last: Value | undefined
  for (;;) {
    last = await condition()
    if (last) return last as NonNullable<Value>
    if (Date.now() > end) throw new Error(`Not within ${ms} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Resolves when every subscription has settled all that is in the log and nothing waits. */
export async function quiet(spine: Eventspine, ms = 20_000): Promise<void> {
  let calm = 0
  await until(async () => {
    const subscriptions = await spine.operator().subscriptions()
    calm = subscriptions.every(({ lagEvents, retrying }) => lagEvents === 0 && retrying === 0) ? calm + 1 : 0
    return calm >= 3
  }, ms)
}
