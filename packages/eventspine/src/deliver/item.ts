// One delivery on its way through a consumer: fresh from the log, or a row that is due again.
import type { StoredEvent } from '../event/stored.js'
import type { Outcome } from '../handle/outcome.js'
import { Cancellation } from '../kernel/index.js'
import type { Tick } from './port.js'

/** How a delivery left the consumer's hands: its handler's outcome, or a row without one. */
export type Ending =
  | Exclude<Outcome, { readonly kind: 'abandoned' }>
  /** Not run: put down as a row and due after `delayMs`. `deaths` marks it as a suspect that runs alone. */
  | { readonly kind: 'parked'; readonly delayMs: number; readonly deaths: number }
  /** Ordered: an earlier delivery of its key is not through. */
  | { readonly kind: 'waiting' }

export interface Item {
  readonly event: StoredEvent
  readonly attempt: number
  readonly round: number
  readonly deaths: number
  readonly redrive: string | null
  /** Null for a row; else the tick that it came in. */
  readonly tick: Tick | null
  /** The cursor goes past it while it runs: it is being put down as a row. */
  parked: boolean
  /** That row is recorded. */
  rowed: boolean
  ending: Ending | undefined
  startedAtMs: number
  startedAt: number
  durationMs: number
  cancellation: Cancellation
}

export function freshItem(event: StoredEvent, tick: Tick): Item {
  return {
    event,
    tick,
    attempt: 1,
    round: 0,
    deaths: 0,
    redrive: null,
    parked: false,
    rowed: false,
    cancellation: new Cancellation(),
    ...unstarted,
  }
}

export function rowItem(row: Pick<Item, 'event' | 'attempt' | 'round' | 'deaths' | 'redrive'>): Item {
  const { event, attempt, round, deaths, redrive } = row
  return {
    event,
    attempt,
    round,
    deaths,
    redrive,
    tick: null,
    parked: false,
    rowed: false,
    cancellation: new Cancellation(),
    ...unstarted,
  }
}

const unstarted = { ending: undefined, startedAtMs: 0, startedAt: 0, durationMs: 0 }
