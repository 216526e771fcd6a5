// Whoever was busy when rows were looked for has a look of its own once it is not, and nobody else's.
import { expect, it } from 'vitest'
import { VirtualClock } from '../kernel/virtual-clock.js'
import type { Consumer } from './consumer.js'
import type { RetryPort } from './port.js'
import { RetryClaimer } from './retry-claimer.js'

function scene(...names: readonly string[]) {
  const clock = new VirtualClock()
  const rooms = new Map(names.map((name) => [name, 10]))
  const consumers = names.map(
    (subscription) =>
      ({
        lease: { subscription, replay: '', shard: 0, token: 1 },
        gate: { ageMs: 60_000, retriesMax: 10 },
        suspects: false,
        get roomForRows() {
          return rooms.get(subscription) ?? 0
        },
      }) as Consumer,
  )
  const looks: { atMs: number; for: string[] }[] = []
  const port: Pick<RetryPort, 'claimDue' | 'nextDueMs' | 'unclaim'> = {
    claimDue: async (leases) => {
      looks.push({ atMs: clock.monotonic(), for: leases.map(({ subscription }) => subscription) })
      return []
    },
    nextDueMs: async () => null,
    unclaim: async () => new Set(),
  }
  const claimer = new RetryClaimer({
    ...{ port: port as RetryPort, clock },
    consumers: () => consumers,
    failed: (error) => {
      throw error
    },
  })
  const room = (name: string, places: number) => {
    rooms.set(name, places)
    if (places > 0) claimer.freed(consumers.find(({ lease }) => lease.subscription === name) as Consumer)
  }
  return { clock, looks, claimer, room }
}

it('looks at once for one that had no place, when it has one', async () => {
  const { clock, looks, claimer, room } = scene('a', 'b')
  room('a', 0)
  claimer.start()
  await clock.advance(10)
  expect(looks.map((look) => look.for)).toEqual([['b']])
  room('a', 10)
  await clock.advance(0)
  expect(looks.at(-1)).toEqual({ atMs: 10, for: ['a'] })
  await claimer.stop()
})

it('makes no look of it for those that were not asked', async () => {
  const { clock, looks, claimer, room } = scene('a', 'b', 'c')
  room('a', 0)
  claimer.start()
  await clock.advance(10)
  const before = looks.length
  // Each is busy whenever another ends, as where all have much to do.
  for (let n = 0; n < 30; n++) {
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ] as const) {
      room(other, 0)
      room(name, 10)
      await clock.advance(1)
    }
  }
  // One behind the first look; and each look of the poll has one behind it for each that it found busy.
  expect(looks.length - before).toBeLessThanOrEqual(4)
  await claimer.stop()
})

it('finds what it was told of, whoever was busy', async () => {
  const { clock, looks, claimer, room } = scene('a', 'b')
  claimer.start()
  await clock.advance(10)
  room('a', 0)
  claimer.dueIn(50)
  await clock.advance(60)
  expect(looks.at(-1)).toEqual({ atMs: 60, for: ['b'] })
  room('a', 10)
  await clock.advance(0)
  expect(looks.at(-1)).toEqual({ atMs: 70, for: ['a'] })
  await claimer.stop()
})
