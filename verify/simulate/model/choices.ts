// What one operation draws on, one number after another, and the names that all operations choose from.
export const subscriptions = ['halting', 'skipping', 'plain'] as const
export const tenants = ['one', 'two']
/** Longer than any sequence: what is due then is not due in it. */
export const longMs = 600_000

/** Takes one choice after another. */
export class Choices {
  readonly #choices: readonly number[]
  #at = 0

  constructor(choices: readonly number[]) {
    this.#choices = choices
  }

  next(): number {
    return this.#choices[this.#at++ % this.#choices.length] ?? 0
  }

  /** One of the live subscriptions. */
  subscription(): string {
    return this.pick(subscriptions) ?? 'plain'
  }

  pick<Value>(values: readonly Value[]): Value | undefined {
    return values[Math.floor(this.next() * values.length)]
  }

  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }
}
