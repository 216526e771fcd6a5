// The processes of one schedule, and the faults that do not belong to one call: they crash, are stopped, see their clocks jump, and
// are started again.
import type { App } from './engine.js'
import type { Plan } from './plan.js'
import { SimulatedProcess } from './process.js'
import type { World } from './world.js'

const startsMax = 500
const stopMsMax = 60_000

export class Crew {
  readonly #world: World
  readonly #appOf: (process: SimulatedProcess) => App
  readonly #slots: (SimulatedProcess | undefined)[]
  #starts = 0

  constructor(world: World, appOf: (process: SimulatedProcess) => App) {
    this.#world = world
    this.#appOf = appOf
    this.#slots = Array.from({ length: world.plan.processes })
  }

  get processes(): SimulatedProcess[] {
    return this.#slots.filter((process) => process !== undefined)
  }

  start(): void {
    this.#slots.forEach((_, slot) => this.#boot(slot))
  }

  #boot(slot: number): void {
    const { trace, plan } = this.#world
    if (++this.#starts > startsMax) return
    const name = `${slot}.${this.#starts}`
    const process = new SimulatedProcess(this.#world, name, this.#appOf, () => this.#crashed(slot))
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

  /** Plans the faults. */
  trouble(): void {
    const { plan, dice, clock } = this.#world
    const some = (kind: Parameters<Plan['faults']['has']>[0], action: () => void) => {
      if (!plan.faults.has(kind)) return
      const times = dice.between(1, 3)
      for (let index = 0; index < times; index++) clock.after(dice.between(0, plan.faultsMs), action)
    }
    some('pause', () => this.#pauseOne())
    some('clock jump', () => this.#jumpOne())
    some('stop', () => this.#stopOne())
    some('restart storm', () => {
      for (const process of this.processes) process.crash('in a restart storm')
    })
    some('database restart', () => this.#world.restartDatabase())
  }

  #pauseOne(): void {
    const { dice, tally } = this.#world
    const alive = this.processes.filter((process) => process.alive)
    if (alive.length === 0) return
    tally.met('pause')
    dice.pick(alive).pause(dice.between(100, 5_000))
  }

  #jumpOne(): void {
    const { dice, tally } = this.#world
    tally.met('clock jump')
    dice.pick(this.processes).jump(dice.pick([-3_600_000, 3_600_000, -500, 500]))
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

  /** No faults from now on. */
  heal(): void {
    const world = this.#world
    world.trace.say('world', 'heals')
    world.faulty = false
    world.downUntilMs = 0
    for (const process of this.processes) process.resume()
  }

  async stopAll(): Promise<void> {
    const { clock, ledger, watch } = this.#world
    const processes = this.processes.filter((process) => !process.dead)
    let stopped = 0
    for (const process of processes) void process.spine.stop().then(() => stopped++)
    await clock.runUntil(() => stopped === processes.length, stopMsMax)
    for (const process of processes) process.crash('at the end')
    if (stopped < processes.length) ledger.violated('I40', 'a process did not stop')
    for (const id of watch.heldBy(new Set(processes.map(({ name }) => name))))
      ledger.violated('I40', `a process stopped and left its lease on ${id}`)
  }
}
