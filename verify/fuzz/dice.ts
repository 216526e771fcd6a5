// Chance of one request: everything random in it is drawn here, so that a seed and a number are the whole request.

export class Dice {
  #state: number

  /** The dice of the request `index` of a run: neighbours have nothing in common. */
  constructor(seed: number, index: number) {
    this.#state = mixed(mixed(seed ^ 0x9e3779b9) + Math.imul(index + 1, 0x85ebca6b))
  }

  /** From 0 up to 1, excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    return (mixed(this.#state) >>> 0) / 4_294_967_296
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  pick<Value>(values: readonly Value[]): Value {
    const index = Math.floor(this.next() * values.length)
    if (index >= values.length) throw new Error('There is nothing to pick from')
    return values[index] as Value
  }

  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return (entries[0] as [Name, number])[0]
  }
}

function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 15), value | 1)
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
  return bits ^ (bits >>> 14)
}
