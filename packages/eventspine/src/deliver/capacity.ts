// Handlers that one process runs at once. A part is kept for alarms, so that a flood of normal work cannot hold an
// alarm back; and suspects of killing the process run one at a time, so that the guilty one is found.

export interface CapacityLimits {
  readonly handlersMax: number
  /** Of these, kept for alarms. */
  readonly alarmsReserved: number
}

export const capacityLimitsDefault: CapacityLimits = { handlersMax: 400, alarmsReserved: 100 }

export class Capacity {
  readonly #limits: CapacityLimits
  #normal = 0
  #alarms = 0
  #suspect = false
  #suspectsWaited = false

  constructor(limits: CapacityLimits = capacityLimitsDefault) {
    this.#limits = limits
  }

  get running(): number {
    return this.#normal + this.#alarms
  }

  room(priority: 'alarm' | 'normal', suspect: boolean): boolean {
    if (suspect && this.#suspect) {
      this.#suspectsWaited = true
      return false
    }
    if (this.running >= this.#limits.handlersMax) return false
    return priority === 'alarm' || this.#normal < this.#limits.handlersMax - this.#limits.alarmsReserved
  }

  /** Whether someone may have been held back before the place that was just given back. */
  contended(priority: 'alarm' | 'normal'): boolean {
    if (this.running + 1 >= this.#limits.handlersMax) return true
    return (
      this.#suspectsWaited ||
      (priority === 'normal' && this.#normal + 1 >= this.#limits.handlersMax - this.#limits.alarmsReserved)
    )
  }

  take(priority: 'alarm' | 'normal', suspect: boolean): void {
    if (priority === 'alarm') this.#alarms++
    else this.#normal++
    if (suspect) {
      this.#suspect = true
      this.#suspectsWaited = false
    }
  }

  give(priority: 'alarm' | 'normal', suspect: boolean): void {
    if (priority === 'alarm') this.#alarms--
    else this.#normal--
    if (suspect) this.#suspect = false
  }
}
