// One cell as the overview shows it. It is read once for all who look, at most once a second, and for the history every
// 30 s by itself: what it costs does not depend on how many look.
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger, Operator, Overview } from 'eventspine'
import type { ServerLimits } from '../options.js'
import { deadOf, History, type HistoryPoint, timeOf } from './history.js'
import { ratesBetween } from './rates.js'

/** What is shown of one moment. Rates are null until a second reading tells them. */
export interface Figures {
  readonly at: string
  readonly in: number | null
  readonly out: number | null
  readonly subscriptions: readonly {
    readonly name: string
    readonly state: 'active' | 'paused'
    readonly lagEvents: number
    readonly lagExact: boolean
    readonly lagSeconds: number
    readonly perSecond: number | null
    readonly retrying: number
    readonly dead: number
    readonly replayDead: number
  }[]
  readonly deadLetters: { readonly total: number; readonly byCategory: Overview['deadLetters'] }
  readonly awaitingApproval: number
  readonly breakers: Overview['breakers']
  readonly workers: number
  readonly oldestTransactionMs: number | null
  readonly verdict: Overview['verdict']
  readonly findings: Overview['findings']
}

export interface BoardServices {
  readonly operator: () => Operator
  readonly limits: Pick<ServerLimits, 'overviewEveryMs' | 'overviewHistoryEveryMs'>
  readonly logger: Logger
}

/** A rate over less jumps about. */
const rateMsMin = 5_000
/** Kept to tell rates from: one a second, and one that is old enough. */
const readingsMax = 10

export class Board {
  readonly #services: BoardServices
  readonly #history = new History()
  readonly #stop = new AbortController()
  /** Oldest first. */
  #readings: readonly Overview[] = []
  #outcome: Promise<Figures> | undefined
  /** When that was there; undefined while it is on its way. */
  #settledAt: number | undefined
  #sampling: Promise<void> | undefined

  constructor(services: BoardServices) {
    this.#services = services
  }

  /** Begins its history. Safe to call twice. */
  start(): void {
    this.#sampling ??= this.#sample()
  }

  /** Ends it. Safe to call twice, or before start. */
  stop(): void {
    this.#stop.abort()
  }

  /** Read anew unless that was less than `overviewEveryMs` ago. Throws what the database throws. */
  current(): Promise<Figures> {
    if (this.#outcome !== undefined && this.#dueInMs() > 0) return this.#outcome
    this.#settledAt = undefined
    this.#outcome = this.#read().finally(() => {
      this.#settledAt = performance.now()
    })
    return this.#outcome
  }

  /** One after another, each once, as soon as it is there and asked for. What failed is undefined. */
  async *following(ended: AbortSignal): AsyncGenerator<Figures | undefined> {
    let last: Promise<Figures> | undefined
    while (!ended.aborted) {
      if (last !== undefined && last === this.#outcome) await pause(Math.max(1, this.#dueInMs()), ended)
      const outcome = this.current()
      if (ended.aborted || outcome === last) continue
      last = outcome
      yield await outcome.catch((error: unknown) => {
        this.#services.logger.debug('the overview cannot be read', { error })
        return undefined
      })
    }
  }

  get history(): readonly HistoryPoint[] {
    return this.#history.points
  }

  /** When the history begins; null before its first reading. */
  get since(): string | null {
    return this.#history.since ?? null
  }

  #dueInMs(): number {
    const { overviewEveryMs } = this.#services.limits
    return this.#settledAt === undefined
      ? overviewEveryMs
      : this.#settledAt + overviewEveryMs - performance.now()
  }

  async #read(): Promise<Figures> {
    const reading = await this.#services.operator().overview()
    const old = this.#readings.findLastIndex(({ atMs }) => atMs <= reading.atMs - rateMsMin)
    this.#readings = this.#readings.slice(Math.max(0, old)).slice(1 - readingsMax)
    const figures = figuresOf(reading, this.#readings[0])
    this.#readings = [...this.#readings, reading]
    return figures
  }

  async #sample(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.current().then(
        () => this.#remember(),
        (error: unknown) => this.#services.logger.debug('a point of the history is left out', { error }),
      )
      await pause(this.#services.limits.overviewHistoryEveryMs, signal)
    }
  }

  #remember(): void {
    const last = this.#readings.at(-1)
    if (last !== undefined) this.#history.add(last)
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  delay(ms, undefined, { signal, ref: false }).catch(() => undefined)

function figuresOf(reading: Overview, before: Overview | undefined): Figures {
  const rates = before === undefined ? undefined : ratesBetween(before, reading)
  const { awaitingApproval, breakers, workers, oldestTransactionMs, verdict, findings } = reading
  return {
    at: timeOf(reading),
    in: rates?.in ?? null,
    out: rates?.out ?? null,
    subscriptions: reading.subscriptions.map((each) => ({
      name: each.name,
      state: each.state,
      lagEvents: each.lagEvents,
      lagExact: each.lagExact,
      lagSeconds: each.lagSeconds,
      perSecond: rates?.bySubscription.get(each.name) ?? null,
      retrying: each.retrying,
      dead: each.dead - each.discarded,
      replayDead: each.replayDead,
    })),
    deadLetters: { total: deadOf(reading), byCategory: reading.deadLetters },
    ...{ awaitingApproval, breakers, workers, oldestTransactionMs, verdict, findings },
  }
}
