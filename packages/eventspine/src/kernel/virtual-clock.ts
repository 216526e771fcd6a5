// Time that moves only when it is told to, for simulation and tests: the same program takes the same turns every
// run. Timers fire in order of due time, then of registration, and between two of them all awaiting code has run
// as far as it can.
import { clearTimeout, setImmediate, setTimeout } from 'node:timers'
import type { Clock } from './clock.js'
import { EventspineError } from './errors.js'
import { microtasksThrough } from './microtasks.js'

export interface VirtualClockOptions {
  /** Wall time at the start, in milliseconds since 1970. Default 2026-01-01T00:00:00Z. */
  readonly startMs?: number
  /**
   * Turns of the event loop given after every timer, for code that awaits files or sockets. Default 0: promises
   * alone, which is all that the in-memory engine needs and is far faster.
   */
  readonly macrotaskTurns?: number
  /** Real milliseconds that time stands still for whatever is held. Default 0. */
  readonly holdMsMax?: number
}

interface Timer {
  readonly dueMs: number
  readonly action: () => void
}

const startMsDefault = Date.UTC(2026, 0, 1)

export class VirtualClock implements Clock {
  readonly #macrotaskTurns: number
  // Sorted by due time; equal ones stay in the order in which they were registered.
  readonly #timers: Timer[] = []
  #elapsedMs = 0
  #wallMs: number
  #moving = false
  readonly #holdMsMax: number
  #held = 0
  #released: (() => void) | undefined

  constructor(options: VirtualClockOptions = {}) {
    this.#wallMs = options.startMs ?? startMsDefault
    this.#macrotaskTurns = options.macrotaskTurns ?? 0
    this.#holdMsMax = options.holdMsMax ?? 0
  }

  now(): number {
    return this.#wallMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = () => {
        cancel()
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const cancel = this.after(ms, finish)
      signal?.addEventListener('abort', finish, { once: true })
    })
  }

  /**
   * Fires only while time is moved, also when `ms` is 0, and at whole milliseconds, as the timers of a computer do: who
   * waits for a billionth of one would be called again and again while no time passes. One of `Infinity` never fires.
   */
  after(ms: number, action: () => void): () => void {
    const timer: Timer = {
      dueMs: Math.ceil(this.#elapsedMs + Math.max(0, Number.isNaN(ms) ? 0 : ms)),
      action,
    }
    this.#timers.splice(this.#placeOf(timer.dueMs), 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.length
  }

  /** Milliseconds until the next timer is due; null when there is none. */
  nextTimerInMs(): number | null {
    const timer = this.#timers[0]
    return timer === undefined || timer.dueMs === Infinity ? null : timer.dueMs - this.#elapsedMs
  }

  /** Moves the wall clock alone, as an administrator or a time server does. Timers and `monotonic` do not notice. */
  shiftWall(ms: number): void {
    this.#wallMs += ms
  }

  /** Moves time by `ms` and fires what is due on the way. Rejects when a timer's action throws. */
  async advance(ms: number): Promise<void> {
    await this.#alone(async () => {
      const targetMs = this.#elapsedMs + ms
      await this.settle()
      while (await this.#fireNext(targetMs));
      this.#elapsedMs = targetMs
    })
  }

  /**
   * Fires timers until `condition` holds, and answers true; false when `msMax` of virtual time passed or no timer
   * is left before it did. Time then stands at the timer that fulfilled it, or at the last one.
   */
  async runUntil(condition: () => boolean | Promise<boolean>, msMax: number): Promise<boolean> {
    return await this.#alone(async () => {
      const targetMs = this.#elapsedMs + msMax
      await this.settle()
      while (!(await condition())) {
        if (await this.#fireNext(targetMs)) continue
        if (this.nextTimerInMs() !== null) this.#elapsedMs = targetMs
        return false
      }
      return true
    })
  }

  /** Fires timers until none is left; answers false when some are after `msMax` of virtual time. */
  async runUntilIdle(msMax: number): Promise<boolean> {
    return await this.runUntil(() => this.nextTimerInMs() === null, msMax)
  }

  hold(work: PromiseLike<unknown>): void {
    if (this.#holdMsMax === 0) return
    let holds = true
    const release = () => {
      if (!holds) return
      holds = false
      clearTimeout(timer)
      this.#held--
      this.#released?.()
    }
    const timer = setTimeout(release, this.#holdMsMax)
    this.#held++
    work.then(release, release)
  }

  /** Lets all awaiting code run as far as it can without time. */
  async settle(): Promise<void> {
    await this.#turns()
    while (this.#held > 0) {
      await new Promise<void>((resolve) => (this.#released = resolve))
      await this.#turns()
    }
  }

  async #turns(): Promise<void> {
    await microtasksThrough()
    for (let turn = 0; turn < this.#macrotaskTurns; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      await microtasksThrough()
    }
  }

  async #fireNext(targetMs: number): Promise<boolean> {
    const timer = this.#timers[0]
    if (timer === undefined || timer.dueMs > targetMs || timer.dueMs === Infinity) return false
    this.#timers.shift()
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs)
    timer.action()
    await this.settle()
    return true
  }

  // Two movers would fire timers out of order, each towards its own target.
  async #alone<Result>(move: () => Promise<Result>): Promise<Result> {
    if (this.#moving) {
      throw new EventspineError(
        'REQUEST_INVALID',
        'Virtual time is being moved already: await the other call first.',
      )
    }
    this.#moving = true
    try {
      return await move()
    } finally {
      this.#moving = false
    }
  }

  #placeOf(dueMs: number): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#timers[middle]?.dueMs ?? 0) <= dueMs) low = middle + 1
      else high = middle
    }
    return low
  }
}
