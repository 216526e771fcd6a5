// What the server under fire and its parent say to one another.
import type { Stall } from './loop-watch.js'

/** `figures` collects garbage first, `stalls` does not. */
export type Question = 'figures' | 'stalls' | 'stop'

export interface Keys {
  /** Every scope, every tenant. */
  readonly all: string
  readonly reader: string
  /** Every scope, limited to one tenant. */
  readonly tenant: string
}

export interface Started {
  readonly kind: 'started'
  readonly url: string
  readonly keys: Keys
}

export interface Figures {
  readonly kind: 'figures'
  /** Since the last question, longest first. */
  readonly stalls: readonly Stall[]
  readonly heapBytes: number
  readonly rssPeakBytes: number
  /** Log lines that hold what no log may hold. */
  readonly logFaults: readonly string[]
  /** Anything here was put on every object by a request. */
  readonly prototypeKeys: readonly string[]
}
