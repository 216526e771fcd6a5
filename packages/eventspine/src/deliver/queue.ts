// What waits to run in one consumer, and which of it may run next: rows before fresh ones, one key's in their order,
// as fast as the gate lets them.
import type { Gate } from './gate.js'
import type { Item } from './item.js'
import type { KeyOrder } from './key-order.js'

export interface QueueServices {
  /** Nothing may start while the lease is in doubt or the consumer stops. */
  mayStart(): boolean
  /** Others of the process wait for the event loop: whoever can wait goes on in the next turn. */
  myTurn(): boolean
  /** Look again after `ms`. */
  later(ms: number): void
  /** A delivery left the queue without running: its ending is set. */
  aside(item: Item): void
  /** The probe of an open breaker was granted to this one. */
  probed(item: Item): void
}

const always = () => true

export class Queue {
  readonly #gate: Gate
  readonly #keys: KeyOrder
  readonly #services: QueueServices
  readonly #fresh = new Line()
  readonly #rows = new Line()
  #probing = false

  constructor(gate: Gate, keys: KeyOrder, services: QueueServices) {
    this.#gate = gate
    this.#keys = keys
    this.#services = services
  }

  /** Those that wait for their turn, and not for their key. */
  get length(): number {
    return this.#rows.length + this.#fresh.length
  }

  /** Rows that are claimed and have not started. */
  get rows(): number {
    return this.#rows.length
  }

  /** Them, and those that wait for their key. */
  get claimed(): Item[] {
    return [...this.#rows.items(), ...this.#keys.waiting().filter((item) => item.tick === null)]
  }

  /** Among them is one that may have killed its process. */
  get suspects(): boolean {
    return this.#rows.items().some(({ deaths }) => deaths > 0)
  }

  add(item: Item): void {
    if (item.tick === null) this.#rows.push(item)
    else this.#fresh.push(item)
  }

  get #line(): Line {
    return this.#rows.length > 0 ? this.#rows : this.#fresh
  }

  /** The next delivery that may run. It has left the queue and holds its key. None when the next one does not fit. */
  next(fits: (item: Item) => boolean = always): Item | undefined {
    const { mayStart, myTurn } = this.#services
    for (let item = this.#line.first; item !== undefined && mayStart() && myTurn(); item = this.#line.first) {
      if (!fits(item)) return undefined
      const verdict = this.#gate.judge(item)
      if (verdict.kind === 'hold') {
        if (verdict.ms !== null) this.#services.later(verdict.ms)
        return undefined
      }
      // Neither beside an earlier one of its key nor past it.
      const behind = verdict.kind !== 'go' && this.#keys.busy(item)
      if (behind && !this.#keys.keeps) return undefined
      // The probe is one for all workers: only who can run at once may ask for it.
      if (verdict.kind === 'probe' && this.#keys.free(item)) {
        this.#probe(item)
        return undefined
      }
      this.#line.shift()
      if (verdict.kind === 'aside' && !behind) this.stepAside(item, verdict.ms, 0)
      else if (this.#admit(item)) return item
    }
    return undefined
  }

  /** Those that may run one after another, at most `itemsMax`. One that is suspected of killing its process is alone. */
  chunk(itemsMax: number): Item[] {
    const items: Item[] = []
    const fits = ({ deaths }: Item) => items.length === 0 || (deaths === 0 && items[0]?.deaths === 0)
    for (let item = this.next(fits); item !== undefined; item = this.next(fits)) {
      items.push(item)
      if (items.length >= itemsMax) break
    }
    return items
  }

  #admit(item: Item): boolean {
    const admission = this.#keys.admit(item)
    if (admission === 'crowded') this.stepAside(item, this.#keys.crowdedMs(item), 0)
    if (admission === 'row') item.ending = { kind: 'waiting' }
    return admission === 'run'
  }

  /** One tenant's or key's open breaker must not hold the others, and a suspect must not run beside them: both become rows. */
  stepAside(item: Item, delayMs: number, deaths: number): void {
    this.#gate.putAside(item)
    const behind = this.#keys.stepAside(item)
    item.ending = behind ? { kind: 'waiting' } : { kind: 'parked', delayMs, deaths }
    this.#services.aside(item)
  }

  #probe(item: Item): void {
    if (this.#probing) return
    this.#probing = true
    void this.#gate.probe(item).then((granted) => {
      this.#probing = false
      // Whose turn it is does not matter any more: a probe that is granted and not run closes the way until its time is over.
      // Whoever may pass it is not held up: that the probe is another's is known now (`passage`).
      if (!granted || !this.#services.mayStart()) return this.#services.later(0)
      // Rows may have come before it meanwhile; the probe is its own all the same.
      const found = this.#rows.remove(item) || this.#fresh.remove(item)
      if (found && this.#admit(item)) this.#services.probed(item)
      else this.#services.later(0)
    })
  }

  /** Gives the key of an ended delivery back: what waited for it may be asked again. */
  release(item: Item, outcome: 'done' | 'retry' | 'dead', halt: boolean): void {
    const left = outcome === 'retry' ? 'row' : outcome === 'dead' && halt ? 'halt' : 'through'
    const again = this.#keys.release(item, left)
    if (again.length === 0) return
    this.#fresh.unshift(...again.filter((each) => each.tick !== null))
    this.#rows.unshift(...again.filter((each) => each.tick === null))
  }

  /** Empties it; answers the claimed rows that never ran. */
  clear(): Item[] {
    const rows = this.claimed
    this.#rows.clear()
    this.#fresh.clear()
    return rows
  }
}

/** A line of deliveries. Its front moves on without the others moving up: with two thousand behind it, that took longer
 *  than judging it. */
class Line {
  #items: (Item | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  items(): Item[] {
    return this.#items.slice(this.#head) as Item[]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): void {
    // Not kept in memory for longer than it waited.
    this.#items[this.#head++] = undefined
    if (this.#head < this.#items.length && this.#head <= headMax) return
    this.#items = this.items()
    this.#head = 0
  }

  unshift(...items: Item[]): void {
    this.#items = [...items, ...this.items()]
    this.#head = 0
  }

  remove(item: Item): boolean {
    const index = this.#items.indexOf(item, this.#head)
    if (index >= 0) this.#items.splice(index, 1)
    return index >= 0
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}

const headMax = 1_024
