// Settling goes on, whatever one of its consumers does.
import { expect, it } from 'vitest'
import { type Clock, systemClock } from '../kernel/index.js'
import { VirtualClock } from '../kernel/virtual-clock.js'
import type { Settlement } from './port.js'
import { Settler, type Settling } from './settler.js'

const settlementOf = (subscription: string) => ({ subscription, replay: '', shard: 0 }) as Settlement

function member(
  subscription: string,
  collect: () => Settlement | undefined,
): Settling & { settlements: number } {
  return {
    lease: { subscription, replay: '', shard: 0 },
    settlements: 0,
    collect,
    async settled() {
      this.settlements++
    },
    refused: () => undefined,
  }
}

/** `at`: when each statement was sent. */
function settlerWith(clock: Clock, priority: 'alarm' | 'normal') {
  const [lost, failures, at]: [string[], unknown[], number[]] = [[], [], []]
  const settler = new Settler<Settling>({
    port: {
      settle: async (_worker, settlements) => {
        at.push(clock.monotonic())
        return {
          settled: new Set(settlements.map(({ subscription }) => `${subscription}//0`)),
          conflicts: new Map(),
        }
      },
    },
    ...{ worker: 'tests', priority, clock },
    lost: ({ lease }) => lost.push(lease.subscription),
    flushed: () => {},
    failed: (error) => failures.push(error),
  })
  return { settler, lost, failures, at }
}

it('gives up a consumer that cannot say what it has to record, and settles the others', async () => {
  const broken = member('broken', () => {
    throw new TypeError('no cursor')
  })
  const sound = member('sound', () => settlementOf('sound'))
  const { settler, lost, failures } = settlerWith(systemClock, 'normal')
  for (let round = 1; round <= 2; round++) {
    settler.flush(broken, true)
    settler.flush(sound, true)
    await expect.poll(() => sound.settlements).toBe(round)
  }
  expect(lost).toEqual(['broken', 'broken'])
  expect(failures).toEqual([expect.any(TypeError), expect.any(TypeError)])
})

it.each([
  ['waits with what may wait', 'normal', false, [0, 10, 20, 30]],
  [
    'does not wait where somebody waits for it',
    'normal',
    true,
    [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30],
  ],
  ['never waits for alarms', 'alarm', false, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]],
] as const)('%s', async (_, priority, soon, expected) => {
  const clock = new VirtualClock()
  const { settler, at } = settlerWith(clock, priority)
  const sound = member('sound', () => settlementOf('sound'))
  const began = clock.monotonic()
  for (let ms = 0; ms <= 30; ms += 2) {
    settler.flush(sound, soon)
    await clock.advance(2)
  }
  expect(at.map((ms) => ms - began)).toEqual(expected)
})
