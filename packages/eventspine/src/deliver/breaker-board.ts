// What this process knows of the breakers that all workers share: read now and then, told of failures at once.
// Success writes nothing while a breaker is closed.
import type { Clock } from '../kernel/index.js'
import type { BreakerPort, BreakerState } from './port.js'
import type { ResolvedSubscription } from './subscription.js'

type Breaker = NonNullable<ResolvedSubscription['breaker']>

export type Passage =
  | { readonly kind: 'go'; readonly share: number }
  /** The breaker is open: no probe for so long. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Its cooldown is over: one delivery may ask for the probe. */
  | { readonly kind: 'probe' }

const refreshMs = 250

export class BreakerBoard {
  readonly #port: BreakerPort
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #states = new Map<string, BreakerState & { readonly readAt: number }>()
  readonly #stop = new AbortController()
  #used = false
  #running: Promise<void> | undefined

  constructor(port: BreakerPort, clock: Clock, changed: () => void) {
    this.#port = port
    this.#clock = clock
    this.#changed = changed
  }

  start(used: boolean): void {
    this.#used = used
    if (used) this.#running ??= this.#follow()
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
    if (!this.#used) return
    const states = await this.#port.breakers()
    const readAt = this.#clock.monotonic()
    this.#states.clear()
    for (const state of states) this.#states.set(`${state.name}\n${state.tenant}`, { ...state, readAt })
    this.#changed()
  }

  passage(breaker: Breaker, tenant: string): Passage {
    const state = this.#states.get(identity(breaker, tenant))
    if (state === undefined) return { kind: 'go', share: 1 }
    const sinceMs = this.#clock.monotonic() - state.readAt
    if (state.state === 'closed') {
      if (state.closedForMs === null) return { kind: 'go', share: 1 }
      return { kind: 'go', share: Math.min(1, 0.1 + (0.9 * (state.closedForMs + sinceMs)) / breaker.rampMs) }
    }
    const leftMs = state.opensForMs - sinceMs
    return leftMs > 0 ? { kind: 'wait', ms: leftMs } : { kind: 'probe' }
  }

  /** True when this delivery is the one that tries. Another may when it has not answered in `slotMs`. */
  async probe(breaker: Breaker, tenant: string, slotMs: number): Promise<boolean> {
    return this.#port.breakerProbe(breaker.name, scope(breaker, tenant), slotMs).catch(() => false)
  }

  async failed(breaker: Breaker, tenant: string, error: string): Promise<void> {
    const { name, failures, windowMs, cooldownMs } = breaker
    await this.#port
      .breakerFailed({
        name,
        tenant: scope(breaker, tenant),
        count: 1,
        failuresMax: failures,
        windowMs,
        cooldownMs,
        error,
      })
      .then(() => this.refresh())
      .catch(() => {})
  }

  /** Called for each success; only a breaker that is not closed is told. */
  async succeeded(breaker: Breaker, tenant: string): Promise<void> {
    const state = this.#states.get(identity(breaker, tenant))
    if (state === undefined || state.state === 'closed') return
    await this.#port
      .breakerSucceeded(breaker.name, scope(breaker, tenant), breaker.probes)
      .then(() => this.refresh())
      .catch(() => {})
  }
}

const scope = (breaker: Breaker, tenant: string) => (breaker.scope === 'tenant' ? tenant : '')
const identity = (breaker: Breaker, tenant: string) => `${breaker.name}\n${scope(breaker, tenant)}`
