// Runs the transactional handlers of a chunk at once, where each sends one statement: what costs most is the way to the
// database and back, and so all of them go it together. Where a handler needs more than one, they take turns as before.

import type { Transaction } from '../handle/index.js'
import type { Outcome, Outcomes } from '../handle/outcome.js'
import type { Item } from './item.js'
import { StatementOrder } from './statement-order.js'

/** What became of a chunk. `again`: nothing that can be told apart, so it runs anew, one after another. */
export type Tried =
  | { readonly kind: 'done'; readonly done: ReadonlyMap<Item, Outcome> }
  | { readonly kind: 'failed'; readonly item: Item; readonly outcome: Outcome }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'again' }

export type Handle = (item: Item, transaction: Transaction) => Promise<Outcome>

/** Chunks that run one after another, at most, before side by side is tried again. */
const restMax = 1_024
/** Slower ones are not held up by the way to the database, and would wait for each other under their deadlines. */
const itemMsMax = 20

export class SideBySide {
  #rest = 0
  #restLength = 0

  /** Asked once for each chunk. */
  get fits(): boolean {
    if (this.#rest === 0) return true
    this.#rest--
    return false
  }

  #pause(): void {
    this.#restLength = Math.min(restMax, Math.max(1, this.#restLength * 2))
    this.#rest = this.#restLength
  }

  async try(
    items: readonly Item[],
    transaction: Transaction,
    { handle, outcomes: { givenUp } }: { readonly handle: Handle; readonly outcomes: Outcomes },
  ): Promise<Tried> {
    const order = new StatementOrder(transaction, items.length, givenUp)
    const outcomes = await Promise.all(
      items.map(async (item, place) => {
        const outcome = await handle(item, order.seat(place))
        order.ended(place)
        return outcome
      }),
    )
    const tried = judged(items, outcomes, order.mixed)
    if (tried.kind === 'again' || slow(items)) this.#pause()
    else if (tried.kind === 'done') this.#restLength = 0
    return tried
  }
}

export async function oneByOne(
  items: readonly Item[],
  transaction: Transaction,
  handle: Handle,
): Promise<Tried> {
  const done = new Map<Item, Outcome>()
  for (const item of items) {
    const outcome = await handle(item, transaction)
    if (outcome.kind === 'abandoned') return { kind: 'abandoned' }
    if (outcome.kind !== 'done') return { kind: 'failed', item, outcome }
    done.set(item, outcome)
  }
  return { kind: 'done', done }
}

function judged(items: readonly Item[], outcomes: readonly Outcome[], mixed: boolean): Tried {
  if (items.some(({ cancellation }) => cancellation.cancelled)) return { kind: 'abandoned' }
  // They waited for each other.
  if (mixed || outcomes.some(isTimeout)) return { kind: 'again' }
  const place = outcomes.findIndex(({ kind }) => kind === 'retry' || kind === 'dead')
  const [item, outcome] = [items[place], outcomes[place]]
  if (item !== undefined && outcome !== undefined) return { kind: 'failed', item, outcome }
  if (outcomes.some(({ kind }) => kind === 'abandoned')) return { kind: 'again' }
  return { kind: 'done', done: new Map(items.map((each, index) => [each, outcomes[index] as Outcome])) }
}

const isTimeout = (outcome: Outcome) =>
  (outcome.kind === 'retry' || outcome.kind === 'dead') && outcome.failure.category === 'timeout'

const slow = (items: readonly Item[]) =>
  Math.max(...items.map(({ durationMs }) => durationMs)) > itemMsMax * items.length
