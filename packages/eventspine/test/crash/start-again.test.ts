// A start that fails counts for nothing: the next one does all of it, once (I65).
import { defineApp, defineSubscription, Eventspine, EventspineError, jsonLogger } from 'eventspine'
import { expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/kernel/index.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'
import type { Store } from '../../src/store/store.js'
import { afterTest, quiet } from '../support.js'
import { happened } from './apps.js'

const away = new EventspineError('UNAVAILABLE', 'The database cannot be reached.')

function scene(cells: readonly string[], storeOf: (cell: string) => Store) {
  const seen: number[] = []
  const app = defineApp({
    name: 'started',
    subscriptions: [
      defineSubscription({ name: 'count', on: happened, handle: ({ data }) => void seen.push(data.n) }),
    ],
  })
  const spine = new Eventspine(
    app,
    {
      cells: Object.fromEntries(cells.map((cell) => [cell, { url: 'postgres://memory' }])),
      stalledMs: 0,
      logger: jsonLogger('silent', Date.now, () => {}),
    },
    {
      clock: systemClock,
      random: systemRandom,
      storeOf: (cell) => ({ store: storeOf(cell), claim: createMemoryClaims(systemClock) }),
    },
  )
  afterTest(() => spine.stop())
  return { spine, seen }
}

const memory = () =>
  createMemoryStore({ clock: systemClock, random: systemRandom, idempotencyWindowMs: 60_000 })

async function expectWhole(spine: Eventspine, seen: readonly number[]): Promise<void> {
  await spine.publish(happened, { n: 1, key: 'k' })
  await quiet(spine)
  expect(seen).toEqual([1])
  expect(await spine.operator().workers()).toHaveLength(1)
}

it.each(['migrate', 'open', 'register', 'maintain', 'lastTick', 'listen'] as const)(
  'is tried whole when the store was away at %s',
  async (step) => {
    const store = memory()
    const whole: Store = { ...store }
    Object.assign(store, { [step]: () => Promise.reject(away) })
    const { spine, seen } = scene(['main'], () => store)
    await expect(spine.start()).rejects.toThrow('cannot be reached')
    expect(spine.ready()).toBe(false)
    await expect(spine.publish(happened, { n: 0, key: 'k' })).rejects.toThrow('await start()')
    await expect(spine.start()).rejects.toThrow('cannot be reached')
    Object.assign(store, { [step]: whole[step] })
    await spine.start()
    expect(spine.ready()).toBe(true)
    await expectWhole(spine, seen)
  },
)

it('starts a cell once, although it was still on its way when another one failed', async () => {
  const slow = memory()
  const failing = memory()
  const { register } = slow
  let registrations = 0
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  slow.register = async (records) => {
    registrations++
    await opened
    return register(records)
  }
  const whole = failing.open
  failing.open = () => Promise.reject(away)
  const { spine, seen } = scene(['main', 'other'], (cell) => (cell === 'main' ? slow : failing))
  await expect(spine.start()).rejects.toThrow('cannot be reached')
  failing.open = whole
  const again = spine.start()
  open()
  await again
  expect(registrations).toBe(1)
  await expectWhole(spine, seen)
})

it('stops a cell that was still on its way when another one failed', async () => {
  const slow = memory()
  const failing = memory()
  const { register, close } = slow
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const steps: string[] = []
  slow.register = async (records) => {
    await opened
    await register(records)
    steps.push('registered')
  }
  slow.close = async () => {
    steps.push('closed')
    await close()
  }
  failing.open = () => Promise.reject(away)
  const { spine } = scene(['main', 'other'], (cell) => (cell === 'main' ? slow : failing))
  await expect(spine.start()).rejects.toThrow('cannot be reached')
  const stopped = spine.stop()
  open()
  await stopped
  expect(steps).toEqual(['registered', 'closed'])
  expect(await slow.workers()).toEqual([])
})
