// What a workflow's code is given for a call: a promise that knows whether anybody ever waited for it. A failure that nobody waits
// for would be lost with the instance's end.

export class Answer extends Promise<unknown> {
  #heard = false

  // What is made of it is a promise like any other.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  /** Of `work`. */
  static of(work: Promise<unknown>): Answer {
    return new Answer((resolve, reject) => void work.then(resolve, reject))
  }

  get heard(): boolean {
    return this.#heard
  }

  // It is a promise. biome-ignore lint/suspicious/noThenProperty: so
  // oxlint-disable-next-line no-thenable
  override then<Fulfilled = unknown, Rejected = never>(
    fulfilled?: ((value: unknown) => Fulfilled | PromiseLike<Fulfilled>) | null,
    rejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#heard = true
    return super.then(fulfilled, rejected)
  }

  /** Calls `failed` when it rejects; that is no waiting for it. Who never awaits it must not end the process. */
  watch(failed: () => void = () => {}): this {
    void super.then(undefined, failed)
    return this
  }
}
