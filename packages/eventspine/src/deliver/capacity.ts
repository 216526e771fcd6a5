// Handlers that one process runs at once. A part is kept for alarms, so that a flood of normal work cannot hold an
// alarm back; transactions are bounded by the connections there are; and suspects of killing the process run one at
// a time, so that the guilty one is found.

export interface CapacityLimits {
  readonly handlersMax: number
  /** Of these, kept for alarms. */
  readonly alarmsReserved: number
  /** Chunks of transactional deliveries at once, one of them kept for alarms. */
  readonly transactionsMax: number
}

export const capacityLimitsDefault: CapacityLimits = {
  handlersMax: 400,
  alarmsReserved: 100,
  transactionsMax: 6,
}

/** So long alarms wait for the chunk before them where there is room for everybody. */
const alarmWaitMsFair = 10
const restTimesMax = 3
const smoothing = 0.2

/** What wants to run. */
export interface Runnable {
  readonly priority: 'alarm' | 'normal'
  readonly transactional: boolean
  readonly suspect: boolean
}

/** Somebody who wants to start handlers. */
export interface Waiter {
  /** A place may be free: starts what it can. */
  again(): void
}

export class Capacity {
  readonly #limits: CapacityLimits
  #normal = 0
  #alarms = 0
  #alarmChunks = 0
  #alarmWaitMs = 0
  readonly #transactions = { alarm: 0, normal: 0 }
  #suspects = 0
  readonly #waiting = { alarm: new Map<Waiter, Runnable>(), normal: new Map<Waiter, Runnable>() }

  constructor(limits: CapacityLimits = capacityLimitsDefault) {
    this.#limits = limits
  }

  /** Whether it may start. Whoever is refused is asked again, in turn, when a place is free. */
  room(runnable: Runnable, waiter: Waiter): boolean {
    const room = this.#room(runnable)
    if (!room) this.#waiting[runnable.priority].set(waiter, runnable)
    return room
  }

  #room({ priority, transactional, suspect }: Runnable): boolean {
    const { handlersMax, alarmsReserved, transactionsMax } = this.#limits
    const alarm = priority === 'alarm'
    if (suspect && this.#suspects > 0) return false
    const transactions = this.#transactions.alarm + this.#transactions.normal
    if (transactional && transactions >= transactionsMax - (alarm ? 0 : 1)) return false
    return this.#normal + this.#alarms < handlersMax && (alarm || this.#normal < handlersMax - alarmsReserved)
  }

  /** A place was given back: offers what is free to those that wait, alarms first. One that takes it all is followed by
   *  nobody: asking all of sixteen at each end took a sixteenth of the time of a fan-out. */
  offer(): void {
    for (const waiting of [this.#waiting.alarm, this.#waiting.normal]) {
      for (const [waiter, runnable] of waiting) {
        if (!this.#room(runnable)) continue
        waiting.delete(waiter)
        waiter.again()
      }
    }
  }

  take(runnable: Runnable): void {
    this.#count(runnable, 1)
  }

  /** A chunk of alarms begins, the first of which has waited so long since it was read. */
  alarmsWaited(ms: number): void {
    this.#alarmChunks++
    this.#alarmWaitMs += (ms - this.#alarmWaitMs) * smoothing
  }

  /** So far: whoever asks twice knows whether alarms began meanwhile. */
  get alarmChunks(): number {
    return this.#alarmChunks
  }

  /** How many times as long as it ran a chunk of the normal class rests: the more, the longer alarms waited lately and the more chunks of
   *  its class run. 0 where alarms begin soon, so that nobody rests for nothing. */
  get rest(): number {
    const pressure = Math.min(restTimesMax, Math.max(0, this.#alarmWaitMs / alarmWaitMsFair - 1))
    return pressure * this.#transactions.normal
  }

  give(runnable: Runnable): void {
    this.#count(runnable, -1)
  }

  #count({ priority, transactional, suspect }: Runnable, by: 1 | -1): void {
    if (priority === 'alarm') this.#alarms += by
    else this.#normal += by
    if (transactional) this.#transactions[priority] += by
    if (suspect) this.#suspects += by
  }
}
