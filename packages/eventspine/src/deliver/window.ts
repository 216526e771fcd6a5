// Fresh deliveries between the cursor and the reader, in log order. The cursor follows the longest run of ended ones:
// it passes a delivery only in the statement that records what became of it.
import { comparePositions, type Position } from '../event/stored.js'
import type { Item } from './item.js'
import type { Tick } from './port.js'

interface Slot {
  readonly item: Item
  /** Where the cursor stands once this slot is through: past what did not match behind it, too. */
  upto: Position
  tick: Tick
}

export interface Advance {
  readonly upto: Position
  readonly tick: Tick | undefined
  readonly ended: readonly Item[]
}

export class Window {
  #slots: Slot[] = []
  #head = 0
  #upto: Position
  #tick: Tick | undefined
  #moved = false

  constructor(cursor: Position) {
    this.#upto = cursor
  }

  /** Deliveries not yet passed by the cursor. */
  get size(): number {
    return this.#slots.length - this.#head
  }

  add(item: Item, tick: Tick): void {
    this.#slots.push({ item, tick, upto: { tick: item.event.tick, seq: item.event.seq } })
  }

  /** The log was read up to here; nothing between the last delivery and this place matched. */
  pass(upto: Position, tick: Tick): void {
    const last = this.#slots.at(-1)
    if (last !== undefined && this.size > 0) {
      last.upto = upto
      last.tick = tick
    } else {
      this.#upto = upto
      this.#tick = tick
      this.#moved = true
    }
  }

  /** The first delivery that has not ended. */
  blocking(): Item | undefined {
    for (let index = this.#head; index < this.#slots.length; index++) {
      const { item } = this.#slots[index] as Slot
      if (item.ending === undefined && !item.parked) return item
    }
    return undefined
  }

  /** True when ended deliveries wait behind one that has not. */
  get held(): boolean {
    const first = this.#slots[this.#head]
    if (first === undefined || ready(first.item)) return false
    return this.#slots.some((slot, index) => index > this.#head && slot.item.ending !== undefined)
  }

  /** Something at the front has ended. */
  get movable(): boolean {
    const first = this.#slots[this.#head]
    return first !== undefined && ready(first.item)
  }

  /** The cursor can move although nothing ended: what was read did not match. */
  get moved(): boolean {
    return this.#moved
  }

  /** What ended at the front, at most `itemsMax`. Nothing leaves the window before `commit`. */
  ahead(itemsMax: number): Advance {
    const ended: Item[] = []
    let upto = this.#upto
    let tick = this.#tick
    for (let index = this.#head; index < this.#slots.length && ended.length < itemsMax; index++) {
      const slot = this.#slots[index] as Slot
      if (!ready(slot.item)) break
      ended.push(slot.item)
      upto = slot.upto
      tick = slot.tick
    }
    return { upto, tick, ended }
  }

  /** The advance is recorded. */
  commit({ upto, tick, ended }: Advance): void {
    const last = this.#slots[this.#head + ended.length - 1]
    this.#head += ended.length
    // The reader may have gone on behind the last slot meanwhile.
    this.#moved =
      ended.length > 0
        ? last !== undefined && comparePositions(last.upto, upto) > 0
        : comparePositions(this.#upto, upto) > 0
    if (ended.length > 0) {
      this.#upto = last?.upto ?? upto
      this.#tick = last?.tick ?? tick
    }
    // Shifting an array at each step is quadratic; cutting it now and then is not.
    if (this.#head > 1_024 || this.#head === this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head)
      this.#head = 0
    }
  }
}

const ready = (item: Item) => item.ending !== undefined || item.parked
