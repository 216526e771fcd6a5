// One operating system process as the engine cannot tell it from a real one: it crashes between any two steps, is
// stopped and goes on as if no time had passed, and has a wall clock of its own.

import {
  type App,
  type Clock,
  createMemoryClaims,
  Eventspine,
  type Random,
  type Store,
  seededRandom,
  silentLogger,
} from './engine.js'
import { faulty } from './faulty-store.js'
import { observed } from './observed-store.js'
import type { World } from './world.js'

interface Transaction {
  rollback(): void | Promise<void>
}

export class SimulatedProcess {
  readonly world: World
  /** `slot.incarnation`, as the trace names it. */
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly spine: Eventspine
  readonly #crashed: (process: SimulatedProcess) => void
  #state: 'alive' | 'stopped by a signal' | 'dead' = 'alive'
  #held: (() => void)[] = []
  #skewMs = 0
  readonly #transactions = new Set<Transaction>()

  /** `crashed` is told once, so that a supervisor can start the next one. */
  constructor(
    world: World,
    name: string,
    appOf: (process: SimulatedProcess) => App,
    crashed: (process: SimulatedProcess) => void,
  ) {
    this.world = world
    this.name = name
    this.#crashed = crashed
    this.clock = this.#ownClock()
    this.random = seededRandom(world.dice.seed())
    this.store = faulty(this, observed(this, world.store))
    const claim = createMemoryClaims(this.clock)
    this.spine = new Eventspine(
      appOf(this),
      {
        databaseUrl: 'memory:',
        stalledMs: 0,
        shutdownMs: 1_000,
        logger: silentLogger,
        source: '/simulation',
      },
      { clock: this.clock, random: this.random, storeOf: () => ({ store: this.store, claim }) },
    )
  }

  get dead(): boolean {
    return this.#state === 'dead'
  }

  get alive(): boolean {
    return this.#state === 'alive'
  }

  get paused(): boolean {
    return this.#state === 'stopped by a signal'
  }

  /** kill -9: nothing of it goes on. */
  crash(why: string): void {
    if (this.dead) return
    this.#state = 'dead'
    this.#held = []
    this.world.dead.add(this.name)
    // Its connections break, and the database undoes what was open on them.
    for (const transaction of this.#transactions) {
      this.closed(transaction)
      void transaction.rollback()
    }
    this.world.trace.say(this.name, `crashes ${why}`)
    this.#crashed(this)
  }

  /** A transaction that goes with this process, and with the database. */
  opened(transaction: Transaction): void {
    this.#transactions.add(transaction)
    this.world.opened(transaction)
  }

  closed(transaction: Transaction): void {
    this.#transactions.delete(transaction)
    this.world.closed(transaction)
  }

  /** SIGSTOP for `ms`, then SIGCONT. */
  pause(ms: number): void {
    if (!this.alive) return
    this.#state = 'stopped by a signal'
    this.world.trace.say(this.name, `is stopped for ${ms} ms`)
    this.world.clock.after(ms, () => this.resume())
  }

  resume(): void {
    if (!this.paused) return
    this.#state = 'alive'
    this.world.trace.say(this.name, 'goes on')
    for (const action of this.#held.splice(0)) this.enter(action)
  }

  /** Somebody moves the wall clock of this machine. */
  jump(ms: number): void {
    this.#skewMs += ms
    this.world.trace.say(this.name, `sees its clock jump by ${ms} ms`)
  }

  /** Runs `action` in the process: now, when it goes on, or never. */
  enter(action: () => void): void {
    if (this.dead) return
    if (this.paused) this.#held.push(() => this.enter(action))
    else action()
  }

  /** Resolves when the process can see an answer. */
  async gate(): Promise<void> {
    if (this.alive) return
    if (this.dead) return this.never()
    await new Promise<void>((resolve) => this.#held.push(resolve))
    // It may have been stopped again, or have died, before this turn came.
    return this.gate()
  }

  /** One of its own each time: a promise that is shared would keep everybody who ever awaited it. */
  never(): Promise<never> {
    return new Promise<never>(() => {})
  }

  #ownClock(): Clock {
    const { clock } = this.world
    const after = (ms: number, action: () => void) => {
      let cancelled = false
      const cancel = clock.after(ms, () => this.enter(() => void (cancelled || action())))
      return () => {
        cancelled = true
        cancel()
      }
    }
    const sleep = (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal?.aborted) return resolve()
        const finish = () => {
          cancel()
          signal?.removeEventListener('abort', finish)
          resolve()
        }
        const cancel = after(ms, finish)
        signal?.addEventListener('abort', finish, { once: true })
      })
    return {
      now: () => clock.now() + this.#skewMs,
      monotonic: () => clock.monotonic(),
      after,
      sleep,
    }
  }
}
