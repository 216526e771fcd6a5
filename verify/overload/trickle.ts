// Alarms through all of it: a few a second, by HTTP under a key of their own, as a monitor beside the ward sends them.
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from './app.js'

const alarmsPerSecond = 10
const answerMsMax = 30_000

export class Alarms {
  readonly #url: string
  readonly #key: string
  #stopped = false
  #running: Promise<void> | undefined
  acknowledged = 0
  refused = 0

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
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
    for (let next = monotonicMs(); !this.#stopped; next += 1_000 / alarmsPerSecond) {
      const sending = this.#send(monotonicMs()).finally(() => open.delete(sending))
      open.add(sending)
      await delay(Math.max(1, next + 1_000 / alarmsPerSecond - monotonicMs()))
    }
    await Promise.all(open)
  }

  async #send(sentAtMs: number): Promise<void> {
    try {
      const response = await fetch(new URL('/v1/events', this.#url), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'ward.alarm', data: { sentAtMs } }),
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
