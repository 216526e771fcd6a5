import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  retries,
  TransientError,
  ValidationError,
} from 'eventspine'
import { publishing, scenario, sideEffects, starting } from 'eventspine/testing'
import { workflow } from 'eventspine/workflow'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'

const placed = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ id: z.string(), pence: z.number().int() }),
  key: (order) => order.id,
})
const charged = defineEvent({ type: 'orders.order-charged', schema: z.object({ id: z.string() }) })
const mailed = defineEvent({ type: 'orders.receipt-mailed', schema: z.object({ id: z.string() }) })

function shop(world = sideEffects()) {
  const charge = defineSubscription({
    name: 'charge',
    on: placed,
    handle: async (event, context) => {
      if (event.data.pence < 0) throw new ValidationError('a negative price')
      if (event.data.pence === 13 && context.attempt < 4) throw new TransientError('the gateway is busy')
      world.record('charge', { id: event.data.id, pence: event.data.pence })
      await context.publish(charged, { id: event.data.id })
    },
  })
  const mail = defineSubscription({
    name: 'mail',
    on: charged,
    handle: async (event, context) => void (await context.publish(mailed, { id: event.data.id })),
  })
  return { world, app: defineApp({ name: 'shop', subscriptions: [charge, mail] }) }
}

it('follows the cascade of one event to its end', async () => {
  const { app, world } = shop()
  await scenario(app, { sideEffects: world })
    .given(publishing(placed, { id: 'a', pence: 1 }))
    .when(publishing(placed, { id: 'b', pence: 250 }))
    .then(({ published, sideEffects: effects, deadLetters }) => {
      expect(published).toEqual([
        { type: 'orders.order-charged', data: { id: 'b' } },
        { type: 'orders.receipt-mailed', data: { id: 'b' } },
      ])
      expect(effects).toEqual([{ name: 'charge', details: { id: 'b', pence: 250 } }])
      expect(deadLetters).toEqual([])
    })
})

it('waits out retries in virtual time', async () => {
  const { app, world } = shop()
  await scenario(app, { sideEffects: world })
    .when(publishing(placed, { id: 'c', pence: 13 }))
    .then(({ published, elapsedMs }) => {
      expect(published).toHaveLength(2)
      expect(elapsedMs).toBeGreaterThan(100)
    })
})

it('shows dead letters', async () => {
  const { app } = shop()
  await scenario(app)
    .when(publishing(placed, { id: 'd', pence: -5 }))
    .then(({ published, deadLetters }) => {
      expect(published).toEqual([])
      expect(deadLetters).toEqual([
        {
          subscription: 'charge',
          category: 'validation',
          message: 'a negative price',
          attempts: 1,
          event: { type: 'orders.order-placed', data: { id: 'd', pence: -5 } },
        },
      ])
    })
})

it('is quiet when an ordered key waits behind its dead letter', async () => {
  const ledger = defineSubscription({
    name: 'ledger',
    on: placed,
    ordered: true,
    handle: (event) => {
      if (event.data.pence < 0) throw new ValidationError('a negative price')
    },
  })
  await scenario(defineApp({ name: 'shop', subscriptions: [ledger] }))
    .when(publishing(placed, { id: 'e', pence: -1 }), publishing(placed, { id: 'e', pence: 1 }))
    .then(({ deadLetters }) => expect(deadLetters).toHaveLength(1))
})

it('takes a hanging handler through its deadlines', async () => {
  const hang = defineSubscription({ name: 'hang', on: placed, handle: () => new Promise(() => {}) })
  await scenario(defineApp({ name: 'shop', subscriptions: [hang] }))
    .when(publishing(placed, { id: 'f', pence: 1 }))
    .then(({ deadLetters, elapsedMs }) => {
      expect(deadLetters[0]).toMatchObject({ category: 'timeout', attempts: 10 })
      expect(elapsedMs).toBeGreaterThan(300_000)
    })
})

it('runs the same way twice', async () => {
  const elapsed = async () =>
    scenario(shop().app, { seed: 7 })
      .when(publishing(placed, { id: 'c', pence: 13 }))
      .then(({ elapsedMs }) => elapsedMs)
  expect(await elapsed()).toBe(await elapsed())
})

it('refuses data that does not fit the schema', async () => {
  await expect(
    scenario(shop().app)
      .when(publishing(placed, { id: 'g', pence: 1.5 }))
      .then(() => {}),
  ).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/data/pence' })
})

it('can be awaited for its outcomes, and fails as a promise does', async () => {
  const { published } = await scenario(shop().app).when(publishing(placed, { id: 'h', pence: 1 }))
  expect(published).toHaveLength(2)
  const awaited = async () => await scenario(shop().app).when(publishing(placed, { id: 'i', pence: 0.5 }))
  await expect(awaited()).rejects.toMatchObject({ code: 'EVENT_INVALID' })
})

it('waits for the real world before time goes on', async () => {
  const server = createServer((_, response) => setTimeout(() => response.end('ok'), 300)).listen(
    0,
    '127.0.0.1',
  )
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const asks = defineSubscription({
    name: 'asks',
    on: placed,
    deadlineMs: 100,
    handle: async () => void (await (await fetch(`http://127.0.0.1:${port}`)).text()),
  })
  const asking = workflow({
    name: 'asking',
    run: (ctx) =>
      ctx.step('ask', async () => (await fetch(`http://127.0.0.1:${port}`)).text(), { deadlineMs: 100 }),
  })
  await scenario(defineApp({ name: 'shop', subscriptions: [asks], workflows: [asking] }), {
    realMsMax: 5_000,
  })
    .when(publishing(placed, { id: 'e', pence: 1 }), starting(asking, undefined))
    .then(({ workflows, elapsedMs }) => {
      expect(workflows).toMatchObject([{ state: 'completed', output: 'ok' }])
      expect(workflows[0]?.history.filter(({ kind }) => kind === 'step-failed')).toEqual([])
      expect(elapsedMs).toBeLessThan(1_000)
    })
})

it('lets deadlines pass of what never ends', async () => {
  const stuck = defineSubscription({
    name: 'stuck',
    on: placed,
    deadlineMs: 60_000,
    retry: retries.none(),
    handle: () => new Promise(() => {}),
  })
  await scenario(defineApp({ name: 'shop', subscriptions: [stuck] }), { realMsMax: 20 })
    .when(publishing(placed, { id: 'f', pence: 1 }))
    .then(({ deadLetters }) => expect(deadLetters).toMatchObject([{ category: 'timeout' }]))
})
