// The statements of handlers that run side by side in one transaction: sent in the order of the handlers, without
// waiting for each other's answers, and never one handler's between two of another. What a handler sees is what it sees
// when it runs alone behind those before it; where that cannot be, all are given up.
import type { Transaction } from '../handle/index.js'

export class StatementOrder {
  readonly #transaction: Transaction
  readonly #givenUp: () => Error
  /** What each handler wants sent and whose turn has not come. */
  readonly #waiting: (() => void)[][]
  /** Of each handler: a statement of it is sent, or it ended without one. */
  readonly #passed: boolean[]
  /** The first that has not passed. */
  #turn = 0
  /** The last handler of which a statement was sent. */
  #last = -1
  /** Whose statement failed: from then on the database refuses all of them. */
  #failed: number | undefined
  #mixed = false

  /** `givenUp`: what a handler is told that cannot go on for nothing that it did. */
  constructor(transaction: Transaction, handlers: number, givenUp: () => Error) {
    this.#transaction = transaction
    this.#givenUp = givenUp
    this.#waiting = Array.from({ length: handlers }, () => [])
    this.#passed = new Array(handlers).fill(false)
  }

  /** A handler asked again when a later one had asked already: nothing of this may be recorded. */
  get mixed(): boolean {
    return this.#mixed
  }

  /** The transaction as the handler of this place has it. */
  seat(place: number): Transaction {
    return {
      query: (text, values) =>
        new Promise((resolve, reject) => {
          const send = () => void this.#send(place, text, values).then(resolve as never, reject)
          if (place <= this.#turn || this.#mixed) send()
          else this.#waiting[place]?.push(send)
        }),
    }
  }

  ended(place: number): void {
    this.#pass(place)
  }

  async #send(place: number, text: string, values: readonly unknown[] | undefined) {
    if (place < this.#last) {
      this.#mixed = true
      this.#waiting
        .splice(0)
        .flat()
        .forEach((send) => send())
    }
    const doomed = this.#failed !== undefined && this.#failed !== place
    if (this.#mixed || doomed) throw this.#givenUp()
    this.#last = place
    // Sent before anybody behind it is let through.
    const answer = this.#transaction.query(text, values)
    this.#pass(place)
    try {
      return await answer
    } catch (error) {
      if (this.#failed !== undefined && this.#failed !== place) throw this.#givenUp()
      this.#failed = place
      throw error
    }
  }

  #pass(place: number): void {
    this.#passed[place] = true
    while (this.#passed[this.#turn] === true) {
      this.#turn++
      for (const send of this.#waiting[this.#turn]?.splice(0) ?? []) send()
    }
  }
}
