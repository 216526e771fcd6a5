// What an instance has to undo: the steps that may have happened, in the order in which they were begun.
import type { Call } from './call.js'

export interface Undoable {
  readonly call: Call
  /** Undefined while nobody knows what became of it. */
  result: unknown
}

export class Saga {
  readonly #begun: Undoable[] = []
  #pivoted = false

  /** Its attempt may have reached the world from now on. */
  begin(call: Call): void {
    if (call.asked.options?.undo !== undefined && !this.#pivoted)
      this.#begun.push({ call, result: undefined })
  }

  done(call: Call, result: unknown): void {
    const undoable = this.#begun.find((each) => each.call === call)
    if (undoable !== undefined) undoable.result = result
    // From here on the way leads forward: nothing of this is taken back.
    if (call.asked.options?.pivot !== true) return
    this.#pivoted = true
    this.#begun.length = 0
  }

  /** The point of no return is behind it. */
  get pivoted(): boolean {
    return this.#pivoted
  }

  get anything(): boolean {
    return this.#begun.length > 0
  }

  /** Last begun, first undone. */
  reversed(): readonly Undoable[] {
    return [...this.#begun].reverse()
  }
}
