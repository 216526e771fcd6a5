// Transactional deliveries: many handlers in one transaction that also holds their settlement, so that effects are
// applied once. When one fails the transaction is undone, that one is set apart, and the rest runs again: no savepoint
// per event, which would fill the subtransaction log of the whole server.
import type { Outcome, Outcomes } from '../handle/outcome.js'
import type { Random } from '../kernel/index.js'
import type { Settlement, SettlePort, SettleTransaction } from '../settle/port.js'
import type { Item } from './item.js'
import { consumerId } from './port.js'
import type { ResolvedSubscription } from './subscription.js'

export interface ChunkServices {
  readonly port: Pick<SettlePort, 'begin'>
  readonly worker: string
  readonly random: Random
  readonly outcomes: Outcomes
  handle(item: Item, transaction: SettleTransaction): Promise<Outcome>
  /** Takes the outcomes and gives the settlement that holds them. */
  settlement(outcomes: ReadonlyMap<Item, Outcome>): Settlement | undefined
  /** The settlement is recorded. */
  settled(): Promise<void>
  /** Published ids belong to other bodies: nothing was recorded, the endings are taken back. Answers who published. */
  refused(ids: readonly string[]): readonly Item[]
}

/** Failures in one chunk after which the rest runs one by one. */
const failuresMax = 3

/** True when everything is recorded; false when the lease is lost. Rejects when the store is away. */
export async function runChunk(
  items: readonly Item[],
  subscription: ResolvedSubscription,
  services: ChunkServices,
): Promise<boolean> {
  const bad = new Map<Item, Outcome>()
  let left = [...items]
  let together = items.length
  while (left.length > 0 || bad.size > 0) {
    const part = left.slice(0, together)
    const transaction = await services.port.begin(subscription.deadlineMs)
    try {
      const tried = await tryAll(part, transaction, services)
      if (tried.abandoned) {
        await transaction.rollback()
        return true
      }
      if (tried.failed !== undefined) {
        await transaction.rollback()
        bad.set(tried.failed.item, tried.failed.outcome)
        left = left.filter((item) => item !== tried.failed?.item)
        if (bad.size >= failuresMax) together = 1
        if (left.length > 0) continue
      }
      const outcomes = new Map([...bad, ...tried.done])
      const recorded = await record(outcomes, part, transaction, subscription, services)
      if (recorded === 'lost') return false
      if (recorded === 'poisoned') {
        together = 1
        continue
      }
      if (typeof recorded === 'object') {
        for (const item of recorded.items) bad.set(item, services.outcomes.conflicted())
        left = left.filter((item) => !bad.has(item))
        continue
      }
      bad.clear()
      left = left.filter((item) => !outcomes.has(item))
    } catch (error) {
      await transaction.rollback().catch(() => {})
      throw error
    }
  }
  return true
}

interface Tried {
  readonly done: ReadonlyMap<Item, Outcome>
  readonly failed?: { readonly item: Item; readonly outcome: Outcome }
  readonly abandoned: boolean
}

async function tryAll(
  items: readonly Item[],
  transaction: SettleTransaction,
  services: ChunkServices,
): Promise<Tried> {
  const done = new Map<Item, Outcome>()
  for (const item of items) {
    const outcome = await services.handle(item, transaction)
    if (outcome.kind === 'abandoned') return { done, abandoned: true }
    if (outcome.kind !== 'done') return { done: new Map(), failed: { item, outcome }, abandoned: false }
    done.set(item, outcome)
  }
  return { done, abandoned: false }
}

type Recorded = 'recorded' | 'lost' | 'poisoned' | { readonly items: readonly Item[] }

async function record(
  outcomes: ReadonlyMap<Item, Outcome>,
  part: readonly Item[],
  transaction: SettleTransaction,
  subscription: ResolvedSubscription,
  services: ChunkServices,
): Promise<Recorded> {
  // A statement that failed and was caught by the handler leaves the transaction aborted: its commit would be a
  // silent rollback. Asked before the outcomes are given out of hand.
  const aborted = await transaction.query('SELECT 1').then(
    () => undefined,
    (error: unknown) => error,
  )
  if (aborted !== undefined) {
    await transaction.rollback()
    const [only] = part
    if (part.length > 1 || only === undefined) return 'poisoned'
    return recordAlone(
      only,
      services.outcomes.failed(swallowed(aborted), only.attempt, subscription.retry, services.random),
      services,
      subscription,
    )
  }
  const settlement = services.settlement(outcomes)
  if (settlement === undefined) {
    await transaction.rollback()
    return 'lost'
  }
  const answer = await transaction.settle(services.worker, settlement)
  const conflict = answer.conflicts.get(consumerId(settlement))
  if (conflict !== undefined) return { items: services.refused(conflict) }
  if (!answer.settled.has(consumerId(settlement))) return 'lost'
  await services.settled()
  return 'recorded'
}

async function recordAlone(
  item: Item,
  outcome: Outcome,
  services: ChunkServices,
  subscription: ResolvedSubscription,
): Promise<Recorded> {
  const transaction = await services.port.begin(subscription.deadlineMs)
  return record(new Map([[item, outcome]]), [item], transaction, subscription, services)
}

function swallowed(cause: unknown): Error {
  return new TypeError(
    'A statement of the handler failed and the handler went on: its transaction cannot commit. Let the error through, or do not run the statement.',
    { cause },
  )
}
