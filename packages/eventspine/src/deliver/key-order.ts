// What may run now as far as keys go: at most so many of one key at once, and in ordered subscriptions nothing of a
// key behind one of it that is not through.
import type { Item } from './item.js'

interface Blocked {
  /** Rows of the key that are not through. */
  rows: number
  /** A dead letter holds the key until an operator acts. */
  halted: boolean
}

export type Admission = 'run' | 'later' | 'row'

export class KeyOrder {
  readonly #perKeyMax: number
  readonly #ordered: boolean
  readonly #running = new Map<string, number>()
  readonly #later = new Map<string, Item[]>()
  readonly #blocked = new Map<string, Blocked>()

  constructor(ordered: boolean, perKeyMax: number) {
    this.#ordered = ordered
    this.#perKeyMax = ordered ? 1 : perKeyMax
  }

  /** What an earlier holder of the lease left behind. */
  restore(open: ReadonlyMap<string, number>, halted: ReadonlySet<string>): void {
    if (!this.#ordered) return
    for (const [key, rows] of open) this.#blocked.set(key, { rows, halted: halted.has(key) })
    for (const key of halted) if (!this.#blocked.has(key)) this.#blocked.set(key, { rows: 0, halted: true })
  }

  get halted(): boolean {
    for (const blocked of this.#blocked.values()) if (blocked.halted) return true
    return false
  }

  /** Asks for a place; `run` takes it, `later` keeps the item until its key is free, `row` wants it put down. */
  admit(item: Item): Admission {
    const { key } = item.event
    if (key === null || this.#perKeyMax === Number.POSITIVE_INFINITY) return 'run'
    const blocked = this.#blocked.get(key)
    const row = item.tick === null
    if (blocked !== undefined && !row) {
      blocked.rows++
      return 'row'
    }
    const running = this.#running.get(key) ?? 0
    if (running >= this.#perKeyMax) {
      const later = this.#later.get(key)
      if (later === undefined) this.#later.set(key, [item])
      else later.push(item)
      return 'later'
    }
    if (row && blocked !== undefined) blocked.halted = false
    this.#running.set(key, running + 1)
    return 'run'
  }

  /** Gives the place of an ended item back. Answers what may be asked again now, and whether the key's next row
   *  is to be promoted once this is recorded. */
  release(
    item: Item,
    left: 'through' | 'row' | 'halt',
  ): { readonly again: readonly Item[]; readonly promote: boolean } {
    const { key } = item.event
    if (key === null || this.#perKeyMax === Number.POSITIVE_INFINITY) return { again: [], promote: false }
    const running = (this.#running.get(key) ?? 1) - 1
    if (running > 0) this.#running.set(key, running)
    else this.#running.delete(key)
    const promote = this.#ordered && this.#block(key, item.tick === null || item.parked, left)
    const later = this.#later.get(key)
    if (later === undefined) return { again: [], promote }
    this.#later.delete(key)
    return { again: later, promote }
  }

  #block(key: string, wasRow: boolean, left: 'through' | 'row' | 'halt'): boolean {
    const blocked = this.#blocked.get(key) ?? { rows: 0, halted: false }
    blocked.rows += (left === 'row' ? 1 : 0) - (wasRow ? 1 : 0)
    blocked.rows = Math.max(0, blocked.rows)
    blocked.halted = left === 'halt'
    if (blocked.rows === 0 && !blocked.halted) this.#blocked.delete(key)
    else this.#blocked.set(key, blocked)
    return left === 'through' && blocked.rows > 0
  }

  /** A delivery steps aside as a row without having run. True when its key has earlier rows, behind which it waits. */
  stepAside(item: Item): boolean {
    const { key } = item.event
    if (!this.#ordered || key === null || item.tick === null) return false
    const behind = this.#blocked.has(key)
    this.parked(item)
    return behind
  }

  /** A running delivery became a row: its key is blocked by it now. */
  parked(item: Item): void {
    const { key } = item.event
    if (!this.#ordered || key === null) return
    const blocked = this.#blocked.get(key) ?? { rows: 0, halted: false }
    blocked.rows++
    this.#blocked.set(key, blocked)
  }

  /** Takes over which keys are still halted. Answers those that were freed and have rows to promote. */
  refresh(halted: ReadonlySet<string>): string[] {
    const freed: string[] = []
    for (const [key, blocked] of this.#blocked) {
      if (!blocked.halted || halted.has(key)) continue
      blocked.halted = false
      if (blocked.rows > 0) freed.push(key)
      else this.#blocked.delete(key)
    }
    return freed
  }

  /** Keys that may have waiting rows without an active head: asked to be promoted when a lease begins. */
  blockedKeys(): string[] {
    return [...this.#blocked].filter(([, blocked]) => !blocked.halted && blocked.rows > 0).map(([key]) => key)
  }

  /** Items kept back for their key. */
  waiting(): Item[] {
    return [...this.#later.values()].flat()
  }
}
