// A chunk of a transactional handler that is abandoned after a part of it was refused: what had failed in it is
// recorded once, with its attempt counted, and only the rest goes back (I19). The long simulation found this.
import { defineApp, defineEvent, defineSubscription, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore } from '../../src/store/memory/memory-store.js'

const numbered = defineEvent({
  type: 'tests.numbered',
  schema: z.object({ n: z.number() }),
  key: ({ n }) => `${n}`,
})
const announced = defineEvent({ type: 'tests.announced', schema: z.object({ n: z.number() }) })
const dayMs = 86_400_000
/** Until all rows are due, however their delays were drawn. */
const dueMs = 600_000
/** So many fail in one chunk before the rest of it runs one by one. */
const failing = 3
const events = failing + 2

it('counts the attempt of what failed in a chunk that was abandoned later', async () => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: dayMs })
  const runs: { n: number; attempt: number; failed: boolean }[] = []
  let step = 0
  let hangs = false
  const spineOf = () =>
    new Eventspine(
      defineApp({
        name: 'tests',
        events: [announced],
        subscriptions: [
          defineSubscription({
            name: 'ledger',
            on: numbered,
            // One after another, each of a key of its own.
            ordered: true,
            deadlineMs: dayMs,
            transact: async ({ data: { n } }, { attempt, publish, signal }) => {
              // Holds the one chunk that runs at a time until all others are due.
              if (n === events) return clock.sleep(dueMs)
              const run = { n, attempt, failed: true }
              runs.push(run)
              if (attempt === 1) throw new TransientError('not yet')
              step++
              if (step <= failing) throw new TransientError('again')
              run.failed = false
              if (step === failing + 1) await publish(announced, { n }, { id: 'taken' })
              if (step === failing + 2) {
                hangs = true
                await new Promise((_, reject) => signal.addEventListener('abort', reject))
              }
            },
          }),
        ],
      }),
      { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
      { clock, random, storeOf: () => ({ store, claim: createMemoryClaims(clock) }) },
    )
  const ended = async (work: Promise<unknown>) => {
    let over = false
    void work.finally(() => {
      over = true
    })
    expect(await clock.runUntil(() => over, dayMs)).toBe(true)
  }
  const first = spineOf()
  await ended(first.start())
  await ended(first.publish(announced, { n: -1 }, { id: 'taken' }))
  await ended(first.publishMany(Array.from({ length: events }, (_, n) => ({ event: numbered, data: { n } }))))
  expect(await clock.runUntil(() => runs.length === events, dueMs)).toBe(true)
  await ended(first.publish(numbered, { n: events }))
  expect(await clock.runUntil(() => hangs, dayMs)).toBe(true)
  await ended(first.stop())

  const second = spineOf()
  await ended(second.start())
  const open = async () => {
    const [ledger] = await store.subscriptions()
    return (ledger?.completed ?? 0) + (ledger?.dead ?? 0)
  }
  expect(await clock.runUntil(async () => (await open()) > events, dueMs)).toBe(true)
  await ended(second.stop())
  const failed = new Set(runs.filter((run) => run.failed && run.attempt === 2).map(({ n }) => n))
  expect(failed.size).toBe(failing)
  for (const n of failed)
    expect(runs.filter((run) => run.n === n).map(({ attempt }) => attempt)).toEqual([1, 2, 3])
})
