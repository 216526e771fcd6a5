// Reads the log for all consumers of a process: each new tick once, kept until those at its end have passed it; one
// that lags reads on its own, many ticks in one query, until it has caught up.
import { endOfTick, type Position, type StoredEvent } from '../event/stored.js'
import type { LogPort, Tick } from './port.js'

export interface FeedLimits {
  /** Bytes of events kept for consumers near the end of the log. */
  readonly cacheBytesMax: number
  /** Ticks read in one query. */
  readonly ticksMax: number
}

export const feedLimitsDefault: FeedLimits = { cacheBytesMax: 32 * 1024 * 1024, ticksMax: 1_000 }

/** Consecutive events behind a position. `upto` is where they end; `ticks` are those of the events and of that place. */
export interface Chunk {
  readonly events: readonly StoredEvent[]
  readonly upto: Position
  readonly ticks: ReadonlyMap<number, Tick>
}

interface Cached {
  readonly tick: Tick
  readonly events: readonly StoredEvent[]
  readonly bytes: number
}

/** With the statement that makes a tick come so many of its events at most: more are not worth one round trip less. */
const tickEventsMax = 5_000

/** A single tick of up to so many times the events asked for is read at once. */
const wholeTicksFactor = 4

// What an event costs in memory beside its body, roughly: enough to bound the cache.
const eventOverheadBytes = 400

/** Somebody who reads on from a position. */
export interface Follower {
  readonly position: Position
}

export class Feed {
  readonly #port: LogPort
  readonly #limits: FeedLimits
  readonly #cache = new Map<number, Cached>()
  readonly #followers = new Set<Follower>()
  /** As last read for somebody who lags. */
  #ticks: readonly Tick[] = []
  #cacheBytes = 0
  #known: Pick<Tick, 'number' | 'seqEstimate'> = { number: 0, seqEstimate: 0 }
  #doubted = false

  constructor(port: LogPort, limits: FeedLimits = feedLimitsDefault) {
    this.#port = port
    this.#limits = limits
  }

  /** The number of the newest tick seen. */
  get known(): number {
    return this.#known.number
  }

  async start(): Promise<void> {
    this.#known = await this.#port.lastTick()
  }

  /** A settlement was refused, and the reason may be that the store lost its last ticks in a crash and made others
   *  under their numbers: nothing that is kept can be relied on. */
  forget(): void {
    this.#cache.clear()
    this.#ticks = []
    this.#cacheBytes = 0
    this.#doubted = true
  }

  /** Makes a tick when there is something new, and reads what came. Answers whether consumers have more to read. */
  async advance(): Promise<boolean> {
    if (this.#doubted) {
      const last = await this.#port.lastTick()
      if (last.number < this.known) this.#known = last
      this.#doubted = false
    }
    const began = this.known
    for (let again = true; again; ) {
      const answer = await this.#port.tick(this.known, this.#limits.ticksMax, tickEventsMax)
      const last = answer.ticks.at(-1)
      if (last === undefined) break
      if (answer.events !== undefined) this.#cacheAll(answer.ticks, answer.events)
      // So far behind that others will have read and settled it: not worth the memory.
      else if (answer.ticks.length < this.#limits.ticksMax) await this.#keep(answer.ticks, last)
      this.#known = last
      again = answer.again
    }
    return this.known > began
  }

  /** Events that fit into the cache, roughly. */
  get #room(): number {
    return Math.floor(this.#limits.cacheBytesMax / eventOverheadBytes)
  }

  // What is too large for the cache is not read for it: a million events that were published while nobody worked are
  // one tick, and its consumers read it page by page.
  async #keep(ticks: readonly Tick[], last: Tick): Promise<void> {
    const [first] = ticks
    if (first === undefined || last.seqEstimate - this.#known.seqEstimate > this.#room) return
    const events =
      ticks.length === 1
        ? await this.#page(first, 0, this.#room)
        : await this.#port.read(ticks, 0, this.#room)
    if (events.length < this.#room) this.#cacheAll(ticks, events)
  }

  #cacheAll(ticks: readonly Tick[], events: readonly StoredEvent[]): void {
    let at = 0
    for (const tick of ticks) {
      const begin = at
      let bytes = 0
      for (let event = events[at]; event !== undefined && event.tick === tick.number; event = events[++at]) {
        bytes += eventOverheadBytes + (event.data?.length ?? 0)
      }
      this.#cacheBytes -= this.#cache.get(tick.number)?.bytes ?? 0
      this.#cache.set(tick.number, {
        tick,
        events: ticks.length === 1 ? events : events.slice(begin, at),
        bytes,
      })
      this.#cacheBytes += bytes
    }
    this.#evict()
  }

  join(follower: Follower): void {
    this.#followers.add(follower)
  }

  leave(follower: Follower): void {
    this.#followers.delete(follower)
  }

  // What all have read goes at once: events that are kept for a second grow old in memory, and a third of this
  // process's time went into the garbage collector that carried them there.
  #evict(): void {
    const needed = this.#neededFrom()
    for (const [number, { bytes }] of this.#cache) {
      const fits = this.#cacheBytes <= this.#limits.cacheBytesMax && this.#cache.size <= this.#limits.ticksMax
      if (number >= needed && fits) return
      this.#cache.delete(number)
      this.#cacheBytes -= bytes
    }
  }

  /** The oldest tick that somebody who reads from memory has not read to its end. */
  #neededFrom(): number {
    const [oldest = 0] = this.#cache.keys()
    let needed = Number.POSITIVE_INFINITY
    for (const { position } of this.#followers) {
      const next = position.seq === endOfTick ? position.tick + 1 : position.tick
      if (next >= oldest) needed = Math.min(needed, next)
    }
    return needed
  }

  /** What is read on from here is there, and not in memory. */
  lags(position: Position): boolean {
    const number = position.seq === endOfTick ? position.tick + 1 : position.tick
    return number <= this.known && !this.#cache.has(number)
  }

  #page(tick: Tick, seqAfter: number, eventsMax: number): Promise<readonly StoredEvent[]> {
    return this.#port.read([tick], seqAfter, eventsMax)
  }

  /** The next events behind `position`, about `eventsMax`; undefined when there are none yet. `before` is the tick of
   *  that position as the caller read it: `renumbered` when the log does not go on from there. */
  async next(
    position: Position,
    eventsMax: number,
    before?: Tick,
  ): Promise<Chunk | 'renumbered' | undefined> {
    const number = position.seq === endOfTick ? position.tick + 1 : position.tick
    const seqAfter = position.seq === endOfTick ? 0 : position.seq
    if (number > this.known) return undefined
    const chunk =
      this.#cached(number, seqAfter, eventsMax) ?? (await this.#fetch(number, seqAfter, eventsMax))
    const first = chunk?.ticks.get(number)
    if (first !== undefined && before !== undefined && !goesOn(first, before)) return 'renumbered'
    return chunk
  }

  #cached(number: number, seqAfter: number, eventsMax: number): Chunk | undefined {
    const events: StoredEvent[] = []
    const ticks = new Map<number, Tick>()
    let last: Cached | undefined
    for (
      let cached = this.#cache.get(number);
      cached !== undefined;
      cached = this.#cache.get(cached.tick.number + 1)
    ) {
      ticks.set(cached.tick.number, cached.tick)
      for (const event of cached.events) {
        if (last === undefined && event.seq <= seqAfter) continue
        if (events.length >= eventsMax) return { events, ticks, upto: cut(events, cached.tick, last) }
        events.push(event)
      }
      last = cached
      const next = this.#cache.get(cached.tick.number + 1)
      if (next !== undefined && !goesOn(next.tick, cached.tick)) break
    }
    return last === undefined
      ? undefined
      : { events, upto: { tick: last.tick.number, seq: endOfTick }, ticks }
  }

  // With the one before it: between two estimates lies what a tick holds. Whoever lags asks for those that follow next:
  // they are kept as long as they reach.
  async #ticksFrom(number: number): Promise<readonly Tick[]> {
    const at = this.#ticks.findIndex((tick) => tick.number === number)
    if (at > 0 && at < this.#ticks.length - 1) return this.#ticks.slice(at - 1)
    const found = await this.#port.ticksAfter(number - 2, this.#limits.ticksMax)
    this.#ticks = found
    return found
  }

  async #fetch(number: number, seqAfter: number, eventsMax: number): Promise<Chunk | undefined> {
    const found = await this.#ticksFrom(number)
    const at = found.findIndex((tick) => tick.number === number)
    const first = found[at]
    if (first === undefined) {
      // Known and gone: the store lost its last ticks in a crash.
      this.#doubted = true
      return undefined
    }
    const before = found[at - 1]?.seqEstimate ?? Number.NEGATIVE_INFINITY
    let count = 1
    while ((found[at + count]?.seqEstimate ?? Number.POSITIVE_INFINITY) - before <= eventsMax) count++
    const range = found.slice(at, at + count)
    // One that is not much larger is read whole: a page of it would sort all of it, too.
    const whole = first.seqEstimate - before <= eventsMax * wholeTicksFactor
    const wholeMax = whole ? eventsMax * wholeTicksFactor : eventsMax
    if (range.length === 1) {
      const events = await this.#page(first, seqAfter, wholeMax)
      const end = events.length < wholeMax ? endOfTick : (events.at(-1)?.seq ?? endOfTick)
      return { events, upto: { tick: first.number, seq: end }, ticks: byNumber(range) }
    }
    const last = range.at(-1) as Tick
    return {
      events: await this.#port.read(range, seqAfter, eventsMax),
      upto: { tick: last.number, seq: endOfTick },
      ticks: byNumber(range),
    }
  }
}

// A tick that was lost in a crash is made anew under its number with a larger snapshot. A reader that lived through it
// would skip what only the new one holds: the settlement names just the last tick that it passed. So each tick that is
// read must begin where the one before it ended. An epoch begins with a snapshot of its own.
const goesOn = (tick: Tick, before: Tick) =>
  tick.number === before.number
    ? tick.snapshot === before.snapshot
    : tick.epoch !== before.epoch || tick.after === before.snapshot

const byNumber = (ticks: readonly Tick[]) => new Map(ticks.map((tick) => [tick.number, tick]))

// Cut inside or right before `tick`: the position is that of the last event taken.
function cut(events: readonly StoredEvent[], tick: Tick, before: Cached | undefined): Position {
  const last = events.at(-1)
  if (last?.tick === tick.number) return { tick: tick.number, seq: last.seq }
  return { tick: (before?.tick ?? tick).number, seq: endOfTick }
}
