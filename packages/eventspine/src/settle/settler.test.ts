// Settling goes on, whatever one of its consumers does.
import { expect, it } from 'vitest'
import { systemClock } from '../kernel/index.js'
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

it('gives up a consumer that cannot say what it has to record, and settles the others', async () => {
  const broken = member('broken', () => {
    throw new TypeError('no cursor')
  })
  const sound = member('sound', () => settlementOf('sound'))
  const lost: string[] = []
  const failures: unknown[] = []
  const settler = new Settler<Settling>({
    port: {
      settle: async (_worker, settlements) => ({
        settled: new Set(settlements.map(({ subscription }) => `${subscription}//0`)),
        conflicts: new Map(),
      }),
    },
    worker: 'tests',
    priority: 'normal',
    clock: systemClock,
    lost: ({ lease }) => lost.push(lease.subscription),
    flushed: () => {},
    failed: (error) => failures.push(error),
  })
  for (let round = 1; round <= 2; round++) {
    settler.flush(broken, true)
    settler.flush(sound, true)
    await expect.poll(() => sound.settlements).toBe(round)
  }
  expect(lost).toEqual(['broken', 'broken'])
  expect(failures).toEqual([expect.any(TypeError), expect.any(TypeError)])
})
