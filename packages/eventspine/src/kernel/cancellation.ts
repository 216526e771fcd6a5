// A cancellation that costs nothing until somebody looks: an AbortController per attempt took 5 % of the time of a
// short handler, and most handlers never read their signal.

export class Cancellation {
  // Mostly one.
  #listener: (() => void) | undefined
  #listeners: (() => void)[] | undefined
  #controller: AbortController | undefined
  cancelled = false
  reason: unknown

  cancel(reason: unknown): void {
    if (this.cancelled) return
    this.cancelled = true
    this.reason = reason
    this.#controller?.abort(reason)
    const listeners = [this.#listener, ...(this.#listeners ?? [])]
    this.release()
    for (const listener of listeners) listener?.()
  }

  /** Calls `listener` once, at the cancellation. */
  listen(listener: () => void): void {
    if (this.cancelled) listener()
    else if (this.#listener === undefined) this.#listener = listener
    else if (this.#listeners === undefined) this.#listeners = [listener]
    else this.#listeners.push(listener)
  }

  /** Nobody listens any more. What outlives its listeners would keep them in memory, and all that they hold. */
  release(): void {
    this.#listener = undefined
    this.#listeners = undefined
  }

  /** The same as an AbortSignal, made when it is first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.cancelled) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }
}
