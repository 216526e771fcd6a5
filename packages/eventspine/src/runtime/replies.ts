// Who waits for the reply to a request. The log knows it: one question for all who wait, as soon as something was appended
// here, and now and then for what others append. So a thousand callers cost the database no more than one.

import type { StoredEvent } from '../event/index.js'
import type { InspectPort } from '../inspect/port.js'
import { type Clock, Wake } from '../kernel/index.js'

export interface ReplyQuestion {
  readonly correlationId: string
  readonly tenant: string
  /** Of these types is the reply. */
  readonly types: readonly string[]
}

export interface ReplyWait {
  /** How long. */
  readonly ms: number
  /** The request was stored a moment ago, and the log need not be asked before somebody could have replied. */
  readonly begins?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Callers of one cell that wait in one process; more are answered at once that there is no reply yet. */
const waitingMax = 1_000
/** Between two looks into the log, while somebody waits: who waits long is looked after less often. */
const lookEveryMs = { min: 20, max: 1_000 }

interface Waiting {
  readonly question: ReplyQuestion
  readonly sinceMs: number
  hear(reply: StoredEvent | null): void
}

export class Replies {
  readonly #port: Pick<InspectPort, 'firsts'>
  readonly #clock: Clock
  readonly #failed: (error: unknown) => void
  readonly #wake: Wake
  readonly #waiting = new Set<Waiting>()
  #looking = false
  #stopped = false

  /** `failed`: the log could not be asked; it will be, again. */
  constructor(port: Pick<InspectPort, 'firsts'>, clock: Clock, failed: (error: unknown) => void) {
    this.#port = port
    this.#clock = clock
    this.#failed = failed
    this.#wake = new Wake(clock)
  }

  /** Something was appended. */
  hinted(): void {
    if (this.#waiting.size > 0) this.#wake.ring()
  }

  /** Sends all away. */
  stop(): void {
    this.#stopped = true
    for (const { hear } of this.#waiting) hear(null)
  }

  /** The reply, or null where there is none in time. Throws where the log cannot be asked. */
  async of(question: ReplyQuestion, { ms, begins = false, signal }: ReplyWait): Promise<StoredEvent | null> {
    if (!begins) {
      const found = await this.#port.firsts([question.correlationId], question.types)
      const reply = found.find(({ tenant }) => tenant === question.tenant)
      if (reply !== undefined) return reply
    }
    if (ms <= 0 || signal?.aborted === true || this.#stopped || this.#waiting.size >= waitingMax) return null
    return await this.#wait(question, ms, signal)
  }

  async #wait(
    question: ReplyQuestion,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<StoredEvent | null> {
    let end = () => {}
    const heard = new Promise<StoredEvent | null>((hear) => {
      const waiting = { question, sinceMs: this.#clock.monotonic(), hear }
      const giveUp = () => hear(null)
      const cancel = this.#clock.after(ms, giveUp)
      signal?.addEventListener('abort', giveUp)
      this.#waiting.add(waiting)
      end = () => {
        this.#waiting.delete(waiting)
        signal?.removeEventListener('abort', giveUp)
        cancel()
      }
    })
    this.#wake.ring()
    if (!this.#looking) void this.#look()
    return await heard.finally(end)
  }

  async #look(): Promise<void> {
    this.#looking = true
    while (this.#waiting.size > 0 && !this.#stopped) {
      await this.#wake.wait(this.#pauseMs())
      const pauseMs = await this.#ask().then(
        () => lookEveryMs.min,
        (error: unknown) => {
          this.#failed(error)
          return lookEveryMs.max
        },
      )
      await this.#clock.sleep(pauseMs)
    }
    this.#looking = false
  }

  // As long as the newest waits already: so each is looked after often at first, and a handful of times in all.
  #pauseMs(): number {
    const newestMs = Math.max(...[...this.#waiting].map(({ sinceMs }) => sinceMs))
    return Math.min(Math.max(this.#clock.monotonic() - newestMs, lookEveryMs.min), lookEveryMs.max)
  }

  async #ask(): Promise<void> {
    for (const waiting of byTypes(this.#waiting)) {
      const ids = new Set(waiting.map(({ question }) => question.correlationId))
      const found = await this.#port.firsts([...ids], waiting[0]?.question.types)
      for (const { question, hear } of waiting) {
        const reply = found.find(
          ({ correlationId, tenant }) =>
            correlationId === question.correlationId && tenant === question.tenant,
        )
        if (reply !== undefined) hear(reply)
      }
    }
  }
}

/** Those of one route have one question. */
function byTypes(all: Iterable<Waiting>): Iterable<readonly Waiting[]> {
  const groups = new Map<string, Waiting[]>()
  for (const waiting of all) {
    const types = waiting.question.types.join()
    const group = groups.get(types) ?? []
    group.push(waiting)
    groups.set(types, group)
  }
  return groups.values()
}
