// One schedule from its seed to its verdict: a phase with faults, then one in which everything must come to its end.

import { Crew } from './crew.js'
import { type ConsumerRow, comparePositions, endOfTick, orderingKeyOf, type Position } from './engine.js'
import { judge } from './oracle/judge.js'
import { Person } from './person.js'
import { planOf } from './plan.js'
import { Publisher } from './publisher.js'
import { appOf } from './subject.js'
import { Tally } from './tally.js'
import { simulateWorkflows } from './workflows/schedule.js'
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

/** Of so many seeds one is a schedule of workflows, too. */
const workflowsEvery = 8

export async function simulate(seed: number, options: WorldOptions): Promise<Verdict> {
  const verdict = await new Schedule(seed, options).run()
  if (seed % workflowsEvery !== 0 || options.mutant !== undefined) return verdict
  const workflows = await simulateWorkflows(seed, options)
  return {
    seed,
    violations: [...verdict.violations, ...workflows.violations],
    met: together(verdict.met, workflows.met),
    hash: (verdict.hash ^ workflows.hash) >>> 0,
    virtualMs: verdict.virtualMs + workflows.virtualMs,
    trace: [...verdict.trace, ...workflows.trace],
  }
}

function together(first: Verdict['met'], second: Verdict['met']): Verdict['met'] {
  const tally = new Tally()
  tally.add(first)
  tally.add(second)
  return Object.fromEntries(tally.counts)
}

class Schedule {
  readonly #world: World
  readonly #crew: Crew
  readonly #person: Person
  readonly #publisher: Publisher

  constructor(seed: number, options: WorldOptions) {
    this.#world = new World(planOf(seed), options)
    this.#crew = new Crew(this.#world, appOf)
    const processes = () => this.#crew.processes
    this.#person = new Person(this.#world, processes)
    this.#publisher = new Publisher(this.#world, processes)
  }

  async run(): Promise<Verdict> {
    const world = this.#world
    const { plan, clock, ledger, trace, tally, dice } = world
    this.#crew.start()
    this.#publisher.start()
    this.#person.start()
    this.#crew.trouble()
    if (dice.chance(0.3)) world.downUntilMs = dice.between(0, plan.faultsMs)
    await clock.advance(plan.faultsMs)
    this.#crew.heal()
    await this.#person.heal()
    if (await this.#drained()) {
      await judge(world)
      await this.#crew.stopAll()
      for (const { state } of world.tables.replays.values())
        if (state !== 'running') tally.met(`replay ${state}`)
    } else ledger.violated('I12', `not drained after ${healMsMax} ms without faults: ${this.#leftover()}`)
    return {
      ...{ seed: plan.seed, violations: ledger.violations, hash: trace.hash, trace: trace.lines },
      met: Object.fromEntries(tally.counts),
      virtualMs: clock.monotonic(),
    }
  }

  // ── the end ──

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
        .map(({ event }) => orderingKeyOf(event)),
    )
    return [...consumer.deliveries.values()].every(
      ({ state, event }) => state === 'waiting' && halted.has(orderingKeyOf(event)),
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
}

function isAtEnd(consumer: ConsumerRow, end: Position): boolean {
  if (consumer.replay === '') return comparePositions(consumer, end) >= 0
  const own = { tick: consumer.untilTick ?? 0, seq: endOfTick }
  // With rows behind a halted key a replay is not over until a person has decided.
  return consumer.finished || (consumer.deliveries.size > 0 && comparePositions(consumer, own) >= 0)
}
