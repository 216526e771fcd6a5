// One simulated world: its time, its database, and everything that is written down about it.
import { Dice } from './dice.js'
import {
  accessPort,
  appendPort,
  breakerPort,
  contractPort,
  importPort,
  inspectPort,
  leasePort,
  lifecyclePort,
  logPort,
  MemoryTables,
  operatePort,
  personalPort,
  redrivePort,
  replayPort,
  retryPort,
  type Store,
  schedulePort,
  settlePort,
  snapshotOf,
  sourceItemPort,
  sourceLeasePort,
  tablePort,
  VirtualClock,
  wakePort,
  webhookPort,
  workflowPort,
} from './engine.js'
import { Ledger } from './ledger.js'
import { planted } from './mutants.js'
import type { Plan } from './plan.js'
import { Tally } from './tally.js'
import { Trace } from './trace.js'
import { Watch } from './watch.js'

export interface WorldOptions {
  readonly trace: boolean
  /** A bug planted between the engine and its store: see `mutants.ts`. */
  readonly mutant: string | undefined
}

const idempotencyWindowMs = 7 * 86_400_000

export class World {
  readonly plan: Plan
  readonly dice: Dice
  readonly clock: VirtualClock
  readonly trace: Trace
  readonly tally = new Tally()
  readonly ledger = new Ledger()
  readonly tables: MemoryTables
  readonly watch: Watch
  /** Names of processes that crashed. */
  readonly dead = new Set<string>()
  /** Until when the downstream of breakers does not answer. */
  downUntilMs = 0
  /** The store as all processes share it, with the planted bug, without faults. */
  store: Store
  /** Faults may happen now. */
  faulty = true
  /** Raised by a restart of the database: what was on its way to the one before is lost. */
  connection = 0
  readonly #open = new Set<{ rollback(): void | Promise<void> }>()

  constructor(plan: Plan, options: WorldOptions) {
    this.plan = plan
    this.dice = new Dice(plan.seed ^ 0x5eed)
    this.clock = new VirtualClock()
    this.trace = new Trace(options.trace, () => this.clock.monotonic())
    const { ledger, tally, trace } = this
    this.watch = new Watch({
      ...{ ledger, tally, trace },
      now: () => this.clock.now(),
      isDead: (process) => this.isDead(process),
    })
    const random = new Dice(this.dice.seed()).random
    this.tables = new MemoryTables({ clock: this.clock, random, idempotencyWindowMs })
    this.store = planted(options.mutant, storeOver(this.tables), this.tables)
  }

  isDead(process: string): boolean {
    return this.dead.has(process)
  }

  /** A transaction that a restart of the database would undo. */
  opened(transaction: { rollback(): void | Promise<void> }): void {
    this.#open.add(transaction)
  }

  closed(transaction: { rollback(): void | Promise<void> }): void {
    this.#open.delete(transaction)
  }

  /** kill -9 of the database: open transactions are undone, and ticks that nothing durable refers to are lost. */
  restartDatabase(): void {
    this.connection++
    for (const transaction of this.#open) void transaction.rollback()
    this.#open.clear()
    const kept = [
      ...[...this.tables.consumers.values()].map(({ tick }) => tick),
      ...[...this.tables.replays.values()].map(({ untilTick }) => untilTick),
    ]
    const durable = Math.max(0, ...kept)
    while (this.tables.ticks.length > 1 && this.tables.lastTick().number > durable) {
      this.tables.ticks.pop()
      this.tally.met('tick lost and made anew')
    }
    this.tally.met('database restart')
    this.trace.say('database', `restarts behind tick ${this.tables.lastTick().number}`)
  }

  /** Nothing is visible that no tick holds. */
  get allTicked(): boolean {
    const { snapshot } = this.tables.lastTick()
    return this.tables.eventsBetween(snapshotOf(snapshot), this.tables.snapshot()).length === 0
  }
}

function storeOver(tables: MemoryTables): Store {
  return {
    ...appendPort(tables),
    ...logPort(tables),
    ...wakePort(tables),
    ...leasePort(tables),
    ...retryPort(tables),
    ...breakerPort(tables),
    ...settlePort(tables),
    ...redrivePort(tables),
    ...replayPort(tables),
    ...inspectPort(tables),
    ...operatePort(tables),
    ...workflowPort(tables),
    ...schedulePort(tables),
    ...contractPort(tables),
    ...importPort(tables),
    ...sourceLeasePort(tables),
    ...sourceItemPort(tables),
    ...personalPort(tables),
    ...tablePort(),
    ...webhookPort(tables),
    ...accessPort(tables),
    ...lifecyclePort(tables),
  }
}
