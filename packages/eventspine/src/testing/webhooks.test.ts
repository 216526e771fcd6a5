// Webhooks in a test of a user's: nothing leaves it, and a day of retries takes no time.
import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineApp, defineEvent, defineSubscription, retries } from '../index.js'
import { webhookEndpointDisabled, webhooksOut } from '../webhooks.js'
import { publishing, scenario, sideEffects } from './index.js'

const orderPlaced = defineEvent({ type: 'orders.order-placed', schema: z.object({ order: z.string() }) })
const url = 'https://customer.example/hook'
const hourMs = 3_600_000

function shop() {
  const world = sideEffects()
  const partners = webhooksOut({
    name: 'partners',
    on: orderPlaced,
    endpoints: () => ['customer'],
    endpoint: () => ({ url, secrets: [`whsec_${Buffer.alloc(24, 1).toString('base64')}`] }),
    payload: ({ data }) => data,
    retry: retries.webhook({ attemptsMax: 3 }),
  })
  const tell = defineSubscription({
    name: 'tell',
    on: webhookEndpointDisabled,
    handle: ({ data }) => world.record('told', data.cause),
  })
  return { world, app: defineApp({ name: 'shop', subscriptions: [tell], webhooks: [partners] }) }
}

it('are side effects', async () => {
  const { world, app } = shop()
  await scenario(app, { sideEffects: world })
    .when(publishing(orderPlaced, { order: 'a-1' }))
    .then(({ sideEffects: effects, published, deadLetters }) => {
      expect(effects).toEqual([
        { name: 'webhook', details: { url, id: expect.any(String), body: { order: 'a-1' } } },
      ])
      expect([...published, ...deadLetters]).toEqual([])
    })
})

it('are tried again, at once and after minutes', async () => {
  const { world, app } = shop()
  await scenario(app, { sideEffects: world, endpoint: () => 503 })
    .when(publishing(orderPlaced, { order: 'a-1' }))
    .then(({ sideEffects: effects, deadLetters, elapsedMs }) => {
      expect(effects).toHaveLength(3)
      expect(new Set(effects.map(({ details }) => (details as { id: string }).id)).size).toBe(1)
      expect(deadLetters).toMatchObject([{ subscription: 'webhooks-partners-send', attempts: 3 }])
      expect(elapsedMs).toBeGreaterThan(5 * 60_000 + 5_000)
    })
})

it('end for an endpoint that has only failed for five days', async () => {
  const { world, app } = shop()
  const days = [1, 2, 3, 4, 5, 6, 7].map(() => publishing(orderPlaced, { order: 'a-1' }))
  const run = scenario(app, { sideEffects: world, endpoint: () => 404 })
  for (const day of days) run.when(day, { happen: async () => [], waitMs: 24 * hourMs })
  await run.then(({ sideEffects: effects, deadLetters }) => {
    // The sixth is five days behind the first; the seventh is not sent any more.
    expect(effects.map(({ name }) => name)).toEqual([...Array(6).fill('webhook'), 'told'])
    expect(effects.at(-1)?.details).toBe('failing')
    expect(deadLetters).toHaveLength(7)
    expect(deadLetters.at(-1)?.message).toMatch(/is disabled since .* failed for too long/)
  })
})
