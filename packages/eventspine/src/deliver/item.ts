// One delivery on its way through a consumer: fresh from the log, or a row that is due again. It is its own entry in
// the window and in the run history: each object more per delivery is felt by the garbage collector.
import { type OrderingKey, orderingKeyOf } from '../event/index.js'
import type { Position, StoredEvent } from '../event/stored.js'
import type { Outcome } from '../handle/outcome.js'
import { Cancellation, type Clock } from '../kernel/index.js'
import type { Run, RunOutcome } from '../settle/port.js'
import type { Failure, Tick } from './port.js'

/** How a delivery left the consumer's hands: its handler's outcome, or a row without one. */
export type Ending =
  | Exclude<Outcome, { readonly kind: 'abandoned' }>
  /** Not run: put down as a row and due after `delayMs`. `deaths` marks it as a suspect that runs alone. */
  | { readonly kind: 'parked'; readonly delayMs: number; readonly deaths: number }
  /** Ordered: an earlier delivery of its key is not through. */
  | { readonly kind: 'waiting' }

/** Its handler has come to an end that counts. */
export const isOutcome = (
  ending: Ending | undefined,
): ending is Exclude<Outcome, { readonly kind: 'abandoned' }> =>
  ending !== undefined && ending.kind !== 'parked' && ending.kind !== 'waiting'

/** It published under an id of its own choice, which may belong to another body. */
export const mayBeRefused = (outcome: Outcome) =>
  outcome.kind === 'done' && outcome.published.some(({ fingerprint }) => fingerprint !== null)

/** What a delivery that was not tried before looks like. */
const untried = { attempt: 1, round: 0, deaths: 0, redrive: null } as const

export class Item implements Run {
  readonly event: StoredEvent
  /** Null for a row; else the tick that it came in. */
  readonly tick: Tick | null
  readonly attempt: number
  readonly round: number
  readonly deaths: number
  readonly redrive: string | null
  /** The cursor goes past it while it runs: it is being put down as a row. */
  parked = false
  /** That row is recorded. */
  rowed = false
  ending: Ending | undefined = undefined
  /** Of transactional alarms: when it came out of the log, by the monotonic clock. */
  readAt = 0
  startedAtMs = 0
  startedAt = 0
  durationMs = 0
  /** Nothing between it and this place matched: where the cursor stands once it is through. */
  reached: { readonly upto: Position; readonly tick: Tick } | undefined = undefined
  readonly cancellation = new Cancellation()
  #orderingKey: OrderingKey | null | undefined = undefined

  constructor(
    event: StoredEvent,
    tick: Tick | null,
    { attempt, round, deaths, redrive }: Pick<Item, 'attempt' | 'round' | 'deaths' | 'redrive'>,
  ) {
    this.event = event
    this.tick = tick
    this.attempt = attempt
    this.round = round
    this.deaths = deaths
    this.redrive = redrive
  }

  started(clock: Clock): void {
    this.startedAtMs = clock.now()
    this.startedAt = clock.monotonic()
  }

  ended(clock: Clock): void {
    this.durationMs = clock.monotonic() - this.startedAt
  }

  /** Made when it is first asked for: most subscriptions never do. */
  get orderingKey(): OrderingKey | null {
    if (this.#orderingKey === undefined) this.#orderingKey = orderingKeyOf(this.event)
    return this.#orderingKey
  }

  get epoch(): number {
    return this.event.epoch
  }

  get seq(): number {
    return this.event.seq
  }

  get outcome(): RunOutcome {
    const kind = this.ending?.kind
    return kind === 'done' || kind === 'dead' ? kind : 'retry'
  }

  get failure(): Failure | null {
    return this.ending !== undefined && 'failure' in this.ending ? this.ending.failure : null
  }
}

export const freshItem = (event: StoredEvent, tick: Tick): Item => new Item(event, tick, untried)

export const rowItem = (row: Pick<Item, 'event' | 'attempt' | 'round' | 'deaths' | 'redrive'>): Item =>
  new Item(row.event, null, row)
