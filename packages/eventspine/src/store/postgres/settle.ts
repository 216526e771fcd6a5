// Records outcomes: cursors, runs, rows, dead letters and handlers' events in one statement, so that group commit
// carries everything a process did.
import { consumerId } from '../../deliver/port.js'
import type { SettleAnswer, Settlement, SettlePort } from '../../settle/port.js'
import type { Database, Lane } from './database.js'
import { claimed, isKeyed, type Recorded, type Run, settleBy } from './settle-record.js'
import { PostgresSettleTransaction } from './settle-transaction.js'

const none: ReadonlyMap<string, readonly string[]> = new Map()
const union = ({ now, before }: Recorded) => new Set([...now, ...before])

const rolledBack = Symbol('rolled back')

// A claim that commits without its event would swallow the id for the whole window: so when a consumer turns out to be
// fenced, or recorded before, or an id taken, everything rolls back and the rest goes again without it.
async function settleKeyed(
  database: Database,
  lane: Lane,
  worker: string,
  settlements: readonly Settlement[],
  windowMs: number,
): Promise<SettleAnswer> {
  let left = settlements
  const conflicts = new Map<string, readonly string[]>()
  const before = new Set<string>()
  for (let round = 0; left.length > 0 && round <= settlements.length; round++) {
    let drop = new Set<string>()
    let settled = new Set<string>()
    try {
      await database.transaction(lane, async ({ query }) => {
        const claim = await claimed(query, left, windowMs)
        claim.conflicts.forEach((ids, id) => conflicts.set(id, ids))
        drop = new Set(claim.conflicts.keys())
        if (drop.size > 0) throw rolledBack
        const recorded = await settleBy(query, worker, claim.cleaned)
        recorded.before.forEach((id) => before.add(id))
        settled = new Set(recorded.now)
        drop = new Set(left.map(consumerId).filter((id) => !settled.has(id)))
        if (drop.size > 0) throw rolledBack
      })
      return { settled: new Set([...settled, ...before]), conflicts }
    } catch (error) {
      if (error !== rolledBack) throw error
      left = left.filter((settlement) => !drop.has(consumerId(settlement)))
    }
  }
  return { settled: before, conflicts }
}

export function settleStatements(database: Database, windowMs: number): SettlePort {
  return {
    async settle(worker, settlements, priority) {
      const lane = priority === 'alarm' ? 'alarm' : 'settle'
      if (isKeyed(settlements)) return settleKeyed(database, lane, worker, settlements, windowMs)
      const run: Run = (name, text, values) => database.query(lane, name, text, values)
      return { settled: union(await settleBy(run, worker, settlements)), conflicts: none }
    },
    begin: (deadlineMs) => PostgresSettleTransaction.begin(database, deadlineMs, windowMs),
  }
}
