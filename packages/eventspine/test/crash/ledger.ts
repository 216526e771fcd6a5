// Compares what was acknowledged with what became of it: lost, doubled, aborted, out of order, left behind.
import { readFileSync } from 'node:fs'
import type { Eventspine } from 'eventspine'
import { expect } from 'vitest'
import { until } from '../support.js'

export type Sql = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>

/** Resolves when every subscription has recorded `matched` events and nothing is open. */
export async function drained(spine: Eventspine, matched: number, ms: number): Promise<void> {
  let last: unknown
  await until(async () => {
    const subscriptions = await spine
      .operator()
      .subscriptions()
      .catch(() => [])
    last = subscriptions
    const through = subscriptions.filter(
      (each) => each.matched === matched && each.retrying + each.dead === 0,
    )
    return subscriptions.length > 0 && through.length === subscriptions.length
  }, ms).catch((error: Error) => {
    throw new Error(`Not drained: ${JSON.stringify(last, null, 1)}`, { cause: error })
  })
}

/** Numbers of which there is not exactly one. */
export async function wrongEffects(sql: Sql, schema: string, subscription: string, count: number) {
  const rows = await sql<{ n: number; times: number }>(
    `SELECT i.n, count(e.n)::int AS times FROM generate_series(0, $2::int - 1) AS i(n)
     LEFT JOIN ${schema}.effect e ON e.n = i.n AND e.subscription = $1 GROUP BY i.n HAVING count(e.n) <> 1 ORDER BY i.n`,
    [subscription, count],
  )
  return { lost: rows.filter(({ times }) => times === 0), doubled: rows.filter(({ times }) => times > 1) }
}

/** Effects of attempts that failed. */
export const abortedEffects = (sql: Sql, schema: string) => sql(`SELECT * FROM ${schema}.effect WHERE doomed`)

/** Effects of a key that stand in another order than their events in the log. One publisher: its order is by seq. */
export const disorder = (sql: Sql, schema: string, subscription: string) =>
  sql(
    `SELECT * FROM (
       SELECT f.n, f.key, e.seq, lag(e.seq) OVER (PARTITION BY f.key ORDER BY f.place) AS before
       FROM ${schema}.effect f JOIN ${schema}.event e ON e.id = 'event-' || f.n WHERE f.subscription = $1) AS placed
     WHERE before > seq`,
    [subscription],
  )

/** Runs of the plain handler: none may be missing; repeats are counted. */
export function plainRuns(sink: string, count: number) {
  const lines = readFileSync(sink, 'utf8').trimEnd().split('\n').map(Number)
  const ran = new Set(lines)
  const missing = Array.from({ length: count }, (_, n) => n).filter((n) => !ran.has(n))
  return { missing, repeated: lines.length - ran.size }
}

/** The balance of every subscription, and nothing between the states. */
export async function expectLedger(spine: Eventspine, count: number, dead = 0): Promise<void> {
  const { subscriptions } = await spine.operator().doctor()
  for (const each of subscriptions)
    expect(each, each.name).toMatchObject({
      matched: count,
      completed: count - dead,
      dead,
      retrying: 0,
      skipped: 0,
      balanced: true,
    })
}
