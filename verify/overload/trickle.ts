// A few events a second through all of it, by HTTP under a key of their own: alarms, as a monitor beside the ward sends
// them, or the readings of a quiet tenant.
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from './app.js'

const perSecond = 10
const answerMsMax = 30_000

export class Trickle {
  readonly #url: string
  readonly #key: string
  readonly #type: string
  #stopped = false
  #running: Promise<void> | undefined
  acknowledged = 0
  refused = 0

  constructor(url: string, key: string, type: string) {
    this.#url = url
    this.#key = key
    this.#type = type
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const open = new Set<Promise<void>>()
    for (let next = monotonicMs(); !this.#stopped; next += 1_000 / perSecond) {
      const sending = this.#send(monotonicMs()).finally(() => open.delete(sending))
      open.add(sending)
      await delay(Math.max(1, next + 1_000 / perSecond - monotonicMs()))
    }
    await Promise.all(open)
  }

  async #send(sentAtMs: number): Promise<void> {
    try {
      const response = await fetch(new URL('/v1/events', this.#url), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ type: this.#type, data: { sentAtMs } }),
        signal: AbortSignal.timeout(answerMsMax),
      })
      await response.arrayBuffer()
      if (response.status === 202) this.acknowledged++
      else this.refused++
    } catch {
      this.refused++
    }
  }
}
