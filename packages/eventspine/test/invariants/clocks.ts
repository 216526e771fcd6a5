// Process clocks that lie, and workers that live by them. The database's clock is the only true one.
import { type App, Eventspine, jsonLogger } from 'eventspine'
import { type Clock, type Random, systemClock, systemRandom } from '../../src/kernel/index.js'
import { afterTest, databaseUrl } from '../support.js'

const hour = 3_600_000

/** Off by as much as `skewMs` says whenever it is looked at. Timers and `monotonic` are true: no machine's jump. */
const wrong = (skewMs: () => number): Clock => ({ ...systemClock, now: () => systemClock.now() + skewMs() })

export const clocks = {
  ahead: () => wrong(() => hour),
  behind: () => wrong(() => -hour),
  /** Jumps at every look, by up to an hour forwards or backwards. */
  jumping: (random: Random) => wrong(() => (random.next() * 2 - 1) * hour),
} as const

/** A clock that can be stopped, as that of a machine that sleeps: no timer fires and `monotonic` stands still. */
export class FreezableClock implements Clock {
  readonly #clock: Clock
  #thawed: Promise<void> = Promise.resolve()
  #thaw: (() => void) | undefined
  #frozenAt = 0
  #lostMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  freeze(): void {
    this.#frozenAt = this.monotonic()
    this.#thawed = new Promise((resolve) => {
      this.#thaw = resolve
    })
  }

  thaw(): void {
    if (this.#thaw === undefined) return
    this.#lostMs = this.#clock.monotonic() - this.#frozenAt
    this.#thaw()
    this.#thaw = undefined
  }

  now = () => this.#clock.now()
  monotonic = () => (this.#thaw === undefined ? this.#clock.monotonic() - this.#lostMs : this.#frozenAt)

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal)
    await this.#thawed
  }

  after(ms: number, action: () => void): () => void {
    let cancelled = false
    const cancel = this.#clock.after(ms, () => void this.#thawed.then(() => cancelled || action()))
    return () => {
      cancelled = true
      cancel()
    }
  }
}

/** A started Eventspine that lives by `clock`; its warnings go to `warnings`. Stopped after the test. */
export async function runningBy(
  clock: Clock,
  app: App,
  schema: string,
  warnings: string[] = [],
): Promise<Eventspine> {
  const logger = jsonLogger('warn', Date.now, (line) => warnings.push(line))
  const surroundings = { clock, random: systemRandom, storeOf: undefined }
  const spine = new Eventspine(app, { databaseUrl, schema, logger, shutdownMs: 5_000 }, surroundings)
  afterTest(() => spine.stop())
  await spine.start()
  return spine
}
