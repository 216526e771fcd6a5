// The same on Postgres, whose clock decides when a delivery is due: noted by the database itself (I20).
import { defineApp, defineSubscription, type RetryPolicy, retries, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { happened } from '../crash/apps.js'
import { freshSchema, quiet, running } from '../support.js'
import { claims, early, noteTransitions, waits } from './transitions.js'

const count = 12
const attempts = 5
/** What recording may take of a wait between the moment from which it is counted and the moment that is noted. */
const recordingMsMax = 5_000

it('claims no row before it is due by the database, each after what its policy said (I20)', {
  timeout: 90_000,
}, async () => {
  const schema = freshSchema()
  const said = new Map<string, number[]>()
  const noted = (name: string, policy: RetryPolicy): RetryPolicy => ({
    ...policy,
    delayMs: (attempt, random) => {
      const delayMs = policy.delayMs(attempt, random)
      const place = `${name} ${attempt}`
      said.set(place, [...(said.get(place) ?? []), delayMs])
      return delayMs
    },
  })
  const failing = (name: string, policy: RetryPolicy, shape: 'handle' | 'transact') =>
    defineSubscription({
      ...{ name, on: happened, retry: noted(name, policy) },
      [shape]: (_event: unknown, context: { readonly attempt: number }) => {
        if (context.attempt < attempts) throw new TransientError('later')
      },
    } as never)
  const app = defineApp({
    name: 'timed',
    subscriptions: [
      failing('alarm', retries.alarm(), 'handle'),
      failing('queue', retries.queue({ timeScale: 0.002 }), 'handle'),
      failing('standard', retries.standard({ timeScale: 0.05 }), 'transact'),
    ],
  })
  const spine = await running(app, schema)
  await noteTransitions(schema)
  for (let n = 0; n < count; n++) await spine.publish(happened, { n, key: `k${n}` })
  await quiet(spine, 60_000)

  expect(await early(schema)).toEqual([])
  const waited = await waits(schema)
  expect(waited).toHaveLength(3 * count * (attempts - 1))
  expect(await claims(schema)).toHaveLength(waited.length)
  // Each wait is one of those that the policy named for that attempt: both sorted, pair by pair.
  for (const [place, delays] of said) {
    const rows = waited.filter(({ subscription, attempt }) => `${subscription} ${attempt}` === place)
    const noticed = rows.map(({ waitMs }) => waitMs).toSorted((a, b) => a - b)
    delays.sort((a, b) => a - b)
    expect(noticed.length, place).toBe(delays.length)
    noticed.forEach((waitMs, index) => {
      const delayMs = delays[index] ?? Number.NaN
      expect(waitMs, place).toBeLessThanOrEqual(delayMs + 0.01)
      expect(waitMs, place).toBeGreaterThan(delayMs - recordingMsMax)
    })
  }
})
