// The database is away for ten seconds: publishers are told so at once and when to come back, workers go on by
// themselves (I65, I68).
import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, defineSubscription, Eventspine, EventspineError, jsonLogger } from 'eventspine'
import { expect, it } from 'vitest'
import { afterTest, until } from '../support.js'
import { happened } from './apps.js'
import { OwnServer } from './server.js'

const awayMs = 10_000

it('refuses publishes while the database is away, and resumes without a restart', {
  timeout: 60_000,
}, async () => {
  const server = new OwnServer()
  await server.start()
  const seen: number[] = []
  const app = defineApp({
    name: 'away',
    subscriptions: [
      defineSubscription({ name: 'plain', on: happened, handle: ({ data }) => void seen.push(data.n) }),
      defineSubscription({
        name: 'any',
        on: happened,
        transact: async (_, context) => void (await context.tx.query('SELECT 1')),
      }),
    ],
  })
  const spine = new Eventspine(app, {
    databaseUrl: server.url,
    logger: jsonLogger('silent', Date.now, () => {}),
  })
  afterTest(() => spine.stop())
  await spine.start()
  let n = 0
  const acked: number[] = []
  const refused: { code: string; retryAfterMs: number | undefined; tookMs: number }[] = []
  const publish = async () => {
    const began = performance.now()
    const number = n++
    try {
      await spine.publish(happened, { n: number, key: 'k' })
      acked.push(number)
    } catch (error) {
      if (!(error instanceof EventspineError)) throw error
      refused.push({ code: error.code, retryAfterMs: error.retryAfterMs, tookMs: performance.now() - began })
    }
  }
  for (let each = 0; each < 50; each++) await publish()
  await server.stop()
  for (const until = performance.now() + awayMs; performance.now() < until; await delay(100)) await publish()
  await server.start()
  await until(async () => {
    await publish()
    return acked.length > 60
  }, 20_000)

  expect(refused.length).toBeGreaterThan(10)
  for (const { code, retryAfterMs, tookMs } of refused) {
    expect(code).toBe('UNAVAILABLE')
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(tookMs).toBeLessThan(10_000)
  }
  await until(async () => {
    const subscriptions = await spine.operator().subscriptions()
    return subscriptions.every(({ lagEvents, retrying }) => lagEvents + retrying === 0)
  }, 20_000)
  expect(acked.filter((number) => !seen.includes(number))).toEqual([])
  for (const each of (await spine.operator().doctor()).subscriptions)
    expect(each).toMatchObject({ dead: 0, retrying: 0, balanced: true })
})
