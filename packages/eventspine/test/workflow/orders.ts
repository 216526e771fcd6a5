// A small shop for the tests of workflows: its steps write down what they did.
import { PermanentError, TransientError } from 'eventspine'
import { type SideEffects, sideEffects } from 'eventspine/testing'
import { workflow } from 'eventspine/workflow'
import { z } from 'zod'

export const order = z.object({
  order: z.string(),
  fails: z.string().optional(),
  times: z.number().optional(),
})

export interface Shop {
  readonly effects: SideEffects
  readonly checkout: ReturnType<typeof checkoutOf>
}

export function shop(): Shop {
  const effects = sideEffects()
  return { effects, checkout: checkoutOf(effects) }
}

function checkoutOf(effects: SideEffects) {
  const left = new Map<string, number>()
  const act = (name: string, { fails, times, order: id }: z.infer<typeof order>) => {
    effects.record(name, id)
    if (fails !== name) return `${name} of ${id}`
    const remaining = left.get(id) ?? times ?? Number.POSITIVE_INFINITY
    if (remaining <= 0) return `${name} of ${id}`
    left.set(id, remaining - 1)
    if (times === undefined) throw new PermanentError(`${name} is refused`)
    throw new TransientError(`${name} is away`)
  }
  return workflow({
    name: 'checkout',
    input: order,
    run: async (ctx, input) => {
      const undo = (name: string) => () => void act(`undo ${name}`, input)
      const reserved = await ctx.step('reserve', () => act('reserve', input), { undo: undo('reserve') })
      const charged = await ctx.step('charge', () => act('charge', input), { undo: undo('charge') })
      const shipped = await ctx.step('ship', () => act('ship', input), { undo: undo('ship') })
      return [reserved, charged, shipped]
    },
  })
}
