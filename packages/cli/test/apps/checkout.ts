// An app of one workflow: it asks a person, waits for a signal, and behind its pivot the lorry can be away.
import { existsSync } from 'node:fs'
import { defineApp, defineEvent, PermanentError } from 'eventspine'
import { schedule, workflow } from 'eventspine/workflow'
import { z } from 'zod'

const downFile = process.env.SHOP_DOWN_FILE ?? '/nonexistent'

const checkOut = workflow({
  name: 'check-out',
  input: z.object({ order: z.string(), amount: z.int().min(1) }),
  async run(ctx, { order, amount }) {
    await ctx.step('reserve', async () => `a place for ${order}`, { undo: async () => {} })
    const decision = await ctx.approval('large order', { text: `${order} is worth \u001b[31m${amount}` })
    if (decision?.approved !== true) throw new PermanentError(decision?.reason ?? 'nobody decided')
    const address = await ctx.signal<{ readonly street: string }>('address')
    await ctx.step('charge', async () => amount, { pivot: true })
    return await ctx.step('ship', async () => {
      if (existsSync(downFile)) throw new PermanentError('The lorry is away')
      return `to ${address?.street}`
    })
  },
})

const closed = defineEvent({ type: 'books.closed', schema: z.object({}) })
const close = schedule({ name: 'close-books', cron: '0 0 1 1 *', event: closed, data: () => ({}) })

export const app = defineApp({ name: 'checkout', events: [], workflows: [checkOut], schedules: [close] })
