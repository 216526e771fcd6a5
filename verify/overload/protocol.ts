// What the system under load and its parent say to one another.

export type Question =
  | { readonly kind: 'figures' }
  | { readonly kind: 'stop' }
  /** Publish so many now; the intended moment of each is `everyMs` after that of the one before. */
  | {
      readonly kind: 'publish'
      readonly first: number
      readonly count: number
      readonly intendedAtMs: number
      readonly everyMs: number
    }
  /** What became of all that was published since the last time; answered when nothing is open any more. */
  | { readonly kind: 'tally' }
  | { readonly kind: 'target'; readonly down: boolean }
  /** As much as it takes, `inFlight` at a time. */
  | { readonly kind: 'flood'; readonly inFlight: number; readonly seconds: number; readonly first: number }

export interface Started {
  readonly kind: 'started'
  readonly url: string
  readonly key: string
  /** Has a budget of requests of its own. */
  readonly alarmKey: string
  /** Of another tenant, which publishes little. */
  readonly quietKey: string
}

export interface Figures {
  readonly kind: 'figures'
  readonly rssPeakBytes: number
  /** Longest and 99th percentile of the delays of a timer, since the last question. */
  readonly loopLagMsMax: number
  readonly loopLagMs99: number
  /** From the publisher's intended moment to the alarm handler, since the last question. */
  readonly alarmMs: readonly number[]
  readonly timedMs: readonly number[]
  /** Since the process began: runs of the handler of readings, and those of them that were retries and failed. */
  readonly attempts: number
  readonly failedRetries: number
}

/** What became of the events that the library was given. */
export interface LibraryLoad {
  readonly kind: 'loaded'
  readonly offered: number
  readonly seconds: number
  /** Numbers of those that were acknowledged. */
  readonly acknowledged: readonly number[]
  readonly overloaded: number
  /** Of them those that do not say when to come back. */
  readonly withoutRetryAfter: number
  /** Other refusals, by code. */
  readonly others: Readonly<Record<string, number>>
  /** Of what was acknowledged, from the intended moment. */
  readonly latencyMs: readonly number[]
  /** Acknowledged in each tenth of a second. */
  readonly perWindow: readonly number[]
}
