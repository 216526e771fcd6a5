// The workflows under simulation: what they do is in their input.
import { defineApp, defineEvent, PermanentError, TransientError } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import type { App } from '../engine.js'
import type { SimulatedProcess } from '../process.js'
import { accepting } from '../subject.js'
import type { World } from '../world.js'
import type { Scenes } from './scenes.js'
import type { Shape } from './shape.js'

export const happened = defineEvent({
  type: 'tests.happened',
  schema: accepting<{ readonly key: string }>(),
  key: ({ key }) => key,
})
export const reported = defineEvent({ type: 'tests.reported', schema: accepting<{ readonly id: string }>() })

/** An instance that nobody lets end would be an hour of virtual time. */
const retry = { attemptsMax: 50, processingAttemptsMax: 50, delayMs: () => 30 }
const leaseMs = 1_200

export const simName = 'sim'

export function appOf(world: World, scenes: Scenes): (process: SimulatedProcess) => App {
  return (process) => {
    const acts = actsOf(world, scenes, process)
    const inner = workflow({
      name: 'inner',
      run: (ctx) => ctx.step('inner', () => acts({ instance: ctx.id, act: 'do', step: 'inner' }), { retry }),
    })
    const sim = workflow({
      name: simName,
      waitsFor: [happened],
      run: async (ctx, shape: Shape) => {
        for (const [index, undoes] of shape.undo.entries()) {
          const step = `step ${index}`
          const own = { instance: ctx.id, step }
          const behind = index === 0 ? {} : { behind: `step ${index - 1}` }
          const does = () => acts({ ...own, act: 'do', begun: undoes, ...behind })
          await ctx.step(step, ({ attempt }) => doing(shape, index, attempt, does), {
            ...(undoes ? { undo: () => acts({ ...own, act: 'undo' }), undoRetry: retry } : {}),
            ...{ retry, pivot: shape.pivotAt === index },
          })
          if (shape.sleepAt === index) await ctx.sleep(shape.sleepMs)
        }
        const branches = Array.from({ length: shape.branches }, (_, index) => `branch ${index}`)
        await ctx.map(branches, (step, own) =>
          own.step(step, () => acts({ instance: ctx.id, act: 'do', step }), { retry }),
        )
        const signals: unknown[] = []
        while (signals.length < shape.signals) signals.push(await ctx.signal('go'))
        if (shape.awaitsEvent) await ctx.waitFor(happened, { key: ctx.id })
        if (shape.child) await ctx.child(inner, undefined)
        if (shape.publishes) await ctx.publish(reported, { id: ctx.id })
        if (shape.endsBadly) throw new PermanentError('it ends badly')
        return signals
      },
    })
    const app = defineApp({ name: 'simulation', events: [reported], workflows: [sim, inner] })
    return { ...app, subscriptions: app.subscriptions.map((each) => ({ ...each, leaseMs })) }
  }
}

async function doing(shape: Shape, index: number, attempt: number, act: () => Promise<string>) {
  const answer = await act()
  if (shape.refusedAt === index) throw new PermanentError('it is refused')
  if (shape.troubledAt === index && attempt <= shape.troubles) throw new TransientError('not yet')
  return answer
}

const actsOf =
  ({ dice, clock }: World, scenes: Scenes, process: SimulatedProcess) =>
  async (asked: Parameters<Scenes['acts']>[1]): Promise<string> => {
    await process.gate()
    scenes.acts(process, asked)
    if (dice.chance(0.3)) await clock.sleep(dice.between(1, 60))
    await process.gate()
    return asked.step
  }
