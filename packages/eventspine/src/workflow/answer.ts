// What a workflow's code is given for a call: a promise that knows whether anybody ever waited for it. A failure that nobody waits
// for would be lost with the instance's end.

export class Answer extends Promise<unknown> {
  #heard = false

  // Whoever awaits a promise, or calls its `then`, asks for its constructor first (ECMAScript, PromiseResolve and
  // SpeciesConstructor). That of a plain one keeps `await` on its short way.
  static {
    Object.defineProperty(Answer.prototype, 'constructor', {
      get(this: Answer) {
        this.#heard = true
        return Promise
      },
    })
  }

  /** Of `work`. */
  static of(work: Promise<unknown>): Answer {
    return new Answer((resolve, reject) => void work.then(resolve, reject))
  }

  get heard(): boolean {
    return this.#heard
  }

  /** Calls `failed` when it rejects; that is no waiting for it. Who never awaits it must not end the process. */
  watch(failed: () => void = () => {}): this {
    const heard = this.#heard
    void this.catch(failed)
    this.#heard = heard
    return this
  }
}
