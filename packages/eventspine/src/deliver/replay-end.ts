// When a replay is over: all that it is for was read, nothing of it runs, and no row of it is open.
import type { Lease, RetryPort } from './port.js'

export class ReplayEnd {
  readonly #lease: Lease
  readonly #port: Pick<RetryPort, 'openRows'>
  #state: 'running' | 'ending' | 'ended' = 'running'

  constructor(lease: Lease, port: Pick<RetryPort, 'openRows'>) {
    this.#lease = lease
    this.#port = port
  }

  get state(): 'running' | 'ending' | 'ended' {
    return this.#state
  }

  /** Asks the store for open rows, unless `idle` says no, then or with the answer. True when the end can be recorded. */
  async reached(idle: () => boolean): Promise<boolean> {
    if (!idle()) return false
    const open = await this.#port.openRows(this.#lease).catch(() => 1)
    if (open > 0 || this.#state !== 'running' || !idle()) return false
    this.#state = 'ending'
    return true
  }

  /** The end is recorded. */
  recorded(): void {
    this.#state = 'ended'
  }
}
