// What may run now as far as keys go: at most so many of one key at once, and in ordered subscriptions nothing of a
// key behind one of it that is not through.
import { type OrderingKey, orderingKeyOf } from '../event/index.js'
import type { StoredEvent } from '../event/stored.js'
import type { Item } from './item.js'
import type { ResolvedSubscription } from './subscription.js'

interface Blocked {
  /** Rows of the key that are decided but not recorded yet. */
  unrecorded: number
  /** Rows of it that were recorded so far: an answer of the store that is older says nothing about them. */
  recorded: number
  /** A dead letter holds the key until an operator acts. */
  halted: boolean
  /** That letter is decided but not recorded yet: the store does not know of it. */
  haltUnrecorded: boolean
}

export type Admission = 'run' | 'later' | 'row' | 'crowded'

export class KeyOrder {
  readonly #perKeyMax: number
  readonly #ordered: boolean
  /** Keys matter at all. */
  readonly #watches: boolean
  /** Keys do not wait for each other. */
  readonly #apart: boolean
  readonly #running = new Map<OrderingKey, number>()
  readonly #later = new Map<OrderingKey, Item[]>()
  #laterItems = 0
  readonly #blocked = new Map<OrderingKey, Blocked>()
  /** Types of what became rows behind a running delivery of their key. */
  readonly #rowsBehind = new Map<OrderingKey, Set<string>>()
  /** Sent away since few of the key waited. */
  readonly #crowded = new Map<OrderingKey, number>()

  /** `perKeyMax` of infinity: whoever asks runs what it is given one by one, in its order. */
  constructor(ordered: boolean, perKeyMax: number, apart = false) {
    this.#ordered = ordered
    this.#perKeyMax = perKeyMax
    this.#apart = apart && !ordered
    this.#watches = ordered || perKeyMax < Number.POSITIVE_INFINITY
  }

  /** What an earlier holder of the lease left behind. */
  restore(open: Iterable<OrderingKey>, halted: Iterable<OrderingKey>): void {
    for (const key of open) this.#block(key)
    for (const key of halted) this.#block(key).halted = true
  }

  get halted(): boolean {
    for (const blocked of this.#blocked.values()) if (blocked.halted) return true
    return false
  }

  /** Asks for a place; `run` takes it, `later` keeps the item until its key is free, `row` wants it put down, and `crowded` as well,
   *  for `crowdedMs`. */
  admit(item: Item): Admission {
    const key = this.#watches ? item.orderingKey : null
    if (key === null) return 'run'
    const isRow = item.tick === null
    if (!isRow && this.#blocked.has(key)) {
      this.#block(key).unrecorded++
      if (this.#running.has(key)) this.#noteBehind(key, item.event.type)
      return 'row'
    }
    const running = this.#running.get(key) ?? 0
    if (running >= this.#perKeyMax) return this.#keepBack(key, item)
    this.#running.set(key, running + 1)
    return 'run'
  }

  #keepBack(key: OrderingKey, item: Item): Admission {
    const later = this.#later.get(key) ?? []
    // A row may wait: it holds no cursor.
    const full = later.length >= rowsOfKeyMax || this.#laterItems >= rowsMax
    if (this.#apart && (item.tick !== null || full)) {
      this.#crowded.set(key, (this.#crowded.get(key) ?? 0) + 1)
      return 'crowded'
    }
    this.#laterItems++
    later.push(item)
    this.#later.set(key, later)
    return 'later'
  }

  /** When one that was sent away may come again: the longer, the more of its key were, so that they are not claimed in vain. */
  crowdedMs({ orderingKey }: Item): number {
    const crowded = orderingKey === null ? 0 : (this.#crowded.get(orderingKey) ?? 0)
    return crowded <= rowsOfKeyMax ? 0 : Math.min(crowdedMsMax, crowdedMsMin + crowded * crowdedMsEach)
  }

  #noteBehind(key: OrderingKey, type: string): void {
    const types = this.#rowsBehind.get(key)
    if (types === undefined) this.#rowsBehind.set(key, new Set([type]))
    else types.add(type)
  }

  /** Whether an event of this type waits behind a running delivery of its key, as far as is known here. */
  isBehind(item: Item, type: string): boolean {
    const key = this.#watches ? item.orderingKey : null
    if (key === null) return false
    if (this.#rowsBehind.get(key)?.has(type) === true) return true
    return this.#later.get(key)?.some(({ event }) => event.type === type) ?? false
  }

  /** True when it would run if it asked for a place now. */
  free(item: Item): boolean {
    const key = this.#watches ? item.orderingKey : null
    if (key === null) return true
    if (item.tick !== null && this.#blocked.has(key)) return false
    return (this.#running.get(key) ?? 0) < this.#perKeyMax
  }

  /** Ordered, and an earlier one of its key runs: it must not become a row that is due before that one is through. */
  busy(item: Item): boolean {
    const key = this.#ordered && item.tick !== null ? item.orderingKey : null
    return key !== null && this.#running.has(key)
  }

  /** Whether one of a busy key is kept until it is free; else whoever asks has to wait with it. */
  get keeps(): boolean {
    return this.#perKeyMax < Number.POSITIVE_INFINITY
  }

  /** Gives the place of an ended item back. Answers what may be asked again now. */
  release(item: Item, left: 'through' | 'row' | 'halt'): readonly Item[] {
    const key = this.#watches ? item.orderingKey : null
    if (key === null) return nothing
    const running = (this.#running.get(key) ?? 1) - 1
    if (running > 0) this.#running.set(key, running)
    else {
      this.#running.delete(key)
      this.#rowsBehind.delete(key)
    }
    if (this.#ordered) this.#leave(key, item, left)
    const later = this.#later.get(key) ?? nothing
    if (later.length < rowsOfKeyMax) this.#crowded.delete(key)
    this.#later.delete(key)
    this.#laterItems -= later.length
    return later
  }

  #leave(key: OrderingKey, item: Item, left: 'through' | 'row' | 'halt'): void {
    const isRow = item.tick === null || item.parked
    if (left === 'row' && !isRow) this.#block(key).unrecorded++
    if (left === 'halt') this.halt(key)
    // Only an operator's redrive runs anything of a halted key, and it went well.
    const blocked = this.#blocked.get(key)
    if (left === 'through' && blocked !== undefined) blocked.halted = false
  }

  /** A dead letter of the key is on its way to the store: from now on nothing of the key runs. */
  halt(key: OrderingKey | null): void {
    if (key !== null) Object.assign(this.#block(key), { halted: true, haltUnrecorded: true })
  }

  /** The same for those of these that halt theirs. */
  haltAll(letters: Iterable<{ readonly event: StoredEvent; readonly halts: boolean }>): void {
    for (const { event, halts } of letters) if (halts) this.halt(orderingKeyOf(event))
  }

  #block(key: OrderingKey): Blocked {
    let blocked = this.#blocked.get(key)
    if (blocked === undefined) {
      blocked = { unrecorded: 0, recorded: 0, halted: false, haltUnrecorded: false }
      this.#blocked.set(key, blocked)
    }
    return blocked
  }

  /** A delivery steps aside as a row without having run. True when its key has earlier rows, behind which it waits. */
  stepAside(item: Item): boolean {
    if (!this.#ordered || item.tick === null) return false
    const key = item.orderingKey
    if (key === null) return false
    const behind = this.#blocked.has(key)
    this.#block(key).unrecorded++
    return behind
  }

  /** A running delivery goes on as a row: its key is blocked by it. */
  parked(item: Item): void {
    const key = this.#ordered ? item.orderingKey : null
    if (key !== null) this.#block(key).unrecorded++
  }

  /** These became rows and are recorded now. */
  recorded(items: Iterable<Item>): void {
    if (!this.#ordered) return
    for (const { orderingKey } of items) {
      const blocked = orderingKey === null ? undefined : this.#blocked.get(orderingKey)
      if (blocked === undefined) continue
      blocked.unrecorded--
      blocked.recorded++
    }
  }

  /** Of the keys of these items, the blocked ones, and those of rows, behind which a redriven one may wait that only
   *  the store knows of: their next row may have to be made due. */
  blockedOf(items: Iterable<Item>): OrderingKey[] {
    const keys = new Set<OrderingKey>()
    if (!this.#ordered) return []
    for (const { orderingKey: key, tick } of items)
      if (key !== null && (tick === null || this.#blocked.has(key))) keys.add(key)
    return [...keys]
  }

  /** The store is about to be asked about these keys: what `unblock` needs with its answer. */
  asking(keys: readonly OrderingKey[]): ReadonlyMap<OrderingKey, number> {
    return new Map(keys.map((key) => [key, this.#blocked.get(key)?.recorded ?? 0]))
  }

  /** Of `asked`, the store has rows for `open`: the others are free again, unless some are on their way to it or
   *  reached it since it was asked. */
  unblock(asked: ReadonlyMap<OrderingKey, number>, open: ReadonlySet<OrderingKey>): void {
    for (const [key, recorded] of asked) {
      const blocked = this.#blocked.get(key)
      if (blocked === undefined || blocked.halted || open.has(key)) continue
      if (blocked.unrecorded === 0 && blocked.recorded === recorded) this.#blocked.delete(key)
    }
  }

  /** The dead letters of these are recorded now. */
  haltRecorded(items: Iterable<Item>): void {
    if (!this.#ordered) return
    for (const { orderingKey } of items) {
      const blocked = orderingKey === null ? undefined : this.#blocked.get(orderingKey)
      if (blocked === undefined) continue
      blocked.haltUnrecorded = false
      blocked.recorded++
    }
  }

  haltedKeys(): OrderingKey[] {
    return [...this.#blocked].filter(([, blocked]) => blocked.halted).map(([key]) => key)
  }

  /** Of `asked`, the store says that `halted` are: the others were freed by an operator, unless their letter was on
   *  its way to the store, or reached it, since it was asked. Answers those that were freed. */
  refresh(asked: ReadonlyMap<OrderingKey, number>, halted: ReadonlySet<OrderingKey>): OrderingKey[] {
    const freed: OrderingKey[] = []
    for (const [key, recorded] of asked) {
      const blocked = this.#blocked.get(key)
      if (blocked === undefined || !blocked.halted || halted.has(key)) continue
      if (blocked.haltUnrecorded || blocked.recorded !== recorded) continue
      blocked.halted = false
      freed.push(key)
    }
    return freed
  }

  blockedKeys(): OrderingKey[] {
    return [...this.#blocked.keys()]
  }

  /** How many items are kept back for their key, and hold up what is read behind them. */
  get waitingItems(): number {
    return this.#apart ? 0 : this.#laterItems
  }

  waiting(): Item[] {
    return [...this.#later.values()].flat()
  }
}

/** Of keys that are apart: rows that wait in memory, of one key and of all. */
const rowsOfKeyMax = 50
const rowsMax = 1_000
const crowdedMsMin = 1_000
const crowdedMsEach = 10
const crowdedMsMax = 60_000

const nothing: readonly Item[] = Object.freeze([])

// A chunk of transactional deliveries may hold several of a key, in their order: it runs one by one where that matters.
export function keyOrderOf({
  transactional,
  ordered,
  concurrencyPerKeyMax,
  keysApart,
}: ResolvedSubscription): KeyOrder {
  if (transactional) return new KeyOrder(ordered !== 'no', Number.POSITIVE_INFINITY)
  return ordered === 'no' ? new KeyOrder(false, concurrencyPerKeyMax, keysApart) : new KeyOrder(true, 1)
}
