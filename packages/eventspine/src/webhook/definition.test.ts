// Webhooks as they are defined: what is filled in, what is refused with the app, and how long is tried.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineApp, defineEvent, retries } from '../index.js'
import { seededRandom } from '../kernel/index.js'
import { webhookEndpointDisabled, webhooksOut } from '../webhooks.js'

const orderPlaced = defineEvent({ type: 'orders.placed', schema: z.object({ n: z.int() }) })
const partners = (options: object = {}) =>
  webhooksOut({
    ...{ name: 'partners', on: orderPlaced, endpoints: () => [], endpoint: () => null },
    ...options,
  } as never)

function faultsOf(...webhooks: readonly unknown[]): string {
  try {
    defineApp({ name: 'shop', webhooks: webhooks as never })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('webhooks', () => {
  it('are two subscriptions and an event of the engine', () => {
    const app = defineApp({ name: 'shop', webhooks: [partners()] })
    expect(app.subscriptions.map(({ name }) => name)).toEqual(['webhooks-partners', 'webhooks-partners-send'])
    expect(app.events).toEqual([orderPlaced])
    expect(app.registry.find('eventspine.webhook.partners')).toBe(app.webhooks[0]?.message)
    const [expand, send] = app.subscriptions
    expect([expand?.matches('orders.placed'), expand?.matches('eventspine.webhook.partners')]).toEqual([
      true,
      false,
    ])
    expect([
      send?.matches('eventspine.webhook.partners'),
      send?.matches('eventspine.webhook.partners-2'),
    ]).toEqual([true, false])
    expect(send).toMatchObject({
      ...{ concurrencyMax: 100, concurrencyPerKeyMax: 4, external: true, ordered: 'no' },
      breaker: { failures: 5, windowMs: 300_000, cooldownMs: 60_000, scope: 'key' },
    })
  })

  it('may be told of by a subscription, and their types not be taken', () => {
    const type = 'eventspine.webhook.partners'
    const events = [defineEvent({ type, schema: z.unknown() })]
    expect(() => defineApp({ name: 'shop', events })).toThrow(/the engine's own/)
    expect(() => defineApp({ name: 'shop', events: [webhookEndpointDisabled] })).not.toThrow()
  })

  it.each<[string, object, RegExp]>([
    ['for a bad name', { name: 'Our Partners' }, /webhooks "Our Partners": a name is lower-case/],
    ['without events', { on: [] }, /"webhooks-partners": "on" names no event/],
    ['for a bad filter', { filter: { data: 5 } }, /"webhooks-partners": filter/],
    ['without endpoints', { endpoints: undefined }, /endpoints must say which ids/],
    ['without an endpoint', { endpoint: undefined }, /endpoint must say where an id is/],
    ['for a payload that is none', { payload: { n: 1 } }, /payload must be a function/],
    [
      'for a policy that is none',
      { retry: { attemptsMax: 3 } },
      /retry must be a policy; write retry: retries\.webhook/,
    ],
    ['for no place', { concurrency: { max: 0 } }, /concurrency\.max is 0/],
    ['for half a place', { concurrency: { perEndpoint: 1.5 } }, /concurrency\.perEndpoint is 1\.5/],
    ['for a breaker without failures', { breaker: { failures: 0 } }, /breaker\.failures is 0/],
    ['for no time', { disableAfterMs: Number.NaN }, /disableAfterMs is NaN/],
    [
      'for an answer that is waited for too long',
      { answerMsMax: 60_000 },
      /answerMsMax is 60000; .* 1 to 30,000/,
    ],
    ['for a port that is none', { network: { ports: [443, 70_000] } }, /network\.ports must be a list/],
    ['for no port', { network: { ports: [] } }, /network\.ports must be a list/],
  ])('are refused %s', (_, options, message) => {
    expect(faultsOf(partners(options))).toMatch(message)
  })

  it('are refused twice under one name, and where they are something else', () => {
    expect(faultsOf(partners(), partners())).toMatch(/subscription "webhooks-partners" is defined twice/)
    expect(faultsOf({ name: 'partners' })).toMatch(/webhooks\[0\] is not made by webhooksOut/)
  })
})

describe('retries.webhook', () => {
  it('waits 27 h 35 min in all, up to a tenth longer', () => {
    const random = seededRandom(1)
    const { attemptsMax, delayMs } = retries.webhook()
    const waits = Array.from({ length: attemptsMax - 1 }, (_, n) => delayMs(n + 1, random))
    const seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
    for (const [n, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual((seconds[n] ?? 0) * 1_000)
      expect(wait).toBeLessThan((seconds[n] ?? 0) * 1_100)
    }
    expect(waits).toHaveLength(seconds.length)
    expect(delayMs(20, random)).toBeGreaterThanOrEqual(36_000_000)
  })
})
