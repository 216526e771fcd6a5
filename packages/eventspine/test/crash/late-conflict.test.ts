// Nothing of a key starts behind a delivery that ended well and may still be refused for what it published, nor is
// anything recorded before an earlier one of its key that stays (I21).
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { publishing, scenario } from 'eventspine/testing'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshItem, type Item } from '../../src/deliver/item.js'
import { consumerId, type Failure } from '../../src/deliver/port.js'
import { SideBySide } from '../../src/deliver/side-by-side.js'
import type { ResolvedSubscription } from '../../src/deliver/subscription.js'
import { runChunk } from '../../src/deliver/transaction-chunk.js'
import { type Outcome, outcomes } from '../../src/handle/outcome.js'
import { seededRandom } from '../../src/kernel/index.js'
import type { Settlement } from '../../src/settle/port.js'

const moved = defineEvent({
  type: 'tests.moved',
  schema: z.object({ key: z.string(), n: z.number() }),
  key: ({ key }) => key,
})
const announced = defineEvent({ type: 'tests.announced', schema: z.object({ n: z.number() }) })
const move = (n: number) => publishing(moved, { key: 'a', n })

it('keeps the key until the ids under which a handler published are known to be free', async () => {
  const runs: number[] = []
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: moved,
        ordered: true,
        handle: async ({ data: { n } }, context) => {
          runs.push(n)
          await context.publish(announced, { n }, { id: n < 2 ? 'taken' : `free-${n}` })
        },
      }),
    ],
    events: [announced],
  })
  await scenario(app).given(move(0)).when(move(1), move(2))
  expect(runs).toEqual([0, 1])
})

const tick = { number: 1, epoch: 1, after: '', snapshot: '', seqEstimate: 0, madeAtMs: 0 }
const item = (seq: number) =>
  freshItem({ epoch: 1, xid: 1, seq, tick: 1, key: 'a' } as Parameters<typeof freshItem>[0], tick)

const failed: Outcome = { kind: 'retry', failure: {} as Failure, delayMs: 0 }
const done: Outcome = { kind: 'done', published: [] }

it('lets one that failed in a chunk wait when an earlier one of its key fails after it', async () => {
  const [first, second] = [item(1), item(2)]
  const outcomesOf = new Map<Item, Outcome[]>([
    [first, [done, failed]],
    [second, [failed]],
  ])
  const waiting: Item[] = []
  const recorded: Item[] = []
  const settle = async (_worker: string, settlement: Settlement) => ({
    settled: new Set([consumerId(settlement)]),
    conflicts: new Map(),
  })
  await runChunk([first, second], { ordered: 'halt', deadlineMs: 1_000 } as ResolvedSubscription, {
    port: {
      begin: async () => ({
        settle,
        query: async () => ({ rows: [], rowCount: 0 }),
        rollback: async () => {},
      }),
    },
    ...{ worker: 'worker', random: seededRandom(1), outcomes, sideBySide: new SideBySide(), width: 10 },
    handle: async (each) => outcomesOf.get(each)?.shift() ?? done,
    settlement: (ended) => {
      recorded.push(...ended.keys())
      return { subscription: 'ledger', replay: '', shard: 0 } as Settlement
    },
    settled: async () => {},
    refused: () => [],
    wait: (each) => void waiting.push(each),
  })
  expect(waiting).toEqual([second])
  expect(recorded).toEqual([first])
})
