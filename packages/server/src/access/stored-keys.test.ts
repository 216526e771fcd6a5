// Keys that nobody knows have the shared ones read again, and a stranger who tries one after another is no load.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Eventspine } from 'eventspine'
import { expect, test } from 'vitest'
import { createApiKey, KeyRing } from './api-key.js'
import { StoredKeys } from './stored-keys.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

test('those who ask at once share a reading, and the next waits for its turn', async () => {
  const ring = new KeyRing([])
  const { key, record } = createApiKey({ scopes: ['read'], name: 'ada' })
  const readings: number[] = []
  let stored: object[] = []
  const keys = async () => {
    readings.push(performance.now())
    return stored
  }
  const spine = { operator: () => ({ access: { keys } }) } as unknown as Eventspine
  const shared = new StoredKeys(spine, ring, 3_600_000, silent)
  await shared.lookNow()
  expect(readings).toHaveLength(0)
  await shared.start()
  stored = [{ ...record, tenant: null, withdrawn: null }]
  await shared.lookNow()
  expect(ring.find(key)?.name).toBe('ada')
  for (let round = 0; round < 3; round++)
    await Promise.all(Array.from({ length: 50 }, () => shared.lookNow()))
  // One at the start, one for the first, one for each round.
  expect(readings).toHaveLength(5)
  const gaps = readings.slice(2).map((at, index) => at - (readings[index + 1] as number))
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(190)
  shared.stop()
  await shared.lookNow()
  await sleep(0)
  expect(readings).toHaveLength(5)
})

test('a database that does not answer keeps nobody waiting', async () => {
  let isAway = false
  const keys = () => (isAway ? new Promise<never>(() => {}) : Promise.resolve([]))
  const spine = { operator: () => ({ access: { keys } }) } as unknown as Eventspine
  const shared = new StoredKeys(spine, new KeyRing([]), 3_600_000, silent)
  await shared.start()
  isAway = true
  await shared.lookNow()
  await shared.lookNow()
  shared.stop()
})
