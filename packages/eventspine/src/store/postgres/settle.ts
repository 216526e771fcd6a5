// Records outcomes: cursors, runs, rows, dead letters and handlers' events in one statement, so that group commit
// carries everything a process did.
import { consumerId } from '../../deliver/port.js'
import type { SettleAnswer, Settlement, SettlePort } from '../../settle/port.js'
import { claimIds, judge, keyedColumns } from './append.js'
import { type Connection, type Database, type Lane, translate } from './database.js'
import { consumerColumns } from './lease.js'
import { settleStatement } from './settle-sql.js'

const none: ReadonlyMap<string, readonly string[]> = new Map()

// Asked only for what was not settled: an answer may have been lost on its way, and then the revision stands one
// further under the same token.
const settledBefore = `SELECT c.subscription, c.replay, c.shard FROM eventspine.consumer c
JOIN unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
  AS m(subscription, replay, shard, token, revision, tick, seq)
  ON c.subscription = m.subscription AND c.replay = m.replay AND c.shard = m.shard
WHERE c.token = m.token AND c.revision = m.revision + 1 AND c.tick = m.tick AND c.seq = m.seq`

export type Run = Connection['query']

async function settleBy(run: Run, worker: string, settlements: readonly Settlement[]): Promise<Set<string>> {
  const { name, text, values } = settleStatement(worker, settlements)
  const rows = await run<{ move: number }>(name, text, values)
  const settled = new Set(rows.map((row) => consumerId(settlements[Number(row.move) - 1] as Settlement)))
  const missing = settlements.filter((settlement) => !settled.has(consumerId(settlement)))
  if (missing.length > 0) {
    const values = [
      ...consumerColumns(missing),
      ...(['token', 'revision', 'tick', 'seq'] as const).map((name) => missing.map((each) => each[name])),
    ]
    for (const row of await run<Settlement>('settle.before', settledBefore, values))
      settled.add(consumerId(row))
  }
  return settled
}

/** Claims the ids that handlers gave. Answers the settlements without repeats, and the conflicts by consumer. */
async function claimed(run: Run, settlements: readonly Settlement[], windowMs: number) {
  const keyed = settlements.flatMap((each) => each.published.filter((event) => event.fingerprint !== null))
  const won = await run('settle.claim-ids', claimIds(1), [...keyedColumns(keyed), windowMs])
  const outcomes = await judge(run, keyed, won)
  const outcomeOf = new Map(keyed.map((event, index) => [event, outcomes[index]]))
  const conflicts = new Map<string, readonly string[]>()
  const cleaned = settlements.map((settlement) => {
    const bad = settlement.published.filter((event) => outcomeOf.get(event) === 'conflict')
    if (bad.length > 0)
      conflicts.set(
        consumerId(settlement),
        bad.map((event) => event.id),
      )
    return {
      ...settlement,
      published: settlement.published.filter((event) => outcomeOf.get(event) !== 'duplicate'),
    }
  })
  return { cleaned, conflicts }
}

const rolledBack = Symbol('rolled back')

export function settleStatements(database: Database, windowMs: number): SettlePort {
  const keyed = (settlements: readonly Settlement[]) =>
    settlements.some((each) => each.published.some((event) => event.fingerprint !== null))

  // A claim that commits without its event would swallow the id for the whole window: so when a consumer turns out
  // to be fenced, or an id taken, everything rolls back and the rest goes again without it.
  async function settleKeyed(
    lane: Lane,
    worker: string,
    settlements: readonly Settlement[],
  ): Promise<SettleAnswer> {
    let left = settlements
    const conflicts = new Map<string, readonly string[]>()
    for (let round = 0; left.length > 0 && round <= settlements.length; round++) {
      let drop = new Set<string>()
      let settled = new Set<string>()
      try {
        await database.transaction(lane, async ({ query }) => {
          const claim = await claimed(query, left, windowMs)
          claim.conflicts.forEach((ids, id) => conflicts.set(id, ids))
          drop = new Set(claim.conflicts.keys())
          if (drop.size > 0) throw rolledBack
          settled = await settleBy(query, worker, claim.cleaned)
          drop = new Set(left.map(consumerId).filter((id) => !settled.has(id)))
          if (drop.size > 0) throw rolledBack
        })
        return { settled, conflicts }
      } catch (error) {
        if (error !== rolledBack) throw error
        left = left.filter((settlement) => !drop.has(consumerId(settlement)))
      }
    }
    return { settled: new Set(), conflicts }
  }

  return {
    async settle(worker, settlements, priority) {
      const lane = priority === 'alarm' ? 'alarm' : 'settle'
      if (keyed(settlements)) return settleKeyed(lane, worker, settlements)
      return {
        settled: await settleBy(
          (name, text, values) => database.query(lane, name, text, values),
          worker,
          settlements,
        ),
        conflicts: none,
      }
    },

    async begin(deadlineMs) {
      const client = await database.connect('transaction')
      const run: Run = async (name, text, values = []) =>
        (await client.query(database.statement(name, text, values))).rows
      let open = true
      const end = async (command: 'COMMIT' | 'ROLLBACK') => {
        if (!open) return
        open = false
        await client.query(command).then(
          () => client.release(),
          (error: Error) => {
            client.release(error)
            if (command === 'COMMIT') throw translate(error)
          },
        )
      }
      // Bounded in the database too: a handler that hangs inside its transaction would hold back cleaning for all.
      await client.query(
        `BEGIN; SET LOCAL statement_timeout = ${Math.ceil(deadlineMs)}; SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(deadlineMs) + 5_000}`,
      )
      return {
        query: async <Row>(text: string, values: readonly unknown[] = []) => {
          const { rows, rowCount } = await client.query(text, values as unknown[])
          return { rows: rows as Row[], rowCount }
        },
        async settle(worker, settlement) {
          let target = settlement
          if (keyed([settlement])) {
            const claim = await claimed(run, [settlement], windowMs)
            if (claim.conflicts.size > 0) {
              await end('ROLLBACK')
              return { settled: new Set(), conflicts: claim.conflicts }
            }
            target = claim.cleaned[0] ?? settlement
          }
          const settled = await settleBy(run, worker, [target])
          await end(settled.size > 0 ? 'COMMIT' : 'ROLLBACK')
          return { settled, conflicts: none }
        },
        rollback: () => end('ROLLBACK'),
      }
    },
  }
}
