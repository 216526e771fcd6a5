// Whoever starts, signals, cancels and publishes, through whichever process answers, until it is told that it is done.
import { EventspineError } from '../engine.js'
import type { SimulatedProcess } from '../process.js'
import type { World } from '../world.js'
import { happened, simName } from './cast.js'
import type { Scenes } from './scenes.js'
import { type Shape, shapeOf } from './shape.js'

const instancesMax = 5
const tryAgainMs = 70
const actor = 'audience'

export class Audience {
  readonly #world: World
  readonly #scenes: Scenes
  readonly #processes: () => readonly SimulatedProcess[]
  readonly shapes = new Map<string, Shape>()
  /** Wishes that nobody has granted. */
  busy = 0

  constructor(world: World, scenes: Scenes, processes: () => readonly SimulatedProcess[]) {
    this.#world = world
    this.#scenes = scenes
    this.#processes = processes
  }

  start(): void {
    const { dice } = this.#world
    const count = dice.between(1, instancesMax)
    for (let index = 0; index < count; index++) this.#instance(`instance-${index}`, shapeOf(dice))
  }

  #instance(id: string, shape: Shape): void {
    const { dice } = this.#world
    this.shapes.set(id, shape)
    const starts = dice.chance(0.3) ? 2 : 1
    for (let index = 0; index < starts; index++)
      this.#wish(async ({ spine }) => {
        await spine.workflows.start(simName, shape as never, { id })
        this.#scenes.started.add(id)
      })
    // One more than it asks for: what comes too late is kept, or refused.
    const signals = shape.signals === 0 ? 0 : shape.signals + 1
    for (let index = 0; index < signals; index++)
      this.#wish(async ({ spine }) => {
        await spine.workflows.signal(simName, id, 'go', index)
        this.#scenes.signalled.set(id, (this.#scenes.signalled.get(id) ?? 0) + 1)
      })
    // Behind the start, of which an instance knows.
    if (shape.awaitsEvent)
      this.#wish(async ({ spine }) => {
        if (!this.#scenes.started.has(id)) throw new Error('not yet')
        await spine.publish(happened, { key: id })
      })
    if (dice.chance(0.15))
      this.#wish(async ({ spine }) => {
        this.#scenes.cancelled.add(id)
        await spine.workflows.cancel(simName, id, actor)
      })
  }

  #wish(wish: (process: SimulatedProcess) => Promise<void>): void {
    const { clock, dice, plan } = this.#world
    this.busy++
    const ask = async (): Promise<void> => {
      const ready = this.#processes().filter((process) => process.alive && process.spine.ready())
      if (ready.length === 0) return again()
      const process = dice.pick(ready)
      let over = false
      const once =
        <Given>(next: (given: Given) => void) =>
        (given: Given) => {
          if (!over) next(given)
          over = true
        }
      // A process that dies never answers.
      const late = once<void>(again)
      clock.after(patienceMs, () => late())
      await wish(process).then(
        once(() => void this.busy--),
        // Nobody is there any more to hear of it: that is an answer, too.
        once((error: unknown) => (isEnded(error) ? void this.busy-- : again())),
      )
    }
    const again = () => void clock.after(tryAgainMs, () => void ask())
    clock.after(dice.between(0, plan.faultsMs), () => void ask())
  }
}

const patienceMs = 8_000

const isEnded = (error: unknown) => error instanceof EventspineError && error.code === 'WORKFLOW_ENDED'
