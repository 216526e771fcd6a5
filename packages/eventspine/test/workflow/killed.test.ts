// A worker that dies at every place between two of its calls to the store, with the call done and not done: another
// takes over, and each instance ends once, as if nothing had been. Virtual time, the store in memory.
import { type App, defineApp, PermanentError } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import type { MemoryStore } from '../../src/store/memory/index.js'
import type { Recording } from '../../src/workflow/port.js'
import { Stage } from './stage.js'

const never = new Promise<never>(() => {})

/** What the world saw, and what it must not see any more. */
class World {
  readonly seen: string[] = []
  readonly recorded = new Set<string>()

  act(step: string): void {
    if (this.recorded.has(step)) throw new Error(`${step} ran again, and is recorded`)
    this.seen.push(step)
  }

  record({ workflow: name, entries }: Recording): void {
    for (const entry of entries)
      if (entry.kind === 'step-done' || entry.kind === 'undo-done')
        this.recorded.add(`${entry.kind === 'undo-done' ? 'undo ' : ''}${name} ${entry.name}`)
  }

  /** Without what was done twice. */
  get order(): string[] {
    return [...new Set(this.seen)]
  }
}

interface Story {
  readonly app: (world: World, alive: () => boolean) => App
  /** Of all instances, in the order of their start. */
  readonly states: readonly string[]
  readonly order: readonly string[]
}

/** `world` is reached by who lives alone. */
const stepOf =
  (world: World, alive: () => boolean, name: string) => (step: string, refuses?: string) => async () => {
    if (!alive()) await never
    world.act(`${name} ${step}`)
    if (refuses !== undefined) throw new PermanentError(refuses)
    return step
  }

const forward: Story = {
  states: ['completed', 'completed'],
  order: ['main one', 'inner one', 'main two', 'main three'],
  app: (world, alive) => {
    const own = stepOf(world, alive, 'main')
    const inner = workflow({
      name: 'inner',
      run: (ctx) => ctx.step('one', stepOf(world, alive, 'inner')('one')),
    })
    const main = workflow({
      name: 'main',
      run: async (ctx) => {
        await ctx.step('one', own('one'))
        await ctx.child(inner, undefined)
        await ctx.sleep(5_000)
        await ctx.step('two', own('two'), { pivot: true })
        await ctx.signal('go')
        if ((await ctx.signal('go', { timeoutMs: 1_000 })) !== undefined)
          throw new PermanentError('given twice')
        return ctx.step('three', own('three'))
      },
    })
    return defineApp({ name: 'killed', workflows: [main, inner] })
  },
}

const backward: Story = {
  states: ['compensated'],
  order: ['main one', 'main two', 'main three', 'undo main three', 'undo main two', 'undo main one'],
  app: (world, alive) => {
    const own = stepOf(world, alive, 'main')
    const undo = (step: string) => async () => {
      if (!alive()) await never
      world.act(`undo main ${step}`)
    }
    const main = workflow({
      name: 'main',
      run: async (ctx) => {
        await ctx.step('one', own('one'), { undo: undo('one') })
        await ctx.step('two', own('two'), { undo: undo('two') })
        await ctx.step('three', own('three', 'no'), { undo: undo('three') })
      },
    })
    return defineApp({ name: 'killed', workflows: [main] })
  },
}

/** Between two of these, and before and behind each, lies all that can be lost. */
const telling: ReadonlySet<string | symbol> = new Set([
  ...['loadWorkflows', 'recordWorkflows', 'wakeWorkflows'],
  ...['append', 'settle', 'acquire'],
])

interface Life {
  calls: number
  /** The call at which it ends. */
  dies: number
  /** That call still has its effect. */
  readonly done: boolean
}

/** The store of a process that dies: from then on nobody hears of it any more. */
function mortal(store: MemoryStore, world: World, life: Life): MemoryStore {
  let dead = false
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (dead) return never
        const counts = telling.has(property)
        if (counts) life.calls++
        const last = counts && life.calls >= life.dies
        dead = last
        if (last && !life.done) return never
        const answer: unknown = value.apply(target, given)
        if (!(answer instanceof Promise)) return answer
        return answer.then((result: unknown) => {
          if (property === 'recordWorkflows')
            for (const index of result as ReadonlySet<number>)
              world.record((given[0] as readonly Recording[])[index] as Recording)
          return last || dead ? never : result
        })
      }
    },
  })
}

/** Answers false when it ended before it could be killed. */
async function killedAt(story: Story, dies: number, done: boolean): Promise<boolean> {
  const stage = new Stage(dies)
  const { store, clock } = stage
  const world = new World()
  const life: Life = { calls: 0, dies: Number.POSITIVE_INFINITY, done }
  const first = stage.spine(
    story.app(world, () => life.calls < life.dies),
    mortal(store, world, life),
  )
  const living = story.app(world, () => true)
  const caller = stage.spine(living, store, { work: false })
  await stage.until(first.start())
  await stage.until(caller.start())
  life.calls = 0
  life.dies = dies
  const { id } = await stage.until(caller.workflows.start('main', undefined, { id: 'm' }))
  // Told as soon as it is there, so that its process may die over that, too.
  const goes = () =>
    stage.until(
      caller.workflows.signal('main', id, 'go', 'once').then(
        () => true,
        () => false,
      ),
    )
  const exists = async () => (await store.workflows({})).items.length > 0
  await clock.runUntil(async () => life.calls >= life.dies || (await exists()), 20_000)
  const told = life.calls < life.dies && (await goes())
  await clock.runUntil(() => life.calls >= life.dies, 20_000)
  const killed = life.calls >= life.dies
  const second = stage.spine(living)
  await stage.until(second.start())
  // Where it undoes, it may have ended by now.
  if (!told) await goes()
  await clock.runUntil(async () => {
    const { items } = await store.workflows({})
    return items.length === story.states.length && items.every(({ endedAtMs }) => endedAtMs !== null)
  }, 300_000)
  const { items } = await store.workflows({})
  const place = `dies at call ${dies}, ${done ? 'done' : 'not done'}`
  expect([place, ...items.map(({ state }) => state).reverse()]).toEqual([place, ...story.states])
  expect([place, ...world.order]).toEqual([place, ...story.order])
  // What ran as it died runs again, and nothing else does.
  expect(world.seen.length - world.order.length).toBeLessThanOrEqual(1)
  await stage.until(second.stop())
  await stage.until(caller.stop())
  return killed
}

test.each([
  ['goes forward', forward],
  ['undoes', backward],
])('one that %s ends once, wherever its worker dies (I42, I44, I48, I49, I50)', async (_, story) => {
  let killed = 0
  for (const done of [true, false])
    for (let dies = 1; dies <= 40; dies++) if (await killedAt(story, dies, done)) killed++
  expect(killed).toBeGreaterThan(15)
})
