// Ranges of numbers, and which of them hold a number: a tree over the ranges by their lower end, each node knowing the
// highest end below it, so that whole branches are passed by. Both ends belong to a range here; whether they do is the
// filter's question.

/** Ranges with a position each. Add them all, seal, then ask. */
export class Intervals {
  #ranges: { readonly low: number; readonly high: number; readonly position: number }[] = []
  /** At the middle of a span of ranges: the highest end in that span. */
  #highest = new Float64Array(0)

  add(low: number, high: number, position: number): void {
    this.#ranges.push({ low, high, position })
  }

  seal(): void {
    this.#ranges.sort((one, another) => one.low - another.low)
    this.#highest = new Float64Array(this.#ranges.length)
    this.#build(0, this.#ranges.length)
  }

  #build(from: number, to: number): number {
    if (from >= to) return Number.NEGATIVE_INFINITY
    const middle = (from + to) >>> 1
    const own = this.#ranges[middle]?.high ?? Number.NEGATIVE_INFINITY
    const highest = Math.max(own, this.#build(from, middle), this.#build(middle + 1, to))
    this.#highest[middle] = highest
    return highest
  }

  holding(value: number, tell: (position: number) => void): void {
    if (this.#ranges.length > 0) this.#search(0, this.#ranges.length, value, tell)
  }

  #search(from: number, to: number, value: number, tell: (position: number) => void): void {
    if (from >= to) return
    const middle = (from + to) >>> 1
    const range = this.#ranges[middle]
    if (range === undefined || (this.#highest[middle] ?? value) < value) return
    this.#search(from, middle, value, tell)
    if (range.low > value) return
    if (range.high >= value) tell(range.position)
    this.#search(middle + 1, to, value, tell)
  }
}
