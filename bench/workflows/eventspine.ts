// Eventspine as a user writes it: two workflows in an app, started by id, awaited by `result()`.
import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, Eventspine, EventspineError, PermanentError } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expectAnswer, Undone, type WorkflowSystem } from './system.js'

const yearMs = 365 * 86_400_000

const steps = workflow({
  name: 'steps',
  run: async (ctx, n: number) => {
    const one = await ctx.step('one', () => n + 1)
    const two = await ctx.step('two', () => one + 2)
    return await ctx.step('three', () => two + 3)
  },
})

const asleep = workflow({
  name: 'asleep',
  deadlineMs: 2 * yearMs,
  run: async (ctx, n: number) => {
    const one = await ctx.step('one', () => n + 1)
    await ctx.sleep(yearMs)
    return one
  },
})

const saga = (undone: Undone) =>
  workflow({
    name: 'saga',
    run: async (ctx, n: number) => {
      const undo = () => undone.undo()
      const one = await ctx.step('one', () => n + 1, { undo })
      const two = await ctx.step('two', () => one + 2, { undo })
      return await ctx.step('three', () => {
        throw new PermanentError(`${two} is refused`)
      })
    },
  })

export const eventspine: WorkflowSystem = {
  async open({ databaseUrl }) {
    const undone = new Undone()
    const sagas = saga(undone)
    const spine = new Eventspine(defineApp({ name: 'bench', workflows: [steps, sagas, asleep] }), {
      databaseUrl,
    })
    await spine.start()
    let ended = 0
    return {
      async run(kind, n) {
        const id = String(n)
        if (kind === 'steps') {
          const handle = await spine.workflows.start(steps, n, { id })
          return expectAnswer(n, await handle.result())
        }
        const handle = await spine.workflows.start(sagas, n, { id })
        await refusedOf(handle.result())
        ended++
      },
      async sleep(id) {
        await spine.workflows.start(asleep, 1, { id })
        const sleeps = async () => (await spine.workflows.show(asleep, id))?.wakeAtMs ?? null
        while ((await sleeps()) === null) await delay(10)
      },
      async stop() {
        undone.expect(ended)
        await spine.stop()
      },
    }
  },
}

async function refusedOf(result: Promise<unknown>): Promise<void> {
  const failed = await result.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(failed instanceof EventspineError) || !failed.message.includes('compensated')) throw failed
}
