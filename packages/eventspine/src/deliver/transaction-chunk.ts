// Transactional deliveries: many handlers in one transaction that also holds their settlement, so that effects are
// applied once. When one fails the transaction is undone, that one is set apart, and the rest runs again: no savepoint
// per event, which would fill the subtransaction log of the whole server.
import { comparePositions } from '../event/stored.js'
import type { Outcome, Outcomes } from '../handle/outcome.js'
import type { Random } from '../kernel/index.js'
import type { Settlement, SettlePort, SettleTransaction } from '../settle/port.js'
import type { Item } from './item.js'
import { consumerId } from './port.js'
import { type Failed, type Handle, oneByOne, type SideBySide, type Tried } from './side-by-side.js'
import type { ResolvedSubscription, TransactMany } from './subscription.js'
import { alone, together } from './together.js'

export interface ChunkServices {
  readonly port: Pick<SettlePort, 'begin'>
  readonly worker: string
  readonly random: Random
  readonly outcomes: Outcomes
  readonly handle: Handle
  readonly sideBySide: SideBySide
  /** Handlers that may run at once. */
  readonly width: number
  /** Takes the outcomes and gives the settlement that holds them. */
  settlement(outcomes: ReadonlyMap<Item, Outcome>): Settlement | undefined
  /** The settlement is recorded. */
  settled(): Promise<void>
  /** Nothing was recorded, the endings are taken back. Answers who published one of these ids. */
  refused(ids: readonly string[]): readonly Item[]
  /** It goes on as a row behind one of its key that failed. */
  wait(item: Item): void
}

/** Rounds of one chunk that failed after which the rest runs one by one. */
const failuresMax = 3

/** True when everything is recorded; false when the lease is lost. Rejects when the store is away. */
export async function runChunk(
  items: readonly Item[],
  subscription: ResolvedSubscription,
  services: ChunkServices,
): Promise<boolean> {
  const bad = new Map<Item, Outcome>()
  let left = [...items]
  let failures = 0
  let chunk = items.length
  const many = subscription.transactMany
  let atOnce = many !== undefined || (mayRunAtOnce(subscription, services) && services.sideBySide.fits)
  const setApart = (item: Item, outcome: Outcome) => {
    // Also one that was set apart before: what it did was undone, and now an earlier one of its key stays.
    const behind = items
      .slice(items.indexOf(item) + 1)
      .filter((each) => left.includes(each) || bad.has(each))
      .filter((each) => waitsFor(each, item, outcome, subscription))
    for (const each of behind) {
      services.wait(each)
      bad.delete(each)
    }
    bad.set(item, outcome)
    left = left.filter((each) => each !== item && !behind.includes(each))
  }
  const failedOnce = () => {
    if (++failures >= failuresMax) chunk = 1
  }
  // Each round records something, sets one apart, or goes on one by one.
  while (left.length > 0 || bad.size > 0) {
    const part = left.slice(0, chunk)
    const transaction = await services.port.begin(subscription.deadlineMs)
    try {
      const tried = await attempt(part, transaction, atOnce && part.length > 1, many, services)
      if (tried.kind !== 'done') {
        const answered = await undone(transaction)
        if (tried.kind === 'abandoned') return true
        if (tried.kind === 'again') {
          atOnce = false
          if (tried.alone) chunk = 1
        } else {
          for (const each of tried.failed)
            setApart(each.item, answered ? each.outcome : excused(each, subscription, services))
          failedOnce()
          // Whoever failed a call for all of them is found.
          atOnce ||= many !== undefined
        }
        continue
      }
      const settled = [...bad].filter(([item]) => !isBehind(item, left, tried.done, subscription))
      const outcomes = new Map([...settled, ...tried.done])
      const recorded = await record(outcomes, transaction, services)
      if (recorded === 'lost') return false
      if (recorded === 'recorded') {
        for (const [item] of settled) bad.delete(item)
        left = left.filter((item) => !outcomes.has(item))
      } else if ('conflicting' in recorded) {
        for (const item of recorded.conflicting) setApart(item, services.outcomes.conflicted())
        failedOnce()
      } else if (part.length > 1) {
        chunk = 1
      } else setApart(...failedAlone(part, recorded.fault, subscription, services))
    } catch (error) {
      await undone(transaction)
      throw error
    }
  }
  return true
}

function attempt(
  part: readonly Item[],
  transaction: SettleTransaction,
  atOnce: boolean,
  many: TransactMany | undefined,
  services: ChunkServices,
): Promise<Tried> {
  const { handle, outcomes, sideBySide } = services
  if (many !== undefined)
    return atOnce
      ? together(part, transaction, { handle, outcomes, many })
      : oneByOne(part, transaction, (item) => handle(item, alone(transaction, many)))
  return atOnce ? sideBySide.try(part, transaction, services) : oneByOne(part, transaction, handle)
}

// Of an ordered key the next one begins when the one before it has ended.
const mayRunAtOnce = ({ ordered, concurrencyPerKeyMax }: ResolvedSubscription, { width }: ChunkServices) =>
  ordered === 'no' && width > 1 && concurrencyPerKeyMax >= width

// Of an ordered key nothing goes on behind one that stays. A row that fails is of a key that is blocked already.
function waitsFor(item: Item, failed: Item, outcome: Outcome, { ordered }: ResolvedSubscription): boolean {
  const stays = outcome.kind === 'retry' || (outcome.kind === 'dead' && ordered === 'halt')
  if (ordered === 'no' || !stays || failed.tick === null || item.tick === null) return false
  return failed.orderingKey !== null && item.orderingKey === failed.orderingKey
}

// What comes before it in its key and has not run to its end yet may still stay.
function isBehind(
  item: Item,
  left: readonly Item[],
  done: ReadonlyMap<Item, Outcome>,
  { ordered }: ResolvedSubscription,
): boolean {
  if (ordered === 'no' || item.tick === null || item.orderingKey === null) return false
  return left.some(
    (each) =>
      !done.has(each) &&
      each.tick !== null &&
      each.orderingKey === item.orderingKey &&
      comparePositions(each.event, item.event) < 0,
  )
}

function failedAlone(
  [only]: readonly Item[],
  fault: unknown,
  { retry }: ResolvedSubscription,
  { outcomes, random }: ChunkServices,
): [Item, Outcome] {
  if (only === undefined) throw fault
  return [only, outcomes.failed(fault, only.attempt, retry, random)]
}

/** False when the database did not answer. */
const undone = (transaction: SettleTransaction) =>
  transaction.rollback().then(
    () => true,
    () => false,
  )

// It may have waited for a database that answers nothing: that takes no delivery its last attempt.
function excused(
  { item, outcome }: Failed,
  { retry }: ResolvedSubscription,
  { outcomes, random }: ChunkServices,
): Outcome {
  if (outcome.kind !== 'dead' || outcome.failure.category !== 'timeout') return outcome
  const error = new Error(`${outcome.failure.message}, and its database did not answer`)
  return outcomes.interrupted(error, item.attempt, retry, random)
}

type Recorded =
  | 'recorded'
  | 'lost'
  | { readonly conflicting: readonly Item[] }
  /** What the handlers left behind cannot commit. */
  | { readonly fault: unknown }

async function record(
  outcomes: ReadonlyMap<Item, Outcome>,
  transaction: SettleTransaction,
  services: ChunkServices,
): Promise<Recorded> {
  const settlement = services.settlement(outcomes)
  if (settlement === undefined) {
    await undone(transaction)
    return 'lost'
  }
  try {
    const answer = await transaction.settle(services.worker, settlement)
    const conflict = answer.conflicts.get(consumerId(settlement))
    if (conflict !== undefined) return { conflicting: services.refused(conflict) }
    if (!answer.settled.has(consumerId(settlement))) return 'lost'
  } catch (error) {
    const fault = faultOf(error)
    if (fault === undefined) throw error
    await undone(transaction)
    services.refused([])
    return { fault }
  }
  await services.settled()
  return 'recorded'
}

const transactionAborted = '25P02'

/** The handlers' part in a refusal of the database, if it is one: undefined when the store is away. */
function faultOf(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === transactionAborted)
    return new TypeError(
      'A statement of the handler failed and the handler went on: its transaction cannot commit. Let the error through, or do not run the statement.',
      { cause: error },
    )
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? error : undefined
}
