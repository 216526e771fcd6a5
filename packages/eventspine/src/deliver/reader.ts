// Reads ahead of the cursor for one consumer and picks what its subscription wants.
import { comparePositions, endOfTick, type Position, type StoredEvent } from '../event/stored.js'
import { type Clock, EventspineError } from '../kernel/index.js'
import type { Chunk, Feed, Follower } from './feed.js'
import type { Lease, Tick } from './port.js'

export type Wants = (event: StoredEvent) => boolean | Promise<boolean>

export class Reader implements Follower {
  readonly #feed: Feed
  readonly #lease: Lease
  readonly #wants: Wants
  readonly #clock: Clock
  #position: Position
  #tick: Tick | undefined
  #busy = false
  #ahead:
    | { readonly eventsMax: number; readonly chunk: Promise<Chunk | 'renumbered' | undefined> }
    | undefined

  constructor(feed: Feed, lease: Lease, wants: Wants, clock: Clock) {
    this.#feed = feed
    this.#lease = lease
    this.#wants = wants
    this.#clock = clock
    this.#position = { tick: lease.tick, seq: lease.seq }
    feed.join(this)
  }

  get position(): Position {
    return this.#position
  }

  /** Reads no more. */
  stop(): void {
    this.#ahead = undefined
    this.#feed.leave(this)
  }

  /** Nothing more can be read now. */
  get atEnd(): boolean {
    return !this.#busy && comparePositions(this.#position, { tick: this.#feed.known, seq: endOfTick }) >= 0
  }

  /** A replay has read all that it is for. */
  get pastEnd(): boolean {
    const { untilTick } = this.#lease
    return (
      untilTick !== null &&
      !this.#busy &&
      comparePositions(this.#position, { tick: untilTick, seq: endOfTick }) >= 0
    )
  }

  get idle(): boolean {
    return !this.#busy
  }

  /** Reads the next chunk, and hands it to `take` with those of its events that are wanted: in the same turn in which
   *  the position moves, so that nobody sees the end reached and what was read there nowhere. `renumbered` when the
   *  log changed behind this reader: its position means nothing any more. Undefined when there is nothing. Rejects
   *  when the store is away; the position stays. */
  async read(
    eventsMax: number,
    take: (chunk: Chunk, wanted: readonly StoredEvent[]) => void,
  ): Promise<'read' | 'renumbered' | undefined> {
    this.#busy = true
    try {
      const chunk = await this.#next(eventsMax)
      if (chunk === undefined || chunk === 'renumbered') return chunk
      const wanted: StoredEvent[] = []
      for (const event of chunk.events) {
        const verdict = this.#inRange(event) && this.#wants(event)
        if (verdict === true || (verdict !== false && (await verdict.catch(bodyIsGone)))) wanted.push(event)
      }
      this.#position = chunk.upto
      this.#tick = chunk.ticks.get(chunk.upto.tick)
      this.#readAhead(eventsMax)
      take(chunk, wanted)
      // Handlers that do not wait would hold back the question.
      if (this.#ahead !== undefined) await this.#clock.sleep(0)
      return 'read'
    } finally {
      this.#busy = false
    }
  }

  #next(eventsMax: number) {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead?.eventsMax === eventsMax) return ahead.chunk
    return this.#feed.next(this.#position, eventsMax, this.#tick)
  }

  // Far behind the end, the database looks for the next chunk while this one is handled. They were idle in turns: a
  // backlog went home at 48,000 events/s, and does at 60,000.
  #readAhead(eventsMax: number): void {
    if (!this.#feed.lags(this.#position)) return
    const chunk = this.#feed.next(this.#position, eventsMax, this.#tick)
    chunk.catch(() => {})
    this.#ahead = { eventsMax, chunk }
  }

  #inRange(event: StoredEvent): boolean {
    const { untilTick, fromTimeMs } = this.#lease
    return (
      (untilTick === null || event.tick <= untilTick) &&
      (fromTimeMs === null || event.recordedAtMs >= fromTimeMs)
    )
  }
}

// A filter cannot judge an event whose body is gone. Waiting for it would stop the subscription for ever: it is
// delivered, which fails before the handler is called, and ends as a dead letter that a person sees.
function bodyIsGone(error: unknown): true {
  if (error instanceof EventspineError && error.code === 'NOT_FOUND') return true
  throw error
}
