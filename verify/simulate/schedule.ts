// One schedule from its seed to its verdict: a phase with faults, then one in which everything must come to its end.
import { type ConsumerRow, comparePositions, endOfTick, type Position } from './engine.js'
import { judge } from './oracle/judge.js'
import { Person } from './person.js'
import { planOf } from './plan.js'
import { SimulatedProcess } from './process.js'
import { Publisher } from './publisher.js'
import { World, type WorldOptions } from './world.js'

export interface Verdict {
  readonly seed: number
  readonly violations: readonly string[]
  readonly met: Readonly<Record<string, number>>
  /** Of the whole trace: the same for the same seed and commit. */
  readonly hash: number
  readonly virtualMs: number
  readonly trace: readonly string[]
}

/** Virtual time within which everything must have ended once the faults are over. */
export const healMsMax = 600_000
const lookEveryMs = 50
/** Drained means twice, this far apart. */
const quietMs = 300
const healEveryLooks = 40
const startsMax = 500

export async function simulate(seed: number, options: WorldOptions): Promise<Verdict> {
  return new Schedule(seed, options).run()
}

class Schedule {
  readonly #world: World
  readonly #slots: (SimulatedProcess | undefined)[]
  readonly #person: Person
  readonly #publisher: Publisher
  #starts = 0

  constructor(seed: number, options: WorldOptions) {
    this.#world = new World(planOf(seed), options)
    this.#slots = Array.from({ length: this.#world.plan.processes })
    const processes = () => this.#processes
    this.#person = new Person(this.#world, processes)
    this.#publisher = new Publisher(this.#world, processes)
  }

  get #processes(): SimulatedProcess[] {
    return this.#slots.filter((process) => process !== undefined)
  }

  async run(): Promise<Verdict> {
    const world = this.#world
    const { plan, clock, ledger, trace, tally } = world
    this.#slots.forEach((_, slot) => this.#boot(slot))
    this.#publisher.start()
    this.#person.start()
    this.#trouble()
    await clock.advance(plan.faultsMs)
    await this.#heal()
    if (await this.#drained()) {
      await judge(world)
      await this.#stopAll()
      for (const { state } of world.tables.replays.values())
        if (state !== 'running') tally.met(`replay ${state}`)
    } else ledger.violated('I12', `not drained after ${healMsMax} ms without faults: ${this.#leftover()}`)
    return {
      ...{ seed: plan.seed, violations: ledger.violations, hash: trace.hash, trace: trace.lines },
      met: Object.fromEntries(tally.counts),
      virtualMs: clock.monotonic(),
    }
  }

  // ── processes ──

  #boot(slot: number): void {
    const { trace, plan } = this.#world
    if (++this.#starts > startsMax) return
    const process = new SimulatedProcess(this.#world, `${slot}.${this.#starts}`, () => this.#crashed(slot))
    this.#slots[slot] = process
    if (plan.faults.has('same worker id') && this.#world.faulty) this.#world.tally.met('same worker id')
    trace.say(process.name, 'starts')
    // A start that fails is tried again, as a supervisor does.
    const start = () => process.spine.start().catch(() => process.clock.after(100, start))
    void start()
  }

  #crashed(slot: number): void {
    const { clock, dice, plan, faulty, tally } = this.#world
    const storm = faulty && plan.faults.has('restart storm')
    if (storm) tally.met('restart storm')
    clock.after(storm ? dice.between(0, 30) : dice.between(30, 600), () => this.#boot(slot))
  }

  /** Plans the faults that do not belong to one call. */
  #trouble(): void {
    const { plan, dice, clock } = this.#world
    const some = (kind: Parameters<typeof plan.faults.has>[0], action: () => void) => {
      if (!plan.faults.has(kind)) return
      const times = dice.between(1, 3)
      for (let index = 0; index < times; index++) clock.after(dice.between(0, plan.faultsMs), action)
    }
    some('pause', () => this.#pauseOne())
    some('clock jump', () => this.#jumpOne())
    some('stop', () => this.#stopOne())
    some('restart storm', () => {
      for (const process of this.#processes) process.crash('in a restart storm')
    })
    some('database restart', () => this.#world.restartDatabase())
    if (dice.chance(0.3)) this.#world.downUntilMs = dice.between(0, plan.faultsMs)
  }

  #pauseOne(): void {
    const { dice, tally } = this.#world
    const alive = this.#processes.filter((process) => process.alive)
    if (alive.length === 0) return
    tally.met('pause')
    dice.pick(alive).pause(dice.between(100, 5_000))
  }

  #jumpOne(): void {
    const { dice, tally } = this.#world
    tally.met('clock jump')
    dice.pick(this.#processes).jump(dice.pick([-3_600_000, 3_600_000, -500, 500]))
  }

  // SIGTERM, and a new process in its place as soon as it is gone.
  #stopOne(): void {
    const { dice, tally, trace } = this.#world
    const slot = dice.between(0, this.#slots.length - 1)
    const process = this.#slots[slot]
    if (process === undefined || !process.alive || !process.spine.ready()) return
    tally.met('stop')
    trace.say(process.name, 'is asked to stop')
    void process.spine.stop().then(() => process.crash('after it has stopped'))
  }

  // ── the end ──

  async #heal(): Promise<void> {
    const world = this.#world
    world.trace.say('world', 'heals')
    world.faulty = false
    world.downUntilMs = 0
    for (const process of this.#processes) process.resume()
    await this.#person.heal()
  }

  async #drained(): Promise<boolean> {
    const { clock } = this.#world
    const until = clock.monotonic() + healMsMax
    for (let [seen, looks] = [0, 0]; clock.monotonic() < until; looks++) {
      if (looks % healEveryLooks === healEveryLooks - 1) await this.#person.heal()
      await clock.advance(seen === 0 ? lookEveryMs : quietMs)
      if (!this.#quiet) seen = 0
      else if (this.#waiting) await this.#person.decide()
      else if (++seen === 2) return true
    }
    return false
  }

  /** Everything is read, and no row is left but those that wait for a person. */
  get #quiet(): boolean {
    const world = this.#world
    const { tables } = world
    if (this.#publisher.busy > 0 || !world.allTicked) return false
    const end = { tick: tables.lastTick().number, seq: endOfTick }
    for (const consumer of tables.consumers.values()) {
      if (!isAtEnd(consumer, end) || !this.#onlyHalted(consumer)) return false
    }
    const running = [...tables.redrives.values()].some(
      ({ state }) => state === 'running' || state === 'canary',
    )
    // One whose letters wait behind a halted key waits for a person, too.
    return !running || this.#waiting
  }

  #onlyHalted(consumer: ConsumerRow): boolean {
    if (consumer.deliveries.size === 0) return true
    const halted = new Set(
      [...this.#world.tables.letters.values()]
        .filter((letter) => letter.consumer === consumer && letter.halts && letter.state === 'dead')
        .map(({ event }) => event.key),
    )
    return [...consumer.deliveries.values()].every(
      ({ state, event }) => state === 'waiting' && halted.has(event.key),
    )
  }

  get #waiting(): boolean {
    return [...this.#world.tables.consumers.values()].some(({ deliveries }) => deliveries.size > 0)
  }

  #leftover(): string {
    const { tables } = this.#world
    const consumers = [...tables.consumers.values()].map(
      ({ subscription, replay, shard, tick, seq, owner, deliveries }) =>
        `${subscription}/${replay}/${shard} at ${tick}.${seq === endOfTick ? 'end' : seq} of ${tables.lastTick().number}, owner ${owner}, rows ${[...deliveries.values()].map(({ event, state, attempt, round, deaths }) => `${event.seq}:${event.key}:${state}:${attempt}:${round}:${deaths}`).join(' ')}`,
    )
    const letters = [...tables.letters.values()].map(
      ({ id, state, halts, event }) => `${id} of ${event.key} ${state}${halts ? ', halts' : ''}`,
    )
    const redrives = [...tables.redrives.values()].map(({ id, state }) => `redrive ${id} ${state}`)
    return [...consumers, ...letters, ...redrives].join('; ')
  }

  async #stopAll(): Promise<void> {
    const { clock, ledger, watch } = this.#world
    const processes = this.#processes.filter((process) => !process.dead)
    let stopped = 0
    for (const process of processes) void process.spine.stop().then(() => stopped++)
    await clock.runUntil(() => stopped === processes.length, stopMsMax)
    for (const process of processes) process.crash('at the end')
    if (stopped < processes.length) ledger.violated('I40', 'a process did not stop')
    for (const id of watch.heldBy(new Set(processes.map(({ name }) => name))))
      ledger.violated('I40', `a process stopped and left its lease on ${id}`)
  }
}

function isAtEnd(consumer: ConsumerRow, end: Position): boolean {
  if (consumer.replay === '') return comparePositions(consumer, end) >= 0
  const own = { tick: consumer.untilTick ?? 0, seq: endOfTick }
  // With rows behind a halted key a replay is not over until a person has decided.
  return consumer.finished || (consumer.deliveries.size > 0 && comparePositions(consumer, own) >= 0)
}

const stopMsMax = 60_000
