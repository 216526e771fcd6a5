// What a consumer has to record: fresh deliveries in their window, rows that ended, rows that go back. One flush takes
// all of it, and it is kept until the answer to that flush is there.
import type { Settlement } from '../settle/port.js'
import type { Item } from './item.js'
import type { Lease } from './port.js'
import { endedOf, type Harvest, refuse, settlementOf, takenBack } from './settlement.js'
import { Window } from './window.js'

const mayWait = ({ tick, parked, ending }: Item) =>
  tick !== null && !parked && ending?.kind === 'done' && ending.published.length === 0

export class Unsettled {
  readonly #lease: Lease
  /** A dead letter halts its key. */
  readonly #halts: boolean
  readonly window: Window
  #endedRows: Item[] = []
  #returned: Item[] = []
  #harvest: Harvest | undefined
  #urgent = false
  #revision: number

  constructor(lease: Lease, halts: boolean) {
    this.#lease = lease
    this.#halts = halts
    this.#revision = lease.revision
    this.window = new Window({ tick: lease.tick, seq: lease.seq })
  }

  /** There is something that a flush could record. */
  get dirty(): boolean {
    return this.window.movable || this.#endedRows.length > 0 || this.#returned.length > 0
  }

  /** Somebody may wait for its record: a key, a row, who reads what a handler published. Or so many are waiting. */
  urgent(itemsMax: number): boolean {
    return this.#urgent || this.window.size >= itemsMax
  }

  /** A flush is on its way. */
  get flushing(): boolean {
    return this.#harvest !== undefined
  }

  /** Settlements of this consumer so far. */
  get revision(): number {
    return this.#revision
  }

  /** Rows that ended, or go back, and are in no flush yet. */
  get rows(): Item[] {
    return [...this.#endedRows, ...this.#returned]
  }

  /** Deliveries that were read or claimed and are not recorded. */
  get size(): number {
    return this.window.size + this.#endedRows.length + (this.flushing ? 1 : 0)
  }

  /** Among the rows that ended is one that may have killed its process: dying now would make it look guilty again. */
  get suspects(): boolean {
    return [...this.#endedRows, ...(this.#harvest?.rows ?? [])].some(({ deaths }) => deaths > 0)
  }

  /** What became of it is known: its ending is set. */
  ended(item: Item): void {
    this.#urgent ||= !mayWait(item)
    if (item.tick === null || item.parked) this.#endedRows.push(item)
  }

  /** Claimed rows that go back as if they had not been claimed. */
  giveBack(...rows: Item[]): void {
    this.#urgent ||= rows.length > 0
    this.#returned.push(...rows)
  }

  /** Takes what is there, at most `itemsMax` fresh ones; undefined when there is nothing or a flush is on its way. */
  collect(itemsMax: number, replay: 'running' | 'ending' | 'ended'): Settlement | undefined {
    if (this.flushing || !(this.dirty || this.window.moved || replay === 'ending')) return undefined
    this.#urgent = false
    const advance = this.window.ahead(itemsMax)
    this.#harvest = {
      advance,
      parked: new Set(advance.ended.filter((item) => item.ending === undefined)),
      rows: this.#endedRows.splice(0),
      returned: this.#returned.splice(0),
      finished: replay !== 'running',
    }
    return this.#settlement(this.#harvest)
  }

  /** The flush is recorded. Answers what it held. */
  settled(): Harvest | undefined {
    const harvest = this.#harvest
    if (harvest === undefined) return undefined
    this.#revision++
    this.#harvest = undefined
    this.window.commit(harvest.advance)
    for (const item of harvest.parked) item.rowed = true
    return harvest
  }

  /** The same flush again, with another ending for those that published under one of these ids. */
  refused(ids: readonly string[], ending: NonNullable<Item['ending']>): Settlement | undefined {
    if (this.#harvest === undefined) return undefined
    refuse(this.#harvest, ids, ending)
    return this.#settlement(this.#harvest)
  }

  /** Nothing of the flush was recorded: what was done runs again. Answers who published under one of these ids. */
  takeBack(ids: readonly string[]): readonly Item[] {
    if (this.#harvest === undefined) return []
    const { guilty, rows, returned } = takenBack(this.#harvest, ids)
    this.#harvest = undefined
    this.#endedRows.push(...rows)
    this.#returned.push(...returned)
    return guilty
  }

  /** Whether the flush on its way holds all of these that are done. */
  holds(items: Iterable<Item>): boolean {
    const held = new Set(this.#harvest === undefined ? [] : endedOf(this.#harvest))
    return [...items].every((item) => item.ending?.kind !== 'done' || held.has(item))
  }

  /** The lease is gone: what is on its way is nothing to us any more. */
  forget(): void {
    this.#harvest = undefined
  }

  #settlement(harvest: Harvest): Settlement {
    return settlementOf(this.#lease, this.#revision, harvest, this.#halts)
  }
}
