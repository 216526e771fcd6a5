// Fresh deliveries between the cursor and the reader, in log order. The cursor follows the longest run of ended ones:
// it passes a delivery only in the statement that records what became of it.
import { comparePositions, type Position } from '../event/stored.js'
import type { Item } from './item.js'
import type { Tick } from './port.js'

export interface Advance {
  readonly upto: Position
  readonly tick: Tick | undefined
  readonly ended: readonly Item[]
}

export class Window {
  #items: Item[] = []
  #head = 0
  #upto: Position
  #tick: Tick | undefined
  #moved = false

  constructor(cursor: Position) {
    this.#upto = cursor
  }

  /** Deliveries not yet passed by the cursor. */
  get size(): number {
    return this.#items.length - this.#head
  }

  add(item: Item): void {
    this.#items.push(item)
  }

  /** The log was read up to here; nothing between the last delivery and this place matched. */
  pass(upto: Position, tick: Tick): void {
    const last = this.#items.at(-1)
    if (last !== undefined && this.size > 0) last.reached = { upto, tick }
    else {
      this.#upto = upto
      this.#tick = tick
      this.#moved = true
    }
  }

  /** The first delivery that has not ended, when ended ones wait behind it. */
  blocking(): Item | undefined {
    if (!this.held) return undefined
    for (let index = this.#head; index < this.#items.length; index++) {
      const item = this.#items[index] as Item
      if (item.ending === undefined && !item.parked) return item
    }
    return undefined
  }

  /** True when ended deliveries wait behind one that has not. */
  get held(): boolean {
    const first = this.#items[this.#head]
    if (first === undefined || ready(first)) return false
    for (let index = this.#head + 1; index < this.#items.length; index++)
      if (this.#items[index]?.ending !== undefined) return true
    return false
  }

  /** Something at the front has ended. */
  get movable(): boolean {
    const first = this.#items[this.#head]
    return first !== undefined && ready(first)
  }

  /** The cursor can move although nothing ended: what was read did not match. */
  get moved(): boolean {
    return this.#moved
  }

  /** What ended at the front, at most `itemsMax`. Nothing leaves the window before `commit`. */
  ahead(itemsMax: number): Advance {
    const ended: Item[] = []
    for (let index = this.#head; index < this.#items.length && ended.length < itemsMax; index++) {
      const item = this.#items[index] as Item
      if (!ready(item)) break
      ended.push(item)
    }
    const last = ended.at(-1)
    return {
      upto: last === undefined ? this.#upto : uptoOf(last),
      tick: last === undefined ? this.#tick : tickOf(last),
      ended,
    }
  }

  /** The advance is recorded. */
  commit({ upto, tick, ended }: Advance): void {
    const last = this.#items[this.#head + ended.length - 1]
    this.#head += ended.length
    // The reader may have gone on behind the last slot meanwhile.
    this.#moved =
      ended.length > 0
        ? last !== undefined && comparePositions(uptoOf(last), upto) > 0
        : comparePositions(this.#upto, upto) > 0
    if (ended.length > 0) {
      this.#upto = last === undefined ? upto : uptoOf(last)
      this.#tick = last === undefined ? tick : tickOf(last)
    }
    // Shifting an array at each step is quadratic; cutting it now and then is not.
    if (this.#head > 1_024 || this.#head === this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }
}

const uptoOf = ({ event, reached }: Item): Position => reached?.upto ?? { tick: event.tick, seq: event.seq }
const tickOf = (item: Item): Tick | undefined => item.reached?.tick ?? item.tick ?? undefined
const ready = (item: Item) => item.ending !== undefined || item.parked
