// Keeps the lease of a source that this process runs, or waits for it, and says with it how the source fares. Only the
// database's clock judges expiry; a holder that cannot renew gives up by its own monotonic one, long before.
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

export type Faring = Pick<SourceLease, 'state' | 'failures' | 'error'>

const leaseMs = 15_000
const renewEveryMs = 3_000
/** A store that does not answer keeps nobody from stopping: the lease runs out by itself. */
const releaseMsMax = 2_000

export class SourceLeaseKeeper {
  readonly #services: SourceLeaseServices
  readonly #stop = new AbortController()
  #faring: Faring = { state: 'running', failures: 0, error: null }
  /** Aborts when the lease is lost. */
  #tenure: AbortController | undefined
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
    await this.#services.port.releaseSource(this.#lease()).catch(() => {})
  }

  /** Resolves once the lease is held, with what aborts when it is lost; undefined when this stops before. */
  async held(): Promise<AbortSignal | undefined> {
    while (this.#tenure === undefined && !this.#stop.signal.aborted)
      await new Promise<void>((resolve) => this.#awaiting.push(resolve))
    return this.#tenure?.signal
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

  #lease(): SourceLease {
    const { source, worker, identity, exclusive } = this.#services
    return { source, slot: exclusive ? '' : worker, worker, identity, ...this.#faring }
  }

  async #renew(): Promise<void> {
    const { port, clock, isDead } = this.#services
    const askedAt = clock.monotonic()
    let other = await port.leaseSource(this.#lease(), leaseMs)
    if (other !== null && isDead(other)) other = await port.leaseSource(this.#lease(), leaseMs, other)
    if (this.#stop.signal.aborted) return
    if (other === null) this.#gain(clock.monotonic() - askedAt)
    else this.#lose()
  }

  #gain(agoMs: number): void {
    this.#giveUp()
    // Its run has the other half to end in. One that every worker runs needs nobody's leave.
    if (this.#services.exclusive)
      this.#giveUp = this.#services.clock.after(Math.max(0, leaseMs / 2 - agoMs), () => this.#lose())
    if (this.#tenure !== undefined) return
    this.#tenure = new AbortController()
    this.#wake()
  }

  #lose(): void {
    this.#giveUp()
    this.#tenure?.abort()
    this.#tenure = undefined
  }

  #wake(): void {
    for (const resolve of this.#awaiting.splice(0)) resolve()
  }
}
