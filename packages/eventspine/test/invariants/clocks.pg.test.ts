// No process's wall clock decides anything but when (I11): workers an hour ahead, an hour behind and with a clock that
// jumps at every look publish, deliver, retry and take turns, and lose, double or reorder nothing.
import { defineApp, defineSubscription, type Eventspine, type RetryPolicy, TransientError } from 'eventspine'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/kernel/index.js'
import { effectTable, happened } from '../crash/apps.js'
import { abortedEffects, disorder, drained, expectLedger, wrongEffects } from '../crash/ledger.js'
import { freshSchema, sql } from '../support.js'
import { clocks, runningBy } from './clocks.js'
import { claims, early, noteTransitions, waits } from './transitions.js'

const lanes = 3
const perLane = 150
const count = lanes * perLane
const delayMs = 150
/** So little of an hour that no wrong clock hides in it. */
const nearMs = 60_000
const retry: RetryPolicy = { attemptsMax: 4, processingAttemptsMax: 4, delayMs: () => delayMs }

function appOf(schema: string, ran: Map<number, number>) {
  const plain = defineSubscription({
    name: 'plain',
    on: happened,
    retry,
    shards: 2,
    handle: ({ data }, { attempt }) => {
      if (data.n % 7 === 3 && attempt === 1) throw new TransientError('at first')
      ran.set(data.n, (ran.get(data.n) ?? 0) + 1)
    },
  })
  const ordered = defineSubscription({
    name: 'ordered',
    on: happened,
    retry,
    ordered: true,
    shards: 2,
    transact: async ({ data }, { attempt, tx, subscription }) => {
      const doomed = data.n % 11 === 5 && attempt < 3
      await tx.query(
        `INSERT INTO ${schema}.effect (subscription, n, key, attempt, doomed) VALUES ($1, $2, $3, $4, $5)`,
        [subscription, data.n, data.key, attempt, doomed],
      )
      if (doomed) throw new TransientError('doomed')
    },
  })
  return defineApp({ name: 'clocks', subscriptions: [plain, ordered] })
}

/** Keys are of one lane, so that their order is the order in which it publishes. Every event is published once more, by
 *  a neighbour with another clock: an id is remembered by the database's time. */
async function publishLane(lane: number, spines: readonly Eventspine[]) {
  const publish = (spine: Eventspine | undefined, n: number) =>
    spine?.publish(happened, { n, key: `lane ${lane}, key ${n % 2}` }, { id: `event-${n}` })
  for (let n = lane; n < count; n += lanes) {
    await publish(spines[lane], n)
    await publish(spines[(lane + 1) % spines.length], n)
  }
}

it('loses, doubles and reorders nothing while the clocks of the workers jump by an hour (I11)', {
  timeout: 120_000,
}, async () => {
  const schema = freshSchema()
  const ran = new Map<number, number>()
  const warnings: string[] = []
  const app = appOf(schema, ran)
  const worker = (clock: ReturnType<typeof clocks.ahead>) => runningBy(clock, app, schema, warnings)
  const random = seededRandom(11)
  const jumping = await worker(clocks.jumping(random))
  await sql(effectTable(schema))
  await noteTransitions(schema)
  const ahead = await worker(clocks.ahead())
  const behind = await worker(clocks.behind())

  const publishing = Promise.all(
    Array.from({ length: lanes }, (_, lane) => publishLane(lane, [jumping, ahead, behind])),
  )
  // Leases change hands meanwhile: the first holder of them all goes, and one with yet another clock comes.
  const later = await worker(clocks.jumping(random))
  await publishing
  await ahead.stop()
  await publishLane(0, [later, behind])
  await drained(later, count, 30_000)

  const ask = <Row extends object>(text: string, values?: unknown[]) => sql(text, values) as Promise<Row[]>
  expect(await wrongEffects(ask, schema, 'ordered', count)).toEqual({ lost: [], doubled: [] })
  expect(await abortedEffects(ask, schema)).toEqual([])
  expect(await disorder(ask, schema, 'ordered')).toEqual([])
  expect([...ran.values()].filter((times) => times !== 1)).toEqual([])
  expect(ran.size).toBe(count)
  await expectLedger(later, count)
  // Nobody took a lease from a living holder, or gave one up that was his.
  expect(warnings.filter((line) => line.includes('lease lost'))).toEqual([])
  expect(await sql(`SELECT * FROM ${schema}.consumer WHERE deaths > 0`)).toEqual([])
  // Retries are due by the database's clock.
  const waited = await waits(schema)
  expect(new Set(waited.map(({ subscription }) => subscription)).size).toBe(2)
  expect(waited.filter(({ waitMs }) => waitMs > delayMs || waitMs < delayMs - nearMs)).toEqual([])
  expect((await claims(schema)).length).toBeGreaterThan(count / 10)
  expect(await early(schema)).toEqual([])
})
