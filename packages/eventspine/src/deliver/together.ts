// Runs a handler of many: the deliveries of a chunk in one call. Each is an attempt of its own, with its deadline, what it publishes
// and its outcome, and joins the call with what such an attempt has; so nothing else knows that they share a handler.
import type { BatchDelivery, BatchSeat, Seat, Transaction } from '../handle/index.js'
import type { Outcome, Outcomes } from '../handle/outcome.js'
import type { Item } from './item.js'
import { type Handle, isFailure, isTimeout, type Tried } from './side-by-side.js'
import type { TransactMany } from './subscription.js'

/** One call for all of them. Where it fails, nobody can tell for which: all give up, and each is heard alone. */
export async function together(
  items: readonly Item[],
  transaction: Transaction,
  { handle, outcomes, many }: { handle: Handle; outcomes: Outcomes; many: TransactMany },
): Promise<Tried> {
  const call = new Call(many, transaction, items.length, outcomes.givenUp)
  const ended = await Promise.all(
    items.map(async (item, place) => {
      const outcome = await handle(item, call.seat(place))
      call.left(place)
      return outcome
    }),
  )
  const tried = judged(items, ended, call)
  const failed = tried.kind === 'failed' ? tried.failed : []
  call.report(new Map(failed.map(({ item, outcome }) => [items.indexOf(item), outcome])))
  return tried
}

/** The transaction of one that is heard alone. */
export const alone = (transaction: Transaction, many: TransactMany): BatchSeat => ({
  query: (text, values) => transaction.query(text, values),
  join: async (delivery) => void (await many([delivery], contextOf(delivery))),
})

function judged(items: readonly Item[], outcomes: readonly Outcome[], call: Call): Tried {
  if (items.some(({ cancellation }) => cancellation.cancelled)) return { kind: 'abandoned' }
  if (call.gaveUp || outcomes.some(isTimeout)) {
    const failed = failures(items, outcomes, (place) => !call.joined(place))
    return failed.length > 0 ? { kind: 'failed', failed } : { kind: 'again', alone: false }
  }
  // What one of them published was refused, and the call did not wait for it.
  const failed = failures(items, outcomes, () => true)
  if (failed.length > 0) return { kind: 'failed', failed }
  if (outcomes.some(({ kind }) => kind === 'abandoned')) return { kind: 'again', alone: true }
  return { kind: 'done', done: new Map(items.map((item, place) => [item, outcomes[place] as Outcome])) }
}

const failures = (items: readonly Item[], outcomes: readonly Outcome[], counts: (place: number) => boolean) =>
  items.flatMap((item, place) => {
    const outcome = outcomes[place] as Outcome
    return isFailure(outcome) && counts(place) ? [{ item, outcome }] : []
  })

const contextOf = ({ context: { tx, signal } }: BatchDelivery) => ({ tx, signal })

class Call {
  readonly #many: TransactMany
  readonly #transaction: Transaction
  readonly #givenUp: () => Error
  readonly #joined: (BatchDelivery | undefined)[]
  readonly #reports = new Map<number, (final: Outcome) => void>()
  readonly #ended: Promise<void>
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined
  #awaited: number
  #gaveUp = false

  constructor(many: TransactMany, transaction: Transaction, deliveries: number, givenUp: () => Error) {
    this.#many = many
    this.#transaction = transaction
    this.#givenUp = givenUp
    this.#awaited = deliveries
    this.#joined = new Array(deliveries).fill(undefined)
    this.#ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Nobody may have joined.
    this.#ended.catch(() => {})
  }

  /** It failed, or was not made, and those who had joined were told to give up. */
  get gaveUp(): boolean {
    return this.#gaveUp
  }

  joined(place: number): boolean {
    return this.#joined[place] !== undefined
  }

  seat(place: number): BatchSeat & Seat {
    return {
      gaveUp: () => this.#gaveUp,
      postpone: (report) => void this.#reports.set(place, report),
      query: (text, values) => this.#transaction.query(text, values),
      join: (delivery) => {
        this.#joined[place] = delivery
        this.#arrived()
        return this.#ended
      },
    }
  }

  /** Its attempt has ended: where it had not joined, it could not be shown to a handler, and the others are tried without it. */
  left(place: number): void {
    if (this.joined(place)) return
    this.#giveUp()
    this.#arrived()
  }

  /** Reports what was postponed: as this outcome, or as given up. */
  report(final: ReadonlyMap<number, Outcome>): void {
    for (const [place, report] of this.#reports) report(final.get(place) ?? { kind: 'abandoned' })
  }

  #arrived(): void {
    if (--this.#awaited === 0 && !this.#gaveUp) void this.#run()
  }

  async #run(): Promise<void> {
    const deliveries = this.#joined.filter((each) => each !== undefined)
    try {
      await this.#many(deliveries, contextOf(deliveries[0] as BatchDelivery))
      this.#settle?.resolve()
    } catch {
      this.#giveUp()
    }
  }

  #giveUp(): void {
    this.#gaveUp = true
    this.#settle?.reject(this.#givenUp())
  }
}
