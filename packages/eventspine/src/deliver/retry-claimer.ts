// Fetches rows that are due, for all consumers of a process in one statement, when something may be due.
import { type Clock, Wake } from '../kernel/index.js'
import type { Consumer } from './consumer.js'
import { consumerId, type RetryPort } from './port.js'

export interface ClaimerServices {
  readonly port: RetryPort
  readonly clock: Clock
  consumers(): readonly Consumer[]
  failed(error: unknown): void
}

/** Rows of one consumer that one claim takes. */
const claimRowsMax = 50
/** How often rows are looked for that this process does not know of: redrives, rows of earlier holders. */
const pollMs = 500

/** So long every lease of the process is held before a suspect of killing it is claimed. */
const suspectAfterMs = 2_000
/** Or the oldest of them. */
const suspectAfterMsMax = 15_000

export class RetryClaimer {
  readonly #services: ClaimerServices
  readonly #wake: Wake
  #dueAt = 0
  #stopped = false
  #running: Promise<void> | undefined

  constructor(services: ClaimerServices) {
    this.#services = services
    this.#wake = new Wake(services.clock)
  }

  start(): void {
    this.#running ??= this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake.ring()
    await this.#running
  }

  /** A row may be due in so many milliseconds. */
  dueIn(ms: number): void {
    const at = this.#services.clock.monotonic() + ms
    if (at >= this.#dueAt) return
    this.#dueAt = at
    this.#wake.ring()
  }

  async #loop(): Promise<void> {
    const { clock, failed } = this.#services
    while (!this.#stopped) {
      const waitMs = Math.max(0, this.#dueAt - clock.monotonic())
      if (waitMs > 0) await this.#wake.wait(waitMs)
      if (this.#stopped || this.#dueAt > clock.monotonic()) continue
      this.#dueAt = clock.monotonic() + pollMs
      await this.#claim().catch(async (error) => {
        failed(error)
        await clock.sleep(pollMs)
      })
    }
  }

  // A claim is what a death is judged by: a suspect of killing its process is claimed only when it starts at once, alone
  // among suspects, in a process that has lived without it: whatever else may kill it had its turn before. Where leases
  // come and go all the time that would be never, so the oldest one's age is enough in the end.
  #suspectsMax(): number {
    const consumers = this.#services.consumers()
    if (consumers.some(({ suspects }) => suspects)) return 0
    const ages = consumers.map(({ gate }) => gate.ageMs)
    return Math.min(...ages) >= suspectAfterMs || Math.max(...ages) >= suspectAfterMsMax ? 1 : 0
  }

  async #claim(): Promise<void> {
    const wanting = this.#services.consumers().filter((consumer) => consumer.roomForRows > 0)
    if (wanting.length === 0) return
    const leases = wanting.map(({ lease, roomForRows, gate }) => ({
      subscription: lease.subscription,
      replay: lease.replay,
      shard: lease.shard,
      token: lease.token,
      rowsMax: Math.min(claimRowsMax, roomForRows),
      retriesMax: gate.retriesMax,
    }))
    const rows = await this.#services.port.claimDue(leases, claimRowsMax, this.#suspectsMax())
    wanting.forEach((consumer, index) => {
      const id = consumerId(consumer.lease)
      const mine = rows.filter((row) => consumerId(row) === id)
      if (mine.length > 0) consumer.accept(mine)
      // As many as asked for: there may be more.
      if (mine.length >= (leases[index]?.rowsMax ?? claimRowsMax)) this.dueIn(0)
    })
    const nextMs = await this.#services.port.nextDueMs(leases)
    if (nextMs !== null && nextMs > 0) this.dueIn(nextMs)
  }
}
