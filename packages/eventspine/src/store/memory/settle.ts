// Settling in memory: token, revision and tick snapshot are checked and everything is recorded in the same step.

import { consumerId } from '../../deliver/port.js'
import type { NewEvent } from '../../event/stored.js'
import { EventspineError } from '../../kernel/index.js'
import type { SettleAnswer, Settlement, SettlePort, SettleTransaction } from '../../settle/port.js'
import { judgeEvent, keyOf, untilDecided, writeEvent } from './append.js'
import { recordOutcomes } from './outcome.js'
import type { ConsumerRow } from './rows.js'
import type { MemoryTables } from './tables.js'
import type { MemoryTransaction } from './transaction.js'

export function settlePort(tables: MemoryTables): SettlePort {
  return {
    async settle(worker, settlements) {
      const transaction = tables.begin()
      await untilDecided(
        tables,
        transaction,
        settlements.flatMap(({ published }) => published),
      )
      const answer = settleAll(tables, transaction, worker, settlements)
      transaction.commit()
      return answer
    },
    async begin(deadlineMs) {
      return settleTransaction(tables, deadlineMs)
    },
  }
}

function settleTransaction(tables: MemoryTables, deadlineMs: number): SettleTransaction {
  const transaction = tables.begin()
  // As in Postgres each statement has so long, and so has the silence before the next one.
  let deadlineAtMs = tables.now() + deadlineMs
  return {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      const { rows, rowCount } = await transaction.query(text, values)
      deadlineAtMs = tables.now() + deadlineMs
      return { rows: rows as Row[], rowCount }
    },
    async settle(worker, settlement) {
      await untilDecided(tables, transaction, settlement.published)
      // Nothing may be recorded that its commit would then refuse.
      if (!transaction.open)
        throw new EventspineError(
          'UNAVAILABLE',
          'The connection of this transaction broke: it is rolled back.',
        )
      if (tables.now() > deadlineAtMs) {
        transaction.rollback()
        throw new EventspineError(
          'UNAVAILABLE',
          `The transaction was idle for longer than its ${deadlineMs} ms and is rolled back.`,
        )
      }
      const standing = judge(tables, tables.consumer(settlement), settlement)
      const answer = settleAll(tables, transaction, worker, [settlement])
      // What the handler did through the transaction stays or goes with its settlement. When that was recorded
      // before, so were the effects of that time: these are a repeat.
      if (standing === 'held' && answer.settled.size > 0) transaction.commit()
      else transaction.rollback()
      return answer
    },
    async rollback() {
      transaction.rollback()
    },
  }
}

function settleAll(
  tables: MemoryTables,
  transaction: MemoryTransaction,
  worker: string,
  settlements: readonly Settlement[],
): SettleAnswer {
  const settled = new Set<string>()
  const conflicts = new Map<string, readonly string[]>()
  for (const settlement of settlements) {
    const consumer = tables.consumer(settlement)
    const standing = judge(tables, consumer, settlement)
    // Said of a lost lease too: ids are judged first.
    const refused = conflictingIds(tables, settlement.published)
    if (refused.length > 0) conflicts.set(consumerId(settlement), refused)
    else if (standing === 'recorded before') settled.add(consumerId(settlement))
    if (consumer === undefined || standing !== 'held' || refused.length > 0) continue
    for (const event of settlement.published) writeEvent(tables, transaction, event, settlement.subscription)
    moveCursor(consumer, settlement)
    recordOutcomes(tables, consumer, worker, settlement)
    settled.add(consumerId(settlement))
  }
  return { settled, conflicts }
}

type Standing = 'held' | 'recorded before' | 'lost'

function judge(tables: MemoryTables, consumer: ConsumerRow | undefined, settlement: Settlement): Standing {
  if (consumer === undefined || consumer.token !== settlement.token) return 'lost'
  const stands = consumer.tick === settlement.tick && consumer.seq === settlement.seq
  // Its answer was lost on the way: under one token revisions are given out one by one, so this was it.
  if (consumer.revision === settlement.revision + 1 && stands) return 'recorded before'
  if (consumer.revision !== settlement.revision) return 'lost'
  const { tick, tickSnapshot } = settlement
  if (tick > (consumer.supersededTick ?? Number.POSITIVE_INFINITY)) return 'lost'
  if (tickSnapshot !== null && tables.tick(tick)?.snapshot !== tickSnapshot) return 'lost'
  return 'held'
}

/** Ids that belong to another body, in the log or within the settlement itself: there the first one stands. */
function conflictingIds(tables: MemoryTables, published: readonly NewEvent[]): string[] {
  const bodies = new Map<string, string>()
  const conflicts = (event: NewEvent) => {
    const known = bodies.get(keyOf(event))
    if (event.fingerprint !== null && known === undefined) bodies.set(keyOf(event), event.fingerprint)
    const other = event.fingerprint !== null && known !== undefined && known !== event.fingerprint
    return other || judgeEvent(tables, event) === 'conflict'
  }
  return published.filter(conflicts).map(({ id }) => id)
}

function moveCursor(consumer: ConsumerRow, settlement: Settlement): void {
  const { tick, seq, counts } = settlement
  // Holders died of something that lies behind the cursor now.
  if (consumer.tick !== tick || consumer.seq !== seq) consumer.deaths = 0
  consumer.tick = tick
  consumer.seq = seq
  consumer.revision++
  consumer.matched += counts.matched
  consumer.completed += counts.completed
  consumer.skipped += counts.skipped
}
