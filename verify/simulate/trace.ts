// The story of one schedule as lines, and its hash: the same seed must tell the same story twice.

export class Trace {
  readonly #keep: boolean
  readonly #now: () => number
  #hash = 0x811c9dc5
  /** Grows with every line: what happened before what. */
  order = 0
  readonly lines: string[] = []

  constructor(keep: boolean, now: () => number) {
    this.#keep = keep
    this.#now = now
  }

  /** Answers the place of this line in the story. */
  say(who: string, what: string): number {
    this.#mix(who)
    this.#mix(what)
    this.order++
    this.#hash = Math.imul(this.#hash ^ Math.floor(this.#now()), 0x01000193)
    if (this.#keep)
      this.lines.push(`${String(Math.floor(this.#now())).padStart(7)} ms  ${who.padEnd(8)} ${what}`)
    return this.order
  }

  #mix(text: string): void {
    let hash = this.#hash
    for (let index = 0; index < text.length; index++)
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    this.#hash = hash
  }

  get hash(): number {
    return this.#hash >>> 0
  }
}
