// What this process knows of the breakers that all workers share: read now and then, told of failures at once.
// Success writes nothing while a breaker is closed.

import type { StoredEvent } from '../event/stored.js'
import type { Clock } from '../kernel/index.js'
import type { BreakerName, BreakerPort, BreakerState } from './port.js'
import type { ResolvedSubscription } from './subscription.js'

type Breaker = NonNullable<ResolvedSubscription['breaker']>
type Place = Pick<StoredEvent, 'tenant' | 'key'>

export type Passage =
  | { readonly kind: 'go'; readonly share: number }
  /** The breaker is open: no probe for so long. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Its cooldown is over: one delivery may ask for the probe. */
  | { readonly kind: 'probe' }

const refreshMs = 250
/** The probe was asked for, and given or not: so long nobody asks again, and nobody has to wait for one to pass others by. */
const askAgainMs = 250

export class BreakerBoard {
  readonly #port: BreakerPort
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #states = new Map<string, BreakerState & { readonly readAt: number }>()
  /** Until when the probe of each was asked for. */
  readonly #asked = new Map<string, number>()
  /** How many readings were asked for, and which of them is the one that is known. */
  #readings = 0
  #newest = 0
  readonly #stop = new AbortController()
  /** The longest ramp of any; undefined where there is none. */
  #rampMsMax: number | undefined
  #running: Promise<void> | undefined

  constructor(port: BreakerPort, clock: Clock, changed: () => void) {
    this.#port = port
    this.#clock = clock
    this.#changed = changed
  }

  /** Follows those that these name; asks for nothing where there are none. */
  start(breakers: readonly Breaker[]): void {
    if (breakers.length === 0) return
    this.#rampMsMax = Math.max(...breakers.map(({ rampMs }) => rampMs))
    this.#running ??= this.#follow()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.refresh().catch(() => {})
      await this.#clock.sleep(refreshMs, this.#stop.signal)
    }
  }

  async refresh(): Promise<void> {
    if (this.#rampMsMax === undefined) return
    // What is closed and has had its ramp holds nobody: of keys there may be thousands.
    const asked = ++this.#readings
    const states = await this.#port.breakers(this.#rampMsMax)
    // Over another connection a later one may be here already: what was read before a breaker opened does not close it.
    if (asked < this.#newest) return
    this.#newest = asked
    const readAt = this.#clock.monotonic()
    this.#states.clear()
    for (const state of states) this.#states.set(identity(state), { ...state, readAt })
    for (const [id, until] of this.#asked) if (until <= readAt) this.#asked.delete(id)
    this.#changed()
  }

  passage(breaker: Breaker, place: Place): Passage {
    const id = identity(nameOf(breaker, place))
    const state = this.#states.get(id)
    if (state === undefined) return { kind: 'go', share: 1 }
    const sinceMs = this.#clock.monotonic() - state.readAt
    if (state.state === 'closed') {
      if (state.closedForMs === null) return { kind: 'go', share: 1 }
      return { kind: 'go', share: Math.min(1, 0.1 + (0.9 * (state.closedForMs + sinceMs)) / breaker.rampMs) }
    }
    const leftMs = Math.max(state.opensForMs - sinceMs, (this.#asked.get(id) ?? 0) - this.#clock.monotonic())
    return leftMs > 0 ? { kind: 'wait', ms: leftMs } : { kind: 'probe' }
  }

  /** True when this delivery is the one that tries. Another may when it has not answered in `slotMs`. */
  async probe(breaker: Breaker, place: Place, slotMs: number): Promise<boolean> {
    const name = nameOf(breaker, place)
    const granted = await this.#port.breakerProbe(name, slotMs).catch(() => false)
    this.#asked.set(identity(name), this.#clock.monotonic() + askAgainMs)
    return granted
  }

  async failed(breaker: Breaker, place: Place, error: string): Promise<void> {
    const { failures, windowMs, cooldownMs } = breaker
    await this.#port
      .breakerFailed({
        ...nameOf(breaker, place),
        count: 1,
        failuresMax: failures,
        windowMs,
        cooldownMs,
        error,
      })
      .then(() => this.#answered(breaker, place))
      .catch(() => {})
  }

  /** Called for each success; only a breaker that is not closed is told. */
  async succeeded(breaker: Breaker, place: Place): Promise<void> {
    const name = nameOf(breaker, place)
    const state = this.#states.get(identity(name))
    if (state === undefined || state.state === 'closed') return
    await this.#port
      .breakerSucceeded(name, breaker.probes)
      .then(() => this.#answered(breaker, place))
      .catch(() => {})
  }

  // The next probe may be asked for, if there is to be one.
  #answered(breaker: Breaker, place: Place): Promise<void> {
    this.#asked.delete(identity(nameOf(breaker, place)))
    return this.refresh()
  }
}

const nameOf = ({ name, scope }: Breaker, { tenant, key }: Place): BreakerName => ({
  name,
  tenant: scope === 'service' ? '' : tenant,
  key: scope === 'key' ? (key ?? '') : '',
})

const identity = ({ name, tenant, key }: BreakerName) => `${name}\n${tenant}\n${key}`
