// Calls of a workflow's code are numbered in the order in which they are made, each branch for itself: with branches
// at once, the order among them is chance, and the order within one is not.

export class Scope {
  #next = 0
  #closed = false
  /** The one of all branches of one run of the code. */
  readonly root: Scope

  private constructor(
    readonly path: string,
    readonly parent: Scope | undefined,
  ) {
    this.root = parent?.root ?? this
  }

  static root(): Scope {
    return new Scope('', undefined)
  }

  /** The place of the next call: `2`, or `4.1/0`. */
  place(): string {
    return `${this.path}${this.#next++}`
  }

  branch(place: string, index: number): Scope {
    return new Scope(`${place}.${index}/`, this)
  }

  /** Nothing of it, or of its branches, goes on. */
  close(): void {
    this.#closed = true
  }

  get open(): boolean {
    return !this.#closed && this.parent?.open !== false
  }
}
