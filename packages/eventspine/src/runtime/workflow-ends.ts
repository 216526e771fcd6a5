// Who waits for the end of a workflow: told at once, with what came of it, where it ends in this process; asks now and
// then where it may end in another.
import { type Clock, EventspineError } from '../kernel/index.js'
import type { InstanceName, WorkflowEnd, WorkflowPort } from '../workflow/index.js'

const lookEveryMs = { min: 100, max: 2_000 }

const keyOf = ({ tenant, workflow, id }: InstanceName) => JSON.stringify([tenant, workflow, id])

export class WorkflowEnds {
  readonly #port: Pick<WorkflowPort, 'workflowEnd'>
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<(end: WorkflowEnd | undefined) => void>>()
  #stopped = false

  constructor(port: Pick<WorkflowPort, 'workflowEnd'>, clock: Clock) {
    this.#port = port
    this.#clock = clock
  }

  ended(name: InstanceName, end: WorkflowEnd): void {
    for (const hear of this.#waiting.get(keyOf(name)) ?? []) hear(end)
  }

  stop(): void {
    this.#stopped = true
    for (const waiting of this.#waiting.values()) for (const hear of waiting) hear(undefined)
  }

  /** Resolves once it has ended; with null where the time is up, or `signal` has aborted. `begins`: it was started a moment ago, and the database
   *  need not be asked before somebody could have ended it elsewhere. */
  async wait(
    name: InstanceName,
    ms: number,
    { begins = false, signal }: { readonly begins?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<WorkflowEnd | null> {
    const endsAt = this.#clock.monotonic() + ms
    // Listened to before anybody is asked: an end in between is not missed.
    const listening = this.#listen(name)
    const giveUp = () => listening.wake()
    signal?.addEventListener('abort', giveUp)
    try {
      let asks = !begins
      for (let pauseMs = lookEveryMs.min; ; pauseMs = Math.min(pauseMs * 2, lookEveryMs.max)) {
        const end = listening.heard ?? (asks ? await this.#port.workflowEnd(name) : null)
        if (end !== null) return end
        asks = true
        const leftMs = endsAt - this.#clock.monotonic()
        if (leftMs <= 0 || signal?.aborted === true) return null
        if (this.#stopped)
          throw new EventspineError('STOPPED', 'This Eventspine was stopped while a workflow was waited for.')
        await listening.within(Math.min(pauseMs, leftMs))
      }
    } finally {
      signal?.removeEventListener('abort', giveUp)
      listening.forget()
    }
  }

  #listen(name: InstanceName) {
    const key = keyOf(name)
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting)
    const listening = {
      heard: undefined as WorkflowEnd | undefined,
      wake: () => {},
      within: (ms: number) =>
        new Promise<void>((resolve) => {
          if (listening.heard !== undefined || this.#stopped) return resolve()
          const cancel = this.#clock.after(ms, resolve)
          listening.wake = () => {
            cancel()
            resolve()
          }
        }),
      forget: () => {
        waiting.delete(hear)
        if (waiting.size === 0) this.#waiting.delete(key)
      },
    }
    const hear = (end: WorkflowEnd | undefined) => {
      listening.heard ??= end
      listening.wake()
    }
    waiting.add(hear)
    return listening
  }
}
