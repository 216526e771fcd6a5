// The operator of the run: sends dead letters again, but for those that are to stay dead. What died of anything that
// nobody planned is strange.
import { setTimeout as delay } from 'node:timers/promises'
import type { Eventspine } from 'eventspine'
import { wordsOfDeath } from './fates.js'

const everyMs = 1_500
const rate = 1_000
const roundsMax = 100
/** Of handlers that a killed process ran too often. */
const wordsOfQuarantine = /^The process died \d+ times/

export class Redriver {
  readonly #observer: Eventspine
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  /** Deliveries that looked as if they had killed their process too often. */
  quarantined = 0
  redriven = 0
  readonly strange: string[] = []

  constructor(observer: Eventspine) {
    this.#observer = observer
  }

  start(): void {
    this.#running ??= this.#loop()
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // The database is away now and then; the next round asks again.
      await this.round().catch(() => {})
      await delay(everyMs, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  /** Sends what there is now. */
  async round(): Promise<void> {
    const operator = this.#observer.operator()
    for (const { subscription, message, fingerprint } of await operator.deadLetterGroups()) {
      if (message === wordsOfDeath.dies) continue
      const { selected } = await operator.redrive({
        ...{ filter: { subscription, fingerprint }, rate, canary: 0, stopAtErrorRate: 1 },
        ...{ actor: 'verify', roundsMax },
      })
      this.redriven += selected
      if (wordsOfQuarantine.test(message)) this.quarantined += selected
      else if (message !== wordsOfDeath['dies once']) this.strange.push(`${subscription}: ${message}`)
    }
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}
