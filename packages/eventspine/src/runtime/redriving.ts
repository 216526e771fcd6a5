// Sends what redrives still have to send, as long as there are any. Where there are none a hint tells of the next one, and
// a slow look is for a hint that was lost: an idle worker asked once a second before.
import { type Clock, Wake } from '../kernel/index.js'

/** Who says so when a redrive was begun. */
export const redriveHint = 'redrive'

const sendEveryMs = 250
const lookEveryMs = 5_000
/** Where hints do not come through. */
const unhintedLookEveryMs = 1_000

export interface RedrivingServices {
  readonly clock: Clock
  /** Sends what is due. Answers how many redrives go on. */
  advance(): Promise<number>
  failed(error: unknown): void
}

export class Redriving {
  readonly #services: RedrivingServices
  readonly #wake: Wake
  #heard = false
  #stopped = false
  #running: Promise<void> | undefined

  constructor(services: RedrivingServices) {
    this.#services = services
    this.#wake = new Wake(services.clock)
  }

  start(): void {
    this.#stopped = false
    this.#running ??= this.#loop()
  }

  /** A hint came, from `by`; an empty one when the connection for hints was made anew. */
  hinted(by: string): void {
    this.#heard = by !== ''
    if (by === redriveHint || by === '') this.#wake.ring()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake.ring()
    await this.#running
    this.#running = undefined
  }

  async #loop(): Promise<void> {
    const { advance, failed } = this.#services
    while (!this.#stopped) {
      let ongoing = 0
      try {
        ongoing = await advance()
      } catch (error) {
        failed(error)
      }
      const idleMs = this.#heard ? lookEveryMs : unhintedLookEveryMs
      if (!this.#stopped) await this.#wake.wait(ongoing > 0 ? sendEveryMs : idleMs)
    }
  }
}
