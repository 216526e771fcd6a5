// Messages of one order key on their way into the log, in the order in which they were received: however long the translation of
// each takes, and also where one is not taken. Then none behind it is, until all have been told, and come again.
import type { Appender, AppendOutcome, Sequence } from '../append/index.js'
import type { NewEvent } from '../event/index.js'
import type { Clock } from '../kernel/index.js'
import { isPassing } from '../source/index.js'

export class OrderKeys {
  /** Of those that have messages in hand. */
  readonly #orders = new Map<string, Order>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The next place of this key, or none without one. Throws why an earlier message was not taken, while others hear of it. */
  enter(key: string | undefined): Place | undefined {
    if (key === undefined) return undefined
    const order = this.#orders.get(key) ?? new Order((one) => this.#emptied(key, one))
    if (order.fault !== undefined) throw order.fault
    this.#orders.set(key, order)
    return order.enter()
  }

  // Behind everything that hears of a fault now: what is received in between would overtake what comes again.
  #emptied(key: string, { fault }: Order): void {
    const forget = () => this.#orders.delete(key)
    if (fault === undefined) forget()
    else this.#clock.after(0, forget)
  }
}

class Order implements Sequence {
  readonly handedOver = new Progress()
  readonly settled = new Progress()
  readonly #emptied: (order: Order) => void
  #entered = 0
  #fault: unknown

  constructor(emptied: (order: Order) => void) {
    this.#emptied = emptied
  }

  get fault(): unknown {
    return this.#fault
  }

  // What is wrong with a message is kept for a person, and holds up none behind it.
  failed(error: unknown): void {
    if (isPassing(error)) this.#fault ??= error
  }

  enter(): Place {
    return new Place(this, this.#entered++)
  }

  leave(index: number): void {
    this.handedOver.pass(index)
    this.settled.pass(index)
    if (this.settled.all === this.#entered) this.#emptied(this)
  }
}

/** Of one message. */
export class Place {
  readonly #order: Order
  readonly #index: number

  constructor(order: Order, index: number) {
    this.#order = order
    this.#index = index
  }

  /** Into the queue of the log, behind those before it. */
  append(appender: Appender, event: NewEvent): Promise<AppendOutcome> {
    const turn = this.#order.handedOver.upTo(this.#index)
    return turn === undefined ? this.#append(appender, event) : turn.then(() => this.#append(appender, event))
  }

  #append(appender: Appender, event: NewEvent): Promise<AppendOutcome> {
    const stored = appender.append(event, this.#order)
    this.pass()
    return stored
  }

  /** Until all before it are in the log: for what does not stand in its queue. Those behind it wait until it leaves. Throws why
   *  one of them was not taken. */
  async alone(): Promise<void> {
    await this.#order.settled.upTo(this.#index)
    if (this.#order.fault !== undefined) throw this.#order.fault
  }

  /** Holds up none behind it any more. */
  pass(): void {
    this.#order.handedOver.pass(this.#index)
  }

  failed(error: unknown): void {
    this.#order.failed(error)
  }

  /** Once, at the end. */
  leave(): void {
    this.#order.leave(this.#index)
  }
}

/** How many of a row have passed without a gap, in whatever order they do. */
class Progress {
  readonly #early = new Set<number>()
  readonly #waiting = new Map<number, () => void>()
  #all = 0

  get all(): number {
    return this.#all
  }

  /** Resolves when all before this one have passed; undefined where they have. */
  upTo(index: number): Promise<void> | undefined {
    if (index <= this.#all) return undefined
    return new Promise((resolve) => this.#waiting.set(index, resolve))
  }

  pass(index: number): void {
    if (index > this.#all) this.#early.add(index)
    if (index !== this.#all) return
    do this.#all++
    while (this.#early.delete(this.#all))
    const next = this.#waiting.get(this.#all)
    this.#waiting.delete(this.#all)
    next?.()
  }
}
