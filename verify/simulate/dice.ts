// Chance of one schedule: everything random in a simulation is drawn here, so that a seed is a whole run.
import { type Random, seededRandom } from './engine.js'

export class Dice {
  readonly random: Random

  constructor(seed: number) {
    this.random = seededRandom(seed)
    // Neighbouring seeds of the generator begin alike.
    for (let index = 0; index < 4; index++) this.random.next()
  }

  chance(probability: number): boolean {
    return this.random.next() < probability
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.random.next() * (max - min + 1))
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[Math.floor(this.random.next() * values.length)]
    if (value === undefined) throw new Error('There is nothing to pick from')
    return value
  }

  /** Each of them with `probability`, in their order. */
  some<Value>(values: readonly Value[], probability: number): Value[] {
    return values.filter(() => this.chance(probability))
  }

  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let left = this.random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return (entries[0] as [Name, number])[0]
  }

  /** A seed for a part of its own, so that what is drawn there does not shift what is drawn here. */
  seed(): number {
    return Math.floor(this.random.next() * 4_294_967_296)
  }
}
