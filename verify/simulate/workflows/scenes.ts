// What the world saw of the instances of a schedule, and what the store had recorded when it saw it.
import type { Recording, Store } from '../engine.js'
import type { SimulatedProcess } from '../process.js'
import type { World } from '../world.js'

export interface Seen {
  readonly instance: string
  readonly act: 'do' | 'undo'
  readonly step: string
  readonly process: string
}

export class Scenes {
  readonly #world: World
  readonly seen: Seen[] = []
  /** `instance step` whose answer is recorded. */
  readonly #answered = new Set<string>()
  readonly #begun = new Set<string>()
  readonly #compensating = new Set<string>()
  /** Signals that were acknowledged, by instance. */
  readonly signalled = new Map<string, number>()
  readonly cancelled = new Set<string>()
  readonly started = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  // Who was stopped may go on with what it had decided on before, and so may one whose answer was slow: the outside knows
  // such a repeat by its idempotency key.
  get #knowsAtOnce(): boolean {
    const { faults } = this.#world.plan
    return !['pause', 'call hangs', 'call slow', 'same worker id'].some((each) => faults.has(each as 'pause'))
  }

  /** `behind`: the step before it, whose answer it was given; `begun`: it can be undone. */
  acts(
    process: SimulatedProcess,
    { instance, act, step, behind, begun }: Omit<Seen, 'process'> & { behind?: string; begun?: boolean },
  ): void {
    const { ledger, trace } = this.#world
    if (behind !== undefined && !this.#answered.has(`${instance} ${behind}`))
      ledger.violated('I42', `${step} of ${instance} ran, and the answer of ${behind} is not recorded`)
    if (begun === true && !this.#begun.has(`${instance} ${step}`))
      ledger.violated('I50', `${step} of ${instance} ran, and nobody would know that it has to be undone`)
    trace.say(process.name, `${instance} ${act} ${step}`)
    this.seen.push({ instance, act, step, process: process.name })
    if (act === 'undo' || !this.#knowsAtOnce) return
    if (this.#answered.has(`${instance} ${step}`))
      ledger.violated('I42', `${step} of ${instance} ran in ${process.name}, and its answer is recorded`)
    if (this.#compensating.has(instance))
      ledger.violated('I51', `${step} of ${instance} ran in ${process.name} while it was undone`)
  }

  /** The store, with what it records looked at. */
  watching(store: Store): Store {
    return {
      ...store,
      recordWorkflows: async (recordings) => {
        const recorded = await store.recordWorkflows(recordings)
        recordings.forEach((each, index) => {
          if (recorded.has(index)) this.#recorded(each)
          else this.#world.tally.met('recording refused')
        })
        return recorded
      },
    }
  }

  #recorded({ id, entries }: Recording): void {
    const { ledger, tally, clock } = this.#world
    for (const { kind, name, place } of entries) {
      if (kind === 'step-done') this.#answered.add(`${id} ${name}`)
      if (kind === 'step-begun') this.#begun.add(`${id} ${name}`)
      if (kind === 'compensating') this.#compensating.add(id)
      if (kind !== 'timer-fired') continue
      tally.met('timer fired')
      const dueAtMs = this.#dueAtMs(id, place, entries)
      if (dueAtMs > clock.now())
        ledger.violated('I46', `a timer of ${id} fired ${dueAtMs - clock.now()} ms early`)
    }
  }

  #dueAtMs(id: string, place: string, entries: Recording['entries']): number {
    const row = [...this.#world.tables.workflows.values()].find((each) => each.id === id)
    const set = [...(row?.history ?? []), ...entries].find(
      (entry) => entry.kind === 'timer-set' && entry.place === place,
    )
    return (JSON.parse(set?.data ?? '{"dueAtMs":0}') as { readonly dueAtMs: number }).dueAtMs
  }
}
