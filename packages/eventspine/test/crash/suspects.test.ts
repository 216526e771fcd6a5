// Who killed the process? Workers die in virtual time, by a handler or from outside, and only the real killer is put
// aside (I19).
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore, type MemoryStore } from '../../src/store/memory/memory-store.js'

const numbered = defineEvent({ type: 'tests.numbered', schema: z.object({ n: z.number() }) })
const forever = new Promise<never>(() => {})
const longMs = 3_600_000

/** A store as a process reaches it: from its death on no call returns and none is made. */
function mortal(store: MemoryStore): { readonly store: MemoryStore; die(): void } {
  let dead = false
  const guarded = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...values: unknown[]) => {
        if (dead) return forever
        const answer: unknown = Reflect.apply(value, target, values)
        return answer instanceof Promise ? answer.then((result) => (dead ? forever : result)) : answer
      }
    },
  })
  return {
    store: guarded,
    die: () => {
      dead = true
    },
  }
}

type Handle = (n: number, die: () => Promise<never>) => Promise<void>

/** One log and one subscription; workers come one after another. `handle` is given the death of its own process. */
class World {
  readonly clock = new VirtualClock()
  readonly #random = seededRandom(1)
  readonly #store = createMemoryStore({
    clock: this.clock,
    random: this.#random,
    idempotencyWindowMs: longMs,
  })
  readonly #handle: Handle
  deaths = 0

  constructor(handle: Handle) {
    this.#handle = handle
  }

  /** Starts a worker, and answers how to kill it. */
  async worker(work = true): Promise<{ readonly spine: Eventspine; die(): Promise<never> }> {
    const { store, die } = mortal(this.#store)
    const end = () => {
      this.deaths++
      die()
      return forever
    }
    const app = defineApp({
      name: 'tests',
      subscriptions: [
        defineSubscription({
          name: 'handle',
          on: numbered,
          priority: 'alarm',
          start: 'beginning',
          handle: ({ data }) => this.#handle(data.n, end),
        }),
      ],
    })
    const spine = new Eventspine(
      app,
      { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger, work },
      {
        clock: this.clock,
        random: this.#random,
        storeOf: () => ({ store, claim: createMemoryClaims(this.clock) }),
      },
    )
    await this.ended(spine.start())
    return { spine, die: end }
  }

  /** Moves time until `work` has ended. */
  async ended<Result>(work: Promise<Result>): Promise<Result> {
    let over = false
    void work.finally(() => {
      over = true
    })
    await this.clock.runUntil(() => over, longMs)
    return await work
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    expect(await this.clock.runUntil(condition, longMs)).toBe(true)
  }
}

async function published(world: World, count: number): Promise<Eventspine> {
  const { spine } = await world.worker(false)
  const events = Array.from({ length: count }, (_, n) => ({ event: numbered, data: { n } }))
  await world.ended(spine.publishMany(events))
  return spine
}

async function ledger(observer: Eventspine) {
  const [view] = await observer.operator().subscriptions()
  const { items } = await observer.operator().deadLetters()
  const dead = items.map(({ event, failure }) => [(event.data as { n: number }).n, failure.name])
  return { completed: view?.completed, dead }
}

/** An alarm's lease: a killed worker's is free after so long. */
const leaseMs = 5_000

it('takes nothing for the killer when workers are killed from outside within seconds, however often', async () => {
  const world: World = new World(() => world.clock.sleep(3_000))
  const observer = await published(world, 3)
  const random = seededRandom(7)
  for (let kill = 0; kill < 20; kill++) {
    const { die } = await world.worker()
    await world.clock.advance((kill === 0 ? 300 : leaseMs) + random.next() * 1_800)
    void die()
  }
  await world.worker()
  await world.until(async () => (await ledger(observer)).completed === 3)
  expect((await ledger(observer)).dead).toEqual([])
})

it('finds the killer among its neighbours in four deaths, and runs all of them to their end', async () => {
  const world: World = new World(async (n, die) => {
    await world.clock.sleep(100)
    if (n === 4) await die()
  })
  const observer = await published(world, 10)
  const isOver = async () => {
    const { completed, dead } = await ledger(observer)
    return completed === 9 && dead.length > 0
  }
  for (let deaths = 0; deaths < 10 && !(await isOver()); ) {
    await world.worker()
    await world.until(async () => world.deaths > deaths || (await isOver()))
    deaths = world.deaths
  }
  expect(await ledger(observer)).toEqual({ completed: 9, dead: [[4, 'ProcessDeath']] })
  expect(world.deaths).toBe(4)
})
