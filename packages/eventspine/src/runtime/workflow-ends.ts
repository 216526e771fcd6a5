// Who waits for the end of a workflow: told at once where it ends in this process, and asks now and then where it may
// end in another.
import { type Clock, EventspineError } from '../kernel/index.js'
import type { InstanceName, WorkflowPort } from '../workflow/index.js'

type Found = NonNullable<Awaited<ReturnType<WorkflowPort['workflow']>>>

const lookEveryMs = { min: 100, max: 2_000 }

const keyOf = ({ tenant, workflow, id }: InstanceName) => JSON.stringify([tenant, workflow, id])

export class WorkflowEnds {
  readonly #port: Pick<WorkflowPort, 'workflow'>
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<() => void>>()
  #stopped = false

  constructor(port: Pick<WorkflowPort, 'workflow'>, clock: Clock) {
    this.#port = port
    this.#clock = clock
  }

  ended(name: InstanceName): void {
    for (const wake of this.#waiting.get(keyOf(name)) ?? []) wake()
  }

  stop(): void {
    this.#stopped = true
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake()
  }

  /** Resolves with the instance once it has ended; with null where the time is up. */
  async wait(name: InstanceName, ms: number): Promise<Found | null> {
    const endsAt = this.#clock.monotonic() + ms
    for (let pauseMs = lookEveryMs.min; ; pauseMs = Math.min(pauseMs * 2, lookEveryMs.max)) {
      // Listened to before it is asked: an end in between is not missed.
      const told = this.#listen(name)
      try {
        const found = await this.#port.workflow(name)
        if (found !== null && found.instance.endedAtMs !== null) return found
        const leftMs = endsAt - this.#clock.monotonic()
        if (leftMs <= 0) return null
        if (this.#stopped)
          throw new EventspineError('STOPPED', 'This Eventspine was stopped while a workflow was waited for.')
        await told.within(Math.min(pauseMs, leftMs))
      } finally {
        told.forget()
      }
    }
  }

  #listen(name: InstanceName) {
    const key = keyOf(name)
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting)
    let heard = false
    let wake = () => {
      heard = true
    }
    const hear = () => wake()
    waiting.add(hear)
    return {
      within: (ms: number) =>
        new Promise<void>((resolve) => {
          if (heard) return resolve()
          const cancel = this.#clock.after(ms, resolve)
          wake = () => {
            cancel()
            resolve()
          }
        }),
      forget: () => {
        waiting.delete(hear)
        if (waiting.size === 0) this.#waiting.delete(key)
      },
    }
  }
}
