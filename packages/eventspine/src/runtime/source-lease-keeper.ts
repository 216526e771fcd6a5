// Keeps the lease of a source that this process runs, or waits for it, and says with it how the source fares. Only the
// database's clock judges expiry; a holder that cannot renew gives up by its own monotonic one, long before. Where every
// worker runs the source, each has the first free one of many.
import type { Clock } from '../kernel/index.js'
import type { SourceLease, SourceLeasePort } from '../source/index.js'

export interface SourceLeaseServices {
  readonly port: SourceLeasePort
  readonly clock: Clock
  readonly source: string
  readonly worker: string
  readonly identity: string
  /** One process at a time. */
  readonly exclusive: boolean
  /** True when a process is of this machine and surely no longer runs. */
  isDead(identity: string): boolean
  failed(error: unknown): void
}

/** Of the lease that is held. */
export interface Tenure {
  /** Aborts when it is lost. */
  readonly signal: AbortSignal
  readonly slot: number
}

export type Faring = Pick<SourceLease, 'state' | 'failures' | 'error'>

const leaseMs = 15_000
const renewEveryMs = 3_000
/** Processes that run a source which every worker runs; more of them wait. */
const slotsMax = 100
/** A store that does not answer keeps nobody from stopping: the lease runs out by itself. */
const releaseMsMax = 2_000

export class SourceLeaseKeeper {
  readonly #services: SourceLeaseServices
  readonly #stop = new AbortController()
  #faring: Faring = { state: 'running', failures: 0, error: null }
  #tenure: (Tenure & { readonly end: AbortController }) | undefined
  /** Of the lease that the store knows as ours. */
  #taken = 1
  #poke = new AbortController()
  #awaiting: (() => void)[] = []
  #giveUp = () => {}
  #running: Promise<void> | undefined

  constructor(services: SourceLeaseServices) {
    this.#services = services
  }

  start(): void {
    this.#running ??= this.#loop()
  }

  /** Gives it back. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    this.#poke.abort()
    this.#lose()
    this.#wake()
    let enough = () => {}
    const late = new Promise<void>((resolve) => {
      enough = this.#services.clock.after(releaseMsMax, resolve)
    })
    await Promise.race([this.#release(), late])
    enough()
  }

  // Behind a renewal that is on its way: it would take the lease once more.
  async #release(): Promise<void> {
    await this.#running
    await this.#services.port.releaseSource(this.#lease(this.#taken)).catch(() => {})
  }

  /** Resolves once the lease is held; undefined when this stops before. */
  async held(): Promise<Tenure | undefined> {
    while (this.#tenure === undefined && !this.#stop.signal.aborted)
      await new Promise<void>((resolve) => this.#awaiting.push(resolve))
    return this.#tenure
  }

  /** Said at once, and with every renewal. */
  report(faring: Faring): void {
    this.#faring = faring
    this.#poke.abort()
  }

  async #loop(): Promise<void> {
    const { clock, failed } = this.#services
    while (!this.#stop.signal.aborted) {
      // Made before the store is asked: what is said meanwhile is sent behind it.
      this.#poke = new AbortController()
      await this.#renew().catch(failed)
      if (!this.#stop.signal.aborted) await clock.sleep(renewEveryMs, this.#poke.signal)
    }
  }

  #lease(slot: number): SourceLease {
    const { source, worker, identity, exclusive } = this.#services
    return { source, slot: exclusive ? '' : String(slot), worker, identity, ...this.#faring }
  }

  async #renew(): Promise<void> {
    const askedAt = this.#services.clock.monotonic()
    if (this.#tenure !== undefined) {
      const { slot } = this.#tenure
      if (await this.#take(slot)) return this.#gain(slot, askedAt)
      this.#lose()
    }
    const last = this.#services.exclusive ? 1 : slotsMax
    for (let slot = 1; slot <= last && !this.#stop.signal.aborted; slot++)
      if (await this.#take(slot)) return this.#gain(slot, askedAt)
  }

  async #take(slot: number): Promise<boolean> {
    const { port, isDead } = this.#services
    let other = await port.leaseSource(this.#lease(slot), leaseMs)
    if (other !== null && isDead(other)) other = await port.leaseSource(this.#lease(slot), leaseMs, other)
    if (other === null) this.#taken = slot
    return other === null
  }

  #gain(slot: number, askedAt: number): void {
    if (this.#stop.signal.aborted) return
    const { clock, exclusive } = this.#services
    this.#giveUp()
    // Its run has the other half to end in. One that every worker runs goes on while the store is away.
    if (exclusive)
      this.#giveUp = clock.after(Math.max(0, leaseMs / 2 - (clock.monotonic() - askedAt)), () => this.#lose())
    if (this.#tenure !== undefined) return
    const end = new AbortController()
    this.#tenure = { slot, signal: end.signal, end }
    this.#wake()
  }

  #lose(): void {
    this.#giveUp()
    this.#tenure?.end.abort()
    this.#tenure = undefined
  }

  #wake(): void {
    for (const resolve of this.#awaiting.splice(0)) resolve()
  }
}
