// Wakes instances whose time has come: looks when one of this process is due, and now and then for those of others.
// Sleeping costs no memory: a row says when.
import { type Clock, type Random, Soonest } from '../kernel/index.js'
import { boundLogger, type Logger } from '../observe/log.js'
import { overdueEvent } from './overdue.js'
import type { InstanceName, WokenInstance, WorkflowPort } from './port.js'
import { stimulus } from './stimulus.js'

export interface SleeperServices {
  readonly port: Pick<WorkflowPort, 'wakeWorkflows' | 'nextWakeMs'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Events are in the log. */
  published(): void
  failed(error: unknown): void
}

const groupMax = 500
/** Others may have gone to sleep meanwhile, or died: their sleepers are found after so long. */
const lookEveryMs = 1_000
const lostMs = 100

export class Sleepers {
  readonly #services: SleeperServices
  readonly #soonest: Soonest
  #looking: Promise<void> | undefined
  /** Somebody came to be due while it looked. */
  #again = false
  #stopped = true

  constructor(services: SleeperServices) {
    this.#services = services
    this.#soonest = new Soonest(services.clock, () => this.#look())
  }

  start(): void {
    this.#stopped = false
    this.#soonest.after(0)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#soonest.cancel()
    await this.#looking
  }

  /** Somebody wants to be woken in so many milliseconds. */
  wakeIn(ms: number): void {
    if (!this.#stopped) this.#soonest.after(Math.max(1, Math.ceil(ms)))
  }

  #look(): void {
    if (this.#stopped) return
    if (this.#looking !== undefined) {
      this.#again = true
      return
    }
    this.#looking = this.#wake()
      .catch((error: unknown) => {
        this.#services.failed(error)
        return lookEveryMs
      })
      .then((ms) => {
        this.#looking = undefined
        this.wakeIn(this.#again ? 0 : Math.min(ms, lookEveryMs))
        this.#again = false
      })
  }

  /** Answers in how many milliseconds to look again. */
  async #wake(): Promise<number> {
    const { port } = this.#services
    // Mostly nobody is due: one question a second, and nothing is written.
    const dueInMs = await port.nextWakeMs()
    if (dueInMs === null || dueInMs > 0) return dueInMs ?? lookEveryMs
    const woken = await port.wakeWorkflows(groupMax, (each) => this.#stimuliOf(each))
    if (woken > 0) this.#services.published()
    // More may be due by now. Where none was taken, another process has them under its hands.
    return woken > 0 ? 0 : lostMs
  }

  #stimuliOf(woken: WokenInstance) {
    const { tenant, workflow, id, cause } = woken
    const name: InstanceName = { tenant, workflow, id }
    if (cause === 'timer') return [stimulus(name, 'woken', {}, undefined, this.#services)]
    boundLogger(this.#services.logger, { workflow, instance: id, tenant }).error(
      'workflow has passed its deadline',
    )
    return [stimulus(name, 'overdue', {}, undefined, this.#services), overdueEvent(name, this.#services)]
  }
}
