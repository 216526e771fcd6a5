// Signals in the order in which they were accepted: one that nobody waits for is kept for who asks later.
import type { Call } from './call.js'

export class Inbox {
  readonly #kept = new Map<string, unknown[]>()
  readonly #waiting = new Map<string, Call[]>()

  /** Answers a call at once when a signal of that name is there; else it waits. False when it does. */
  answer(name: string, call: Call): boolean {
    const kept = this.#kept.get(name)
    if (kept !== undefined && kept.length > 0) {
      call.resolve(kept.shift())
      return true
    }
    const waiting = this.#waiting.get(name) ?? []
    waiting.push(call)
    this.#waiting.set(name, waiting)
    return false
  }

  /** The call that it answered; undefined when it is kept. */
  deliver(name: string, payload: unknown): Call | undefined {
    const waiting = this.#waiting.get(name) ?? []
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
      // A branch that lost its race takes nothing from those that come after it.
      if (!call.scope.open) continue
      call.resolve(payload)
      return call
    }
    const kept = this.#kept.get(name) ?? []
    kept.push(payload)
    this.#kept.set(name, kept)
    return undefined
  }

  /** It waits no more. */
  forget(name: string, call: Call): void {
    const waiting = this.#waiting.get(name)
    const index = waiting?.indexOf(call) ?? -1
    if (index >= 0) waiting?.splice(index, 1)
  }
}
