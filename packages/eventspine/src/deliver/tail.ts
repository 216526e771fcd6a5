// Follows the end of the log: makes ticks when woken, and slowly on its own when no hint came.
import { type Clock, Wake } from '../kernel/index.js'
import type { Feed } from './feed.js'

export interface TailServices {
  readonly feed: Feed
  readonly clock: Clock
  /** Other processes tell of what they append. */
  hinted(): boolean
  /** There is something new to read. */
  advanced(): void
  /** Called about every `pollMs`, also when nothing came; where nothing comes for long, every `pollMsMax`. */
  tended(): void
  failed(error: unknown): void
}

const pollMs = 200
/** Where nothing came for a while: what comes is told by hints, and this is for one that was lost. */
const pollMsMax = 1_000
const quietForMs = 5_000
const failureMs = 500

export class Tail {
  readonly #services: TailServices
  readonly #wake: Wake
  #stopped = false
  #running: Promise<void> | undefined

  constructor(services: TailServices) {
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

  /** Something was appended. */
  ring(): void {
    this.#wake.ring()
  }

  async #loop(): Promise<void> {
    const { feed, clock, hinted, advanced, tended, failed } = this.#services
    let tendedAt = clock.monotonic()
    let advancedAt = tendedAt
    while (!this.#stopped) {
      try {
        if (await feed.advance()) {
          advancedAt = clock.monotonic()
          advanced()
        }
      } catch (error) {
        failed(error)
        await clock.sleep(failureMs)
      }
      if (clock.monotonic() - tendedAt >= pollMs) {
        tendedAt = clock.monotonic()
        tended()
      }
      const quiet = hinted() && clock.monotonic() - advancedAt > quietForMs
      if (!this.#stopped) await this.#wake.wait(quiet ? pollMsMax : pollMs)
    }
  }
}
