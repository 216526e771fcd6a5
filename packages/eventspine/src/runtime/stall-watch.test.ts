import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, test } from 'vitest'
import { stallLimitMs } from './stall-watch.js'

const event = defineEvent({
  type: 'tests.any',
  schema: { '~standard': { version: 1, vendor: 'tests', validate: (value: unknown) => ({ value }) } },
})
const normal = defineSubscription({ name: 'normal', on: event, deadlineMs: 2_000, handle() {} })
const alarm = defineSubscription({ name: 'alarm', on: event, priority: 'alarm', handle() {} })

test('is below the shortest lease: what blocks for longer would be run again for ever', () => {
  const limit = (...subscriptions: (typeof normal)[]) =>
    stallLimitMs(60_000, defineApp({ name: 'tests', events: [event], subscriptions }))
  expect(limit()).toBe(60_000)
  expect(limit(normal)).toBe(0.8 * 32_000)
  expect(limit(normal, alarm)).toBe(0.8 * 5_000)
  expect(stallLimitMs(0, defineApp({ name: 'tests', events: [event], subscriptions: [normal] }))).toBe(0)
})
