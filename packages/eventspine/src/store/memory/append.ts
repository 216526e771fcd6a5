// Append in memory: an id that another open transaction holds is waited for, as a unique index makes it wait.
import type { AppendOutcome, AppendPort, SqlExecutor } from '../../append/port.js'
import type { NewEvent } from '../../event/stored.js'
import { EventspineError } from '../../kernel/index.js'
import type { MemoryTables } from './tables.js'
import { MemoryTransaction, whichTransaction } from './transaction.js'

export function appendPort(tables: MemoryTables): AppendPort {
  return {
    async append(events) {
      const transaction = tables.begin()
      await untilDecided(tables, transaction, events)
      const outcomes = events.map((event) => writeEvent(tables, transaction, event))
      transaction.commit()
      return outcomes
    },
    async appendAll(events) {
      const transaction = tables.begin()
      await untilDecided(tables, transaction, events)
      const outcomes = events.map((event) => writeEvent(tables, transaction, event))
      if (outcomes.includes('conflict')) transaction.rollback()
      else transaction.commit()
      return outcomes
    },
    async appendActed(event, { actor, action, target, details }) {
      const transaction = tables.begin()
      await untilDecided(tables, transaction, [event])
      const outcome = writeEvent(tables, transaction, event)
      transaction.commit()
      if (outcome === 'stored') tables.audit(actor, action, target, details)
      return outcome
    },
    async appendWithin(executor, events) {
      const transaction = await transactionBehind(executor)
      await untilDecided(tables, transaction, events)
      return events.map((event) => writeEvent(tables, transaction, event))
    },
  }
}

/** Waits until no other open transaction holds an id of `events`. From then on, to the next await, none can. */
export async function untilDecided(
  tables: MemoryTables,
  transaction: MemoryTransaction,
  events: readonly NewEvent[],
): Promise<void> {
  for (let writer = otherWriter(tables, transaction, events); writer; ) {
    refuseDeadlock(transaction, writer)
    transaction.waitsFor = writer
    await writer.ended
    transaction.waitsFor = undefined
    writer = otherWriter(tables, transaction, events)
  }
}

/** What `writeEvent` would answer. */
export function judgeEvent(tables: MemoryTables, event: NewEvent): AppendOutcome {
  const known = event.fingerprint === null ? undefined : tables.idempotency.get(keyOf(event))
  if (known === undefined || known.expiresAtMs < tables.now()) return 'stored'
  return known.fingerprint === event.fingerprint ? 'duplicate' : 'conflict'
}

export function writeEvent(
  tables: MemoryTables,
  transaction: MemoryTransaction,
  event: NewEvent,
  publisher: string | null = null,
): AppendOutcome {
  const outcome = judgeEvent(tables, event)
  if (outcome !== 'stored') return outcome
  const { fingerprint, ...rest } = event
  if (fingerprint !== null) {
    const expiresAtMs = tables.now() + tables.idempotencyWindowMs
    tables.idempotency.set(keyOf(event), { fingerprint, expiresAtMs, writer: transaction })
    transaction.holds(keyOf(event))
  }
  tables.write(transaction, rest, publisher)
  return outcome
}

function otherWriter(
  tables: MemoryTables,
  transaction: MemoryTransaction,
  events: readonly NewEvent[],
): MemoryTransaction | undefined {
  for (const event of events) {
    const writer = event.fingerprint === null ? undefined : tables.idempotency.get(keyOf(event))?.writer
    if (writer?.open && writer !== transaction) return writer
  }
  return undefined
}

function refuseDeadlock(transaction: MemoryTransaction, writer: MemoryTransaction): void {
  for (let next: MemoryTransaction | undefined = writer; next; next = next.waitsFor) {
    if (next !== transaction) continue
    transaction.rollback()
    throw new EventspineError(
      'UNAVAILABLE',
      'Two transactions wait for ids that the other one holds. This one is rolled back: run it again.',
      { retryAfterMs: 0 },
    )
  }
}

/** What a publisher's id is unique within. */
export const keyOf = (event: NewEvent) => JSON.stringify([event.tenant, event.source, event.id])

async function transactionBehind(executor: SqlExecutor): Promise<MemoryTransaction> {
  const [row] = await executor(whichTransaction, [])
  const transaction = row?.transaction
  if (transaction instanceof MemoryTransaction) return transaction
  throw new EventspineError(
    'TRANSACTION_UNSUPPORTED',
    'This is not a transaction of the memory store. Get one from its `begin()` or `createMemoryTransaction()`.',
  )
}
