// The last hour of a cell: one point for each 30 s, in memory. A point holds the averages since the one before it.
import type { Overview } from 'eventspine'
import { ratesBetween } from './rates.js'

export interface HistoryPoint {
  /** RFC 3339, by the database's clock. */
  readonly at: string
  readonly in: number
  readonly out: number
  /** Of the subscription that is furthest behind. */
  readonly lagSeconds: number
  readonly dead: number
}

const pointsMax = 120

export class History {
  readonly #points: HistoryPoint[] = []
  #last: Overview | undefined
  #since: string | undefined

  /** Oldest first. */
  get points(): readonly HistoryPoint[] {
    return [...this.#points]
  }

  /** From when on it says something: its first reading, and later the first of its points that is kept. */
  get since(): string | undefined {
    return this.#since
  }

  add(reading: Overview): void {
    const rates = this.#last === undefined ? undefined : ratesBetween(this.#last, reading)
    const at = timeOf(reading)
    this.#last = reading
    this.#since ??= at
    if (rates === undefined) return
    const { in: into, out } = rates
    this.#points.push({ at, in: into, out, lagSeconds: lagOf(reading), dead: deadOf(reading) })
    if (this.#points.length > pointsMax) this.#since = this.#points.shift()?.at
  }
}

export const timeOf = ({ atMs }: Overview) => new Date(atMs).toISOString()

export const deadOf = ({ deadLetters }: Overview) => deadLetters.reduce((sum, { count }) => sum + count, 0)

const lagOf = ({ subscriptions }: Overview) =>
  Math.max(0, ...subscriptions.map(({ lagSeconds }) => lagSeconds))
