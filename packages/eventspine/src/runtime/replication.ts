// Follows the tables that come through replication: one loop for each, of which one process of all is at work.
import type { Clock } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import type { ReplicationPort, TablePlan } from '../source/index.js'

export interface ReplicationServices {
  readonly port: ReplicationPort
  readonly clock: Clock
  readonly logger: Logger
  /** So many events were appended. */
  appended(events: number): void
}

/** Read at once, up to the end of a transaction. */
const changesMax = 1_000
const pollMs = 200
/** Another process is at it, or it failed. */
const pauseMs = 2_000
const complaintEveryMs = 60_000

export class Replication {
  readonly #plans: readonly TablePlan[]
  readonly #services: ReplicationServices
  readonly #stop = new AbortController()
  #loops: Promise<unknown> | undefined

  constructor(plans: readonly TablePlan[], services: ReplicationServices) {
    this.#plans = plans.filter(({ through }) => through === 'replication')
    this.#services = services
  }

  start(): void {
    this.#loops ??= Promise.all(this.#plans.map((plan) => this.#follow(plan)))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#loops
  }

  async #follow(plan: TablePlan): Promise<void> {
    const { clock, logger } = this.#services
    let complainedAt = Number.NEGATIVE_INFINITY
    const { signal } = this.#stop
    while (!signal.aborted) {
      let waitMs = pauseMs
      try {
        waitMs = await this.#read(plan)
      } catch (error) {
        if (clock.monotonic() - complainedAt >= complaintEveryMs) {
          complainedAt = clock.monotonic()
          logger.warn(`table source "${plan.source}" could not be read; trying again`, {
            source: plan.source,
            error,
          })
        }
      }
      if (!signal.aborted && waitMs > 0) await clock.sleep(waitMs, signal)
    }
  }

  /** Answers how long to wait. */
  async #read(plan: TablePlan): Promise<number> {
    const { port, appended } = this.#services
    const read = await port.readReplication(plan, changesMax)
    if (read === null) return pauseMs
    if (read.changes > 0) appended(read.changes)
    await port.releaseReplication(plan)
    return read.changes > 0 ? 0 : pollMs
  }
}
