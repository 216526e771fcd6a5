// Runs the settle statement, whoever's connection it goes over, and claims the ids that handlers gave.
import type { AppendOutcome } from '../../append/port.js'
import { consumerId } from '../../deliver/port.js'
import type { NewEvent } from '../../event/stored.js'
import type { Settlement } from '../../settle/port.js'
import { claimIds, judge, keyedColumns, unclaimed } from './append.js'
import type { Connection } from './database.js'
import { consumerColumns } from './lease.js'
import { settleStatement } from './settle-sql.js'

// Asked only for what was not settled: an answer may have been lost on its way, and then the revision stands one
// further under the same token.
const settledBefore = `SELECT c.subscription, c.replay, c.shard FROM eventspine.consumer c
JOIN unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
  AS m(subscription, replay, shard, token, revision, tick, seq)
  ON c.subscription = m.subscription AND c.replay = m.replay AND c.shard = m.shard
WHERE c.token = m.token AND c.revision = m.revision + 1 AND c.tick = m.tick AND c.seq = m.seq`

export type Run = Connection['query']

export interface Recorded {
  /** Ids of consumers recorded by this statement. */
  readonly now: ReadonlySet<string>
  /** Ids of those that an earlier sending of the same settlement had recorded. */
  readonly before: ReadonlySet<string>
}

export async function settleBy(
  run: Run,
  worker: string,
  settlements: readonly Settlement[],
): Promise<Recorded> {
  const { name, text, values } = settleStatement(worker, settlements)
  const rows = await run<{ move: number }>(name, text, values)
  const now = new Set(rows.map((row) => consumerId(settlements[Number(row.move) - 1] as Settlement)))
  const missing = settlements.filter((settlement) => !now.has(consumerId(settlement)))
  if (missing.length === 0) return { now, before: none }
  const columns = (['token', 'revision', 'tick', 'seq'] as const).map((column) =>
    missing.map((each) => each[column]),
  )
  const found = await run<Settlement>('settle.before', settledBefore, [
    ...consumerColumns(missing),
    ...columns,
  ])
  return { now, before: new Set(found.map(consumerId)) }
}

const none: ReadonlySet<string> = new Set()

/** Of events with one id in one flush the first stands; a repeat is none, another body is a conflict. */
function distinctKeyed(settlements: readonly Settlement[]) {
  const first = new Map<string, NewEvent>()
  const verdicts = new Map<NewEvent, AppendOutcome>()
  for (const event of settlements.flatMap((each) => each.published)) {
    if (event.fingerprint === null) continue
    const identity = `${event.tenant}\n${event.source}\n${event.id}`
    const before = first.get(identity)
    if (before === undefined) first.set(identity, event)
    else verdicts.set(event, before.fingerprint === event.fingerprint ? 'duplicate' : 'conflict')
  }
  return { keyed: [...first.values()], verdicts }
}

/** Claims the ids that handlers gave. Answers the settlements without repeats, and the conflicts by consumer. */
export async function claimed(run: Run, settlements: readonly Settlement[], windowMs: number) {
  const { keyed, verdicts } = distinctKeyed(settlements)
  const won = await run('settle.claim-ids', claimIds(1), [...keyedColumns(keyed), windowMs])
  const outcomes = await judge(run, keyed, unclaimed(keyed, won))
  keyed.forEach((event, index) => verdicts.set(event, outcomes[index] ?? 'stored'))
  const conflicts = new Map<string, readonly string[]>()
  const cleaned = settlements.map((settlement) => {
    const bad = settlement.published.filter((event) => verdicts.get(event) === 'conflict')
    if (bad.length > 0)
      conflicts.set(
        consumerId(settlement),
        bad.map((event) => event.id),
      )
    return {
      ...settlement,
      published: settlement.published.filter((event) => verdicts.get(event) !== 'duplicate'),
    }
  })
  return { cleaned, conflicts }
}

export const isKeyed = (settlements: readonly Settlement[]) =>
  settlements.some((each) => each.published.some((event) => event.fingerprint !== null))
