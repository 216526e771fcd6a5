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

/** What wants to run. */
export interface Runnable {
  readonly priority: 'alarm' | 'normal'
  readonly transactional: boolean
  readonly suspect: boolean
}

export class Capacity {
  readonly #limits: CapacityLimits
  #normal = 0
  #alarms = 0
  #transactions = 0
  #suspects = 0
  #refused = false

  constructor(limits: CapacityLimits = capacityLimitsDefault) {
    this.#limits = limits
  }

  /** Whether it may start. A refusal is remembered: see `contended`. */
  room(runnable: Runnable): boolean {
    const room = this.#room(runnable)
    if (!room) this.#refused = true
    return room
  }

  #room({ priority, transactional, suspect }: Runnable): boolean {
    const { handlersMax, alarmsReserved, transactionsMax } = this.#limits
    const alarm = priority === 'alarm'
    if (suspect && this.#suspects > 0) return false
    if (transactional && this.#transactions >= transactionsMax - (alarm ? 0 : 1)) return false
    return this.#normal + this.#alarms < handlersMax && (alarm || this.#normal < handlersMax - alarmsReserved)
  }

  /** Whether somebody was refused since the last call, and should be asked again now that a place is free. */
  contended(): boolean {
    const refused = this.#refused
    this.#refused = false
    return refused
  }

  take(runnable: Runnable): void {
    this.#count(runnable, 1)
  }

  give(runnable: Runnable): void {
    this.#count(runnable, -1)
  }

  #count({ priority, transactional, suspect }: Runnable, by: 1 | -1): void {
    if (priority === 'alarm') this.#alarms += by
    else this.#normal += by
    if (transactional) this.#transactions += by
    if (suspect) this.#suspects += by
  }
}
