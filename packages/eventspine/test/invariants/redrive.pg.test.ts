// Dead letters sent again, attacked (I29): asked for twice and at once, faster than they may go, stopped on the way,
// by thousands in front of live events. Each is sent once, is in one place, and holds nobody up.
import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, defineSubscription, type Eventspine, ValidationError } from 'eventspine'
import { expect, it } from 'vitest'
import { happened } from '../crash/apps.js'
import { afterTest, freshSchema, running, sql, until } from '../support.js'
import { noteTransitions } from './transitions.js'

const publishedMax = 500
const watchMs = 50
const settleMs = 40_000

type Handled = { readonly n: number; readonly round: number }
type Shape = 'handle' | 'transact'

interface World {
  readonly schema: string
  readonly spine: Eventspine
  readonly second: Eventspine
  /** In the order in which they were handled. */
  readonly handled: Handled[]
  /** Letters that were seen in two places, or in none. */
  readonly misplaced: unknown[]
  publish(from: number, to: number): Promise<void>
}

/** Two workers, and `letters` events that died at their first attempt; from now on none fails. */
async function letters(count: number, shape: Shape = 'handle'): Promise<World> {
  const schema = freshSchema()
  const handled: Handled[] = []
  let broken = true
  // Counted are turns, not the time that publishing takes: the rows of a claim are handled side by side, those of a chunk
  // one after the other.
  const handleMs = shape === 'handle' ? 4 : 1
  const work = async (n: number, round: number) => {
    if (broken) throw new ValidationError('not yet')
    await delay(handleMs)
    handled.push({ n, round })
  }
  const options = { name: 'mend', on: happened, concurrency: 4 } as const
  const subscription =
    shape === 'handle'
      ? defineSubscription({ ...options, handle: ({ data }, { round }) => work(data.n, round) })
      : defineSubscription({
          ...options,
          transact: async ({ data }, { round, tx }) => {
            await tx.query('SELECT 1')
            await work(data.n, round)
          },
        })
  const app = defineApp({ name: 'mend', subscriptions: [subscription] })
  const spine = await running(app, schema)
  const second = await running(app, schema)
  const publish = async (from: number, to: number) => {
    const events = Array.from({ length: to - from }, (_, index) => ({
      event: happened,
      data: { n: from + index, key: `k${index}` },
    }))
    for (let at = 0; at < events.length; at += publishedMax)
      await spine.publishMany(events.slice(at, at + publishedMax))
  }
  await publish(0, count)
  await until(async () => (await stateOf(spine)).dead === count, settleMs)
  broken = false
  return { schema, spine, second, handled, misplaced: watch(schema), publish }
}

async function stateOf(spine: Eventspine) {
  const [view] = await spine.operator().subscriptions()
  if (view === undefined) throw new Error('There is no subscription')
  return view
}

const through = (spine: Eventspine, completed: number) =>
  until(async () => {
    const view = await stateOf(spine)
    return view.completed === completed && view.dead + view.retrying === 0
  }, settleMs)

const ended = (spine: Eventspine, id: string) =>
  until(async () => (await spine.operator().redriveStatus(id))?.endedAtMs != null)

/** Looks all the time whether a letter is in two places, or in none: waiting as a dead letter, or on its way as a row. */
function watch(schema: string): unknown[] {
  const misplaced = `SELECT l.seq, l.state, d.state AS row FROM ${schema}.dead_letter l
    FULL JOIN ${schema}.delivery d USING (subscription, replay, shard, epoch, seq)
    WHERE (l.state IS NOT DISTINCT FROM 'redriving') <> (d.redrive IS NOT NULL) OR l.state <> 'redriving' AND d.seq IS NOT NULL`
  const seen: unknown[] = []
  const watching = new AbortController()
  const watched = (async () => {
    for (; !watching.signal.aborted; await delay(watchMs)) seen.push(...(await sql(misplaced)))
  })()
  afterTest(async () => {
    watching.abort()
    await watched
  })
  return seen
}

const numbers = (handled: readonly Handled[]) => handled.map(({ n }) => n).toSorted((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

it('sends each letter once, however often and at once it is asked for (I29)', {
  timeout: 90_000,
}, async () => {
  const count = 200
  const { spine, second, handled, misplaced } = await letters(count)
  const ask = (from: Eventspine, idempotencyKey?: string) =>
    from.operator().redrive({
      filter: { subscription: 'mend' },
      rate: 10_000,
      canary: 0,
      actor: 'ada',
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
  const doubled = await Promise.all([spine, second, spine, second].map((from) => ask(from, 'click')))
  expect(new Set(doubled.map(({ id }) => id)).size).toBe(1)
  expect(doubled.map(({ selected }) => selected)).toEqual(doubled.map(() => count))
  const others = await Promise.all([spine, second, spine, second].map((from) => ask(from)))
  expect(others.map(({ selected, state }) => [selected, state])).toEqual(others.map(() => [0, 'completed']))
  await through(spine, count)
  expect((await ask(second, 'click')).id).toBe(doubled[0]?.id)
  await ended(spine, doubled[0]?.id ?? '')
  expect(await spine.operator().redriveStatus(doubled[0]?.id ?? '')).toMatchObject({
    state: 'completed',
    sent: count,
    succeeded: count,
    failed: 0,
  })
  expect(numbers(handled)).toEqual(upTo(count))
  expect(misplaced).toEqual([])
})

it('shares the letters out among requests that come at once: none is in two of them (I29)', {
  timeout: 90_000,
}, async () => {
  const count = 200
  const { spine, second, handled, misplaced } = await letters(count)
  const ask = (from: Eventspine) =>
    from.operator().redrive({ filter: {}, rate: 10_000, canary: 0, actor: 'ada' })
  const asked = await Promise.all([spine, second, spine, second, spine, second].map(ask))
  expect(asked.reduce((sum, { selected }) => sum + selected, 0)).toBe(count)
  await through(spine, count)
  expect(numbers(handled)).toEqual(upTo(count))
  expect(misplaced).toEqual([])
})

it('sends no faster than it is told, with two workers that send (I29)', { timeout: 90_000 }, async () => {
  const count = 120
  const rate = 60
  const { schema, spine } = await letters(count)
  await noteTransitions(schema)
  const { id } = await spine.operator().redrive({ filter: {}, rate, canary: 0, actor: 'ada' })
  await through(spine, count)
  const sends = await sql<{ seconds: number }>(
    `SELECT extract(epoch FROM t.at - r.created_at)::float8 AS seconds FROM ${schema}.transition t, ${schema}.redrive r
     WHERE r.id = $1 AND t.round = 1 AND t.before IS NULL ORDER BY t.place`,
    [id],
  )
  expect(sends).toHaveLength(count)
  // By the database's clock, and counted from the beginning: one at once, then as many as time has passed for.
  expect(sends.filter(({ seconds }, index) => index > seconds * rate + 0.01)).toEqual([])
})

it('sends nothing more once it is stopped, and leaves what it did not send for another (I29)', {
  timeout: 90_000,
}, async () => {
  const count = 200
  const { schema, spine, second, handled, misplaced } = await letters(count)
  const operator = spine.operator()
  const { id } = await operator.redrive({ filter: {}, rate: 20, canary: 0, actor: 'ada' })
  await until(() => handled.length > 5)
  const [stopped, again] = await Promise.all([
    operator.stopRedrive(id, 'bob', 'enough'),
    second.operator().stopRedrive(id, 'eve', 'enough'),
  ])
  expect([stopped.state, again.state]).toEqual(['stopped', 'stopped'])
  expect(stopped.sent).toBe(again.sent)
  expect(stopped.sent).toBeLessThan(count)
  await until(async () => (await stateOf(spine)).dead === count - stopped.sent)
  const audited = await sql(`SELECT actor FROM ${schema}.audit WHERE action = 'redrive.stop'`)
  expect(audited).toHaveLength(1)

  const rest = await operator.redrive({ filter: {}, rate: 10_000, canary: 0, actor: 'ada' })
  expect(rest.selected).toBe(count - stopped.sent)
  await through(spine, count)
  expect(await operator.redriveStatus(id)).toMatchObject({ state: 'stopped', sent: stopped.sent })
  expect(numbers(handled)).toEqual(upTo(count))
  expect(misplaced).toEqual([])
})

// One claim's rows, or one chunk of a transactional handler's, and what was claimed while it ran.
const aheadMax = { handle: 100, transact: 250 }

it.each<Shape>(['handle', 'transact'])(
  'handles live events between thousands of letters that are sent again: %s (I29)',
  { timeout: 90_000 },
  async (shape) => {
    const count = 1_500
    const live = 20
    const { spine, handled, misplaced, publish } = await letters(count, shape)
    const { id } = await spine.operator().redrive({ filter: {}, rate: 10_000, canary: 0, actor: 'ada' })
    await until(() => handled.length > 50)
    const ahead: number[] = []
    for (let n = count; n < count + live; n++) {
      const before = handled.length
      await publish(n, n + 1)
      await until(() => handled.some((each) => each.n === n))
      ahead.push(handled.slice(before).findIndex((each) => each.n === n))
    }
    expect(handled.length, 'letters must still be waiting').toBeLessThan(count)
    expect(Math.max(...ahead)).toBeLessThanOrEqual(aheadMax[shape])
    await through(spine, count + live)
    await ended(spine, id)
    expect(numbers(handled)).toEqual(upTo(count + live))
    expect(handled.filter(({ round }) => round > 0)).toHaveLength(count)
    expect(misplaced).toEqual([])
  },
)
