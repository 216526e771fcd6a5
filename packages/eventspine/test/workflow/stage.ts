// Several processes over one store in memory, in one virtual time.
import { type App, Eventspine } from 'eventspine'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { createMemoryClaims, createMemoryStore, type MemoryStore } from '../../src/store/memory/index.js'

const day = 86_400_000
const idempotencyWindowMs = 7 * day

export class Stage {
  readonly clock = new VirtualClock()
  readonly store: MemoryStore
  readonly #random: ReturnType<typeof seededRandom>

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.store = createMemoryStore({ clock: this.clock, random: this.#random, idempotencyWindowMs })
  }

  /** One process. */
  spine(
    app: App,
    store: MemoryStore = this.store,
    options: { readonly work?: boolean; readonly shutdownMs?: number } = {},
  ): Eventspine {
    const claim = createMemoryClaims(this.clock)
    return new Eventspine(
      app,
      { databaseUrl: 'memory:', idempotencyWindowMs, stalledMs: 0, logger: silentLogger, ...options },
      { clock: this.clock, random: this.#random, storeOf: () => ({ store, claim }) },
    )
  }

  /** Moves time until `work` has ended. */
  async until<Result>(work: Promise<Result>): Promise<Result> {
    let ended = false
    const over = () => {
      ended = true
    }
    work.then(over, over)
    await this.clock.runUntil(() => ended, day)
    return work
  }
}
