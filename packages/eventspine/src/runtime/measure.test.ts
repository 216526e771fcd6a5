// Gauges of a cell: as many as there are names, however many keys they have.
import { expect, it } from 'vitest'
import { seededRandom, systemClock } from '../kernel/index.js'
import { metricNames } from '../observe/names.js'
import { createMemoryStore } from '../store/memory/memory-store.js'
import { storeSamples } from './measure.js'

it('show a breaker that keys have as its worst', async () => {
  const store = createMemoryStore({ clock: systemClock, random: seededRandom(1), idempotencyWindowMs: 1_000 })
  const set = (tenant: string, key: string, state: 'open' | 'closed') =>
    store.breakerSet({ name: 'hooks', tenant, key }, state, 60_000, 'ann')
  await set('acme', 'a', 'closed')
  await set('acme', 'b', 'open')
  await set('acme', 'c', 'closed')
  await set('other', 'a', 'closed')
  const samples = (await storeSamples('main', { store, tables: [] })).filter(
    ({ name }) => name === metricNames.breaker,
  )
  expect(samples.map(({ labels, value }) => [labels['breaker'], labels['tenant'], value])).toEqual([
    ['hooks', 'acme', 1],
    ['hooks', 'other', 0],
  ])
})
