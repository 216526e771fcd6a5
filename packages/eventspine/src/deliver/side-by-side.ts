// Runs the transactional handlers of a chunk at once, where each sends one statement: what costs most is the way to the
// database and back, and so all of them go it together. Where a handler needs more than one, they take turns as before.

import type { Transaction } from '../handle/index.js'
import type { Outcome, Outcomes } from '../handle/outcome.js'
import type { Item } from './item.js'
import { StatementOrder } from './statement-order.js'

/** What became of a chunk. `again`: nothing that can be told apart, so it runs anew, one after another; `alone`: each in a
 *  transaction of its own, since one of them leaves it broken. */
export type Tried =
  | { readonly kind: 'done'; readonly done: ReadonlyMap<Item, Outcome> }
  | { readonly kind: 'failed'; readonly failed: readonly Failed[] }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'again'; readonly alone: boolean }

export interface Failed {
  readonly item: Item
  readonly outcome: Outcome
}

export type Handle = (item: Item, transaction: Transaction) => Promise<Outcome>

/** Chunks that run one after another, at most, before side by side is tried again. */
const restMax = 1_024
/** Slower ones are not held up by the way to the database, and would wait for each other under their deadlines. */
const itemMsMax = 20

export interface SideBySideServices {
  readonly handle: Handle
  readonly outcomes: Outcomes
  readonly width: number
}

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

  /** `width`: of them at once, the next when one has ended. */
  async try(
    items: readonly Item[],
    transaction: Transaction,
    { handle, outcomes: { givenUp }, width }: SideBySideServices,
  ): Promise<Tried> {
    const order = new StatementOrder(transaction, items.length, givenUp)
    const outcomes: Outcome[] = []
    let next = 0
    const line = async () => {
      for (let place = next++; place < items.length; place = next++) {
        // Nothing of it could be recorded any more.
        const outcome = order.broken ? givenUpUntried : await handle(items[place] as Item, order.seat(place))
        outcomes[place] = outcome
        order.ended(place, outcome)
      }
    }
    await Promise.all(Array.from({ length: Math.min(width, items.length) }, line))
    const tried = judged(items, outcomes, order)
    if (tried.kind !== 'failed') order.report(new Map())
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
    if (outcome.kind !== 'done') return { kind: 'failed', failed: [{ item, outcome }] }
    done.set(item, outcome)
  }
  return { kind: 'done', done }
}

function judged(items: readonly Item[], outcomes: readonly Outcome[], order: StatementOrder): Tried {
  if (items.some(({ cancellation }) => cancellation.cancelled)) return { kind: 'abandoned' }
  // They waited for each other.
  if (order.mixed || order.impatient || outcomes.some(isTimeout)) return { kind: 'again', alone: false }
  // Whose statement failed has swallowed that, and others had to give up for it, whatever they made of it.
  const cause = order.gaveUpFor === undefined ? undefined : outcomes[order.gaveUpFor]
  if (cause !== undefined && !isFailure(cause)) return { kind: 'again', alone: true }
  // The first one failed by itself. What a later one had asked for may be undone with the first, so it is heard again.
  const places = [...items.keys()].filter((place) => isFailure(outcomes[place] as Outcome))
  const own = places.filter((place, index) => index === 0 || !order.asked(place))
  if (own.length > 0) {
    order.report(new Map(own.map((place) => [place, outcomes[place] as Outcome])))
    const failed = own.map((place) => ({ item: items[place] as Item, outcome: outcomes[place] as Outcome }))
    return { kind: 'failed', failed }
  }
  if (outcomes.some(({ kind }) => kind === 'abandoned')) return { kind: 'again', alone: true }
  return { kind: 'done', done: new Map(items.map((each, place) => [each, outcomes[place] as Outcome])) }
}

const givenUpUntried: Outcome = Object.freeze({ kind: 'abandoned' })

export const isFailure = ({ kind }: Outcome) => kind === 'retry' || kind === 'dead'

export const isTimeout = (outcome: Outcome) =>
  (outcome.kind === 'retry' || outcome.kind === 'dead') && outcome.failure.category === 'timeout'

const slow = (items: readonly Item[]) =>
  Math.max(...items.map(({ durationMs }) => durationMs)) > itemMsMax * items.length
