// The statements of handlers that run side by side in one transaction: sent in the order of the handlers, without
// waiting for each other's answers, and never one handler's between two of another. What a handler sees is what it sees
// when it runs alone behind those before it; where that cannot be, all are given up.
import type { Seat, Transaction } from '../handle/index.js'
import type { Outcome } from '../handle/outcome.js'

export class StatementOrder {
  readonly #transaction: Transaction
  readonly #givenUp: () => Error
  /** What each handler wants sent and whose turn has not come. */
  readonly #waiting: (() => void)[][]
  readonly #asked = new Set<number>()
  /** Of each handler, statements that it had no answer to yet. */
  readonly #unanswered: number[]
  /** Ended without success: what it still wanted is not sent. */
  readonly #over = new Set<number>()
  readonly #reports = new Map<number, (final: Outcome) => void>()
  /** A statement of it is sent, or it ended without one. */
  readonly #passed = new Set<number>()
  /** The first that has not passed. */
  #turn = 0
  /** The last handler of which a statement was sent. */
  #last = -1
  /** Whose statement failed: from then on the database refuses all of them. */
  #failed: number | undefined
  #mixed = false
  #gaveUp = false
  #impatient = false

  /** `givenUp`: what a handler is told that cannot go on for nothing that it did. */
  constructor(transaction: Transaction, handlers: number, givenUp: () => Error) {
    this.#transaction = transaction
    this.#givenUp = givenUp
    this.#unanswered = new Array(handlers).fill(0)
    this.#waiting = Array.from({ length: handlers }, () => [])
  }

  /** A handler asked again when a later one had asked already: nothing of this may be recorded. */
  get mixed(): boolean {
    return this.#mixed
  }

  /** No statement is sent any more, but of the handler whose statement failed. */
  get broken(): boolean {
    return this.#mixed || this.#failed !== undefined
  }

  /** Some were told to give up because a statement of this handler failed, whatever it made of that. */
  get gaveUpFor(): number | undefined {
    return this.#gaveUp ? this.#failed : undefined
  }

  /** A handler failed without waiting for what it had asked: that it had to wait may be why. */
  get impatient(): boolean {
    return this.#impatient
  }

  /** What this handler came to may have to do with what others did. */
  asked(place: number): boolean {
    return this.#asked.has(place)
  }

  seat(place: number): Seat {
    return {
      gaveUp: () => this.#gaveUp,
      postpone: (report) => void this.#reports.set(place, report),
      query: (text, values) =>
        new Promise((resolve, reject) => {
          this.#asked.add(place)
          this.#count(place, 1)
          const send = () =>
            void this.#send(place, text, values)
              .finally(() => this.#count(place, -1))
              .then(resolve as never, reject)
          if (place <= this.#turn || this.#mixed) send()
          else this.#waiting[place]?.push(send)
        }),
    }
  }

  ended(place: number, { kind }: Outcome): void {
    if (kind !== 'done') {
      this.#over.add(place)
      this.#impatient ||= (this.#unanswered[place] ?? 0) > 0
    }
    this.#pass(place)
  }

  /** Reports what was postponed: as this outcome, or as given up. */
  report(final: ReadonlyMap<number, Outcome>): void {
    for (const [place, report] of this.#reports) report(final.get(place) ?? { kind: 'abandoned' })
  }

  async #send(place: number, text: string, values: readonly unknown[] | undefined) {
    if (place < this.#last) {
      this.#mixed = true
      for (const send of this.#waiting.splice(0).flat()) send()
    }
    if (this.#over.has(place)) throw this.#givenUp()
    if (this.#mixed || (this.#failed !== undefined && this.#failed !== place)) throw this.#giveUp()
    this.#last = place
    const answer = this.#transaction.query(text, values)
    // Not before the handler has said all that it says in this turn: `Promise.all` of two goes out whole.
    queueMicrotask(() => this.#pass(place))
    try {
      return await answer
    } catch (error) {
      // Refused before it left, a later one's can come back first.
      if (this.#failed !== undefined && place < this.#failed) this.#mixed = true
      if (this.#failed !== undefined && this.#failed !== place) throw this.#giveUp()
      this.#failed = place
      throw error
    }
  }

  #count(place: number, change: number): void {
    this.#unanswered[place] = (this.#unanswered[place] ?? 0) + change
  }

  #giveUp(): Error {
    this.#gaveUp = true
    return this.#givenUp()
  }

  #pass(place: number): void {
    this.#passed.add(place)
    while (this.#passed.has(this.#turn)) {
      this.#turn++
      for (const send of this.#waiting[this.#turn]?.splice(0) ?? []) send()
    }
  }
}
