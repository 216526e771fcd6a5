// A step that kills its process, again and again: its instance is put aside as one that people find, and can end.
import { type App, defineApp, type Eventspine } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import type { MemoryStore } from '../../src/store/memory/index.js'
import { Stage } from './stage.js'

const never = new Promise<never>(() => {})
const longMs = 3_600_000

/** What a process can do to itself. */
interface Life {
  dead: boolean
}

/** A store as a process reaches it: from its death on no call returns, and none is made. */
const reachedBy = (life: Life, store: MemoryStore): MemoryStore =>
  new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (life.dead) return never
        const answer: unknown = Reflect.apply(value, target, given)
        return answer instanceof Promise ? answer.then((result) => (life.dead ? never : result)) : answer
      }
    },
  })

/** Workers that die, one after another, until a person is needed or `isOver` says so. Answers how many died. */
async function diedUntil(stage: Stage, appOf: (life: Life) => App, isOver: () => Promise<boolean>) {
  let deaths = 0
  while (!(await isOver())) {
    const life: Life = { dead: false }
    const worker = stage.spine(appOf(life), reachedBy(life, stage.store))
    await stage.until(worker.start())
    expect(await stage.clock.runUntil(async () => life.dead || (await isOver()), longMs)).toBe(true)
    if (!life.dead) await stage.until(worker.stop())
    else deaths++
    expect(deaths).toBeLessThan(10)
  }
  return deaths
}

async function halted(stage: Stage, appOf: (life: Life) => App): Promise<Eventspine> {
  const caller = stage.spine(appOf({ dead: false }), stage.store, { work: false })
  await stage.until(caller.start())
  // Its subscription begins where a worker is first seen.
  const before = stage.spine(appOf({ dead: false }))
  await stage.until(before.start())
  await stage.until(before.stop())
  await stage.until(caller.workflows.start('deadly', undefined, { id: 'd' }))
  const found = async () => (await caller.workflows.list({ state: 'needs-attention' })).items
  expect(await diedUntil(stage, appOf, async () => (await found()).length > 0)).toBe(4)
  expect(await found()).toMatchObject([
    { id: 'd', state: 'running', attention: { message: expect.stringContaining('process died 4 times') } },
  ])
  return caller
}

const first = (life: Life, ran: string[] = []) =>
  defineApp({
    name: 'deadly',
    workflows: [
      workflow({
        name: 'deadly',
        run: (ctx) =>
          ctx.step('exits', () => {
            ran.push('exits')
            life.dead = true
            return never
          }),
      }),
    ],
  })

test('in its first step: it is listed, and can be terminated', async () => {
  const stage = new Stage(1)
  const caller = await halted(stage, first)
  await stage.until(caller.workflows.terminate('deadly', 'd', 'ada'))
  expect((await stage.until(caller.workflows.show('deadly', 'd')))?.state).toBe('terminated')
  expect((await caller.operator().deadLetters({ state: 'dead' })).items).toEqual([])
})

test('in its first step: a cancel ends it, and the step is not run for that', async () => {
  const stage = new Stage(2)
  const ran: string[] = []
  const caller = await halted(stage, (life) => first(life, ran))
  await stage.until(caller.workflows.cancel('deadly', 'd', 'ada'))
  const over = async () => (await caller.workflows.show('deadly', 'd'))?.state === 'cancelled'
  expect(await diedUntil(stage, (life) => first(life, ran), over)).toBe(0)
  expect(ran).toHaveLength(4)
})

test('behind others: a cancel undoes what was done and what is in doubt, and the step is not run for that', async () => {
  const stage = new Stage(3)
  const ran: string[] = []
  const appOf = (life: Life) =>
    defineApp({
      name: 'deadly',
      workflows: [
        workflow({
          name: 'deadly',
          run: async (ctx) => {
            await ctx.step('before', () => void ran.push('before'), {
              undo: () => void ran.push('undo before'),
            })
            await ctx.step(
              'exits',
              () => {
                ran.push('exits')
                life.dead = true
                return never
              },
              { undo: () => void ran.push('undo exits') },
            )
          },
        }),
      ],
    })
  const caller = await halted(stage, appOf)
  await stage.until(caller.workflows.cancel('deadly', 'd', 'ada', 'it kills'))
  const over = async () => (await caller.workflows.show('deadly', 'd'))?.state === 'compensated'
  expect(await diedUntil(stage, appOf, over)).toBe(0)
  expect(ran.filter((each) => each === 'exits')).toHaveLength(4)
  expect(ran.slice(-2)).toEqual(['undo exits', 'undo before'])
})

test('a retry tries it once more, and goes on when it is mended', async () => {
  const stage = new Stage(4)
  const caller = await halted(stage, first)
  await stage.until(caller.workflows.retry('deadly', 'd', 'ada'))
  const mended = () =>
    defineApp({
      name: 'deadly',
      workflows: [workflow({ name: 'deadly', run: (ctx) => ctx.step('exits', () => 'lives') })],
    })
  const over = async () => (await caller.workflows.show('deadly', 'd'))?.state === 'completed'
  expect(await diedUntil(stage, mended, over)).toBe(0)
})
