// Handlers that misbehave in every way that we could think of. Each ends in a retry or a dead letter, its neighbours
// (other events, the other subscription) go through, and the balance holds.
import { setTimeout as delay } from 'node:timers/promises'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  type Eventspine,
  type HandlerContext,
  PermanentError,
  ProcessingError,
  retries,
  type SubscriptionPolicies,
  TransientError,
} from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, logged, quiet, running, sql, until } from './support.js'

const fast = retries.standard({ attemptsMax: 4, timeScale: 0.001 })
const told = defineEvent({
  type: 'tests.told',
  schema: z.object({ n: z.number(), tags: z.array(z.string()).default(['new']) }),
})
const heard = defineEvent({
  type: 'tests.heard',
  schema: z.object({ n: z.number().min(0), text: z.string().optional() }),
})

interface Told {
  readonly data: { n: number; tags: string[] }
}
type Handle = (event: Told, context: HandlerContext) => unknown

const count = 10
const guilty = 3
const numbers = Array.from({ length: count }, (_, n) => n)

/** Ten events; the handler under test gets the fourth. Everything else must go through. Answers what is left of it. */
async function misbehaving(handle: Handle, policies: SubscriptionPolicies = {}) {
  const good: unknown[] = []
  const bad = defineSubscription({
    name: 'bad',
    on: told,
    retry: fast,
    ...policies,
    handle: (event, context) => (event.data.n === guilty ? handle(event as Told, context) : undefined),
  })
  const witness = defineSubscription({
    name: 'good',
    on: told,
    handle: (event) => void good.push(JSON.stringify(event.data)),
  })
  const spine = await running(
    defineApp({ name: 'tests', events: [heard], subscriptions: [bad, witness] }),
    freshSchema(),
  )
  for (const n of numbers) await spine.publish(told, { n })
  await quiet(spine)
  expect(good.sort()).toEqual(numbers.map((n) => JSON.stringify({ n, tags: ['new'] })).sort())
  const { subscriptions } = await spine.operator().doctor()
  for (const each of subscriptions)
    expect(each).toMatchObject({ matched: count, retrying: 0, balanced: true })
  expect(subscriptions.find(({ name }) => name === 'good')?.completed).toBe(count)
  const letters = (await spine.operator().deadLetters()).items
  return { spine, letter: letters[0], letters }
}

const published = async (spine: Eventspine) =>
  (await spine.operator().events({ type: 'tests.heard', limit: 500 })).items

const circular: Record<string, unknown> = {}
circular['self'] = circular
const strange = new Error('strange')
Object.defineProperty(strange, 'message', {
  get: () => {
    throw new Error('no message for you')
  },
})
const withCause = new Error('a cause that is itself')
withCause.cause = withCause

const thrown: readonly (readonly [what: string, value: unknown, category: string, message: RegExp])[] = [
  ['an error', new Error('plain'), 'unknown', /^plain$/],
  ['a text', 'just a text', 'unknown', /^just a text$/],
  ['undefined', undefined, 'unknown', /^undefined$/],
  ['null', null, 'unknown', /^null$/],
  ['a bigint', 42n, 'unknown', /BigInt/],
  ['a symbol', Symbol('s'), 'unknown', /Symbol|undefined/],
  ['a circular object', circular, 'unknown', /Object/],
  ['a circular cause', withCause, 'unknown', /itself/],
  ['NUL and colours', new Error('a\0b\u001b[31mc'), 'unknown', /^a\ufffdb\ufffd\[31mc$/],
  ['lone surrogates', new Error('x\ud800y'), 'unknown', /^x\ufffdy$/],
  ['a message of 1 MB', new Error('m'.repeat(1_000_000)), 'unknown', /^m{2000}$/],
  [
    'a message that is no text',
    Object.assign(new Error(), { message: { a: 1 }, name: 7, stack: 8, code: {} }),
    'unknown',
    /Object/,
  ],
  ['a message that throws', strange, 'unknown', /cannot even be read/],
  [
    'a hostile proxy',
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap')
        },
        getPrototypeOf: () => {
          throw new Error('trap')
        },
      },
    ),
    'unknown',
    /cannot even be read/,
  ],
  ['an unknown category', Object.assign(new Error('odd'), { category: 'no such' }), 'unknown', /odd/],
  ['a logic error', new TypeError('x is not a function'), 'processing', /not a function/],
  [
    'an endless retryAfterMs',
    new PermanentError('now', { retryAfterMs: Number.POSITIVE_INFINITY }),
    'permanent',
    /now/,
  ],
]

it('keeps whatever a handler throws as a dead letter, and lets the others through', async () => {
  const good: number[] = []
  const throws = defineSubscription({
    name: 'throws',
    on: told,
    retry: fast,
    handle: ({ data }) => {
      if (data.n >= thrown.length) return void good.push(data.n)
      throw thrown[data.n]?.[1]
    },
  })
  const spine = await running(defineApp({ name: 'tests', subscriptions: [throws] }), freshSchema())
  const all = Array.from({ length: 2 * thrown.length }, (_, n) => n)
  await spine.publishMany(all.map((n) => ({ event: told, data: { n } })))
  await quiet(spine)
  const { items } = await spine.operator().deadLetters()
  const letters = new Map(items.map((letter) => [(letter.event.data as { n: number }).n, letter]))
  thrown.forEach(([what, , category, message], n) => {
    const letter = letters.get(n)
    expect(letter?.failure, what).toMatchObject({ category, message: expect.stringMatching(message) })
    expect(letter?.attempts, what).toBe(category === 'permanent' ? 1 : category === 'processing' ? 3 : 4)
  })
  expect(good.sort((x, y) => x - y)).toEqual(all.slice(thrown.length))
  const [report] = (await spine.operator().doctor()).subscriptions
  expect(report).toMatchObject({ dead: thrown.length, completed: thrown.length, balanced: true })
})

it('treats a rejection like a throw, and keeps the run of each attempt with its failure', async () => {
  const { spine, letter } = await misbehaving(async () => Promise.reject(new ProcessingError('rejected')))
  const [event] = (await spine.operator().events({ limit: 500 })).items.filter(
    ({ data }) => (data as { n: number }).n === guilty,
  )
  const details = await spine.operator().event(event?.id ?? '')
  const runs = details?.deliveries.find(({ subscription }) => subscription === 'bad')?.runs
  expect(runs?.map(({ attempt, outcome, failure }) => [attempt, outcome, failure?.message])).toEqual([
    [1, 'retry', 'rejected'],
    [2, 'retry', 'rejected'],
    [3, 'dead', 'rejected'],
  ])
  expect(new Set(runs?.map(({ worker }) => worker)).size).toBe(1)
  expect(letter?.attempts).toBe(3)
})

const returned: readonly (() => unknown)[] = [
  () => 'garbage',
  () => circular,
  () => () => {},
  () => ({
    then: () => {
      throw new TransientError('in then')
    },
  }),
  () =>
    Object.defineProperty({}, 'then', {
      get: () => {
        throw new TransientError('in get')
      },
    }),
]

it('ignores what a handler returns, unless looking at it fails', async () => {
  const returns = defineSubscription({
    name: 'returns',
    on: told,
    retry: fast,
    handle: ({ data }) => returned[data.n]?.(),
  })
  const spine = await running(defineApp({ name: 'tests', subscriptions: [returns] }), freshSchema())
  for (const n of returned.keys()) await spine.publish(told, { n })
  await quiet(spine)
  const { items } = await spine.operator().deadLetters()
  expect(items.map(({ failure }) => failure.message).sort()).toEqual(['in get', 'in then'])
  expect((await spine.operator().doctor()).subscriptions[0]).toMatchObject({ completed: 3, balanced: true })
})

const delays: readonly (() => unknown)[] = [
  () => Number.NaN,
  () => -5,
  () => 'soon',
  () => {
    throw new Error('no delay')
  },
]

it('survives retry policies whose delay is none, and so do the flushes of their neighbours', async () => {
  const subscriptions = delays.map((delayMs, n) =>
    defineSubscription({
      name: `retries-${n}`,
      on: told,
      retry: { attemptsMax: 2, processingAttemptsMax: 2, delayMs: delayMs as () => number },
      handle: () => Promise.reject(new TransientError('busy')),
    }),
  )
  const spine = await running(defineApp({ name: 'tests', subscriptions }), freshSchema())
  await spine.publish(told, { n: 1 })
  await quiet(spine)
  const { items } = await spine.operator().deadLetters()
  expect(items.map(({ attempts, failure }) => [attempts, failure.category])).toEqual(
    delays.map(() => [2, 'transient']),
  )
})

it('honours a wait that an error asks for, however long, and records it', async () => {
  const heldBack = defineSubscription({
    name: 'bad',
    on: told,
    handle: () => {
      throw new TransientError('for ever', { retryAfterMs: Number.POSITIVE_INFINITY })
    },
  })
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'tests', subscriptions: [heldBack] }), schema)
  await spine.publish(told, { n: 1 })
  const [row] = await until(async () => {
    const rows = await sql(`SELECT due_at > now() + interval '6 days' AS far FROM ${schema}.delivery`)
    return rows.length > 0 ? rows : null
  })
  expect(row).toEqual({ far: true })
})

it('ends a handler that hangs at its deadline: aborted, late result and late publish without effect', async () => {
  const late: string[] = []
  const reasons: unknown[] = []
  const { spine, letter } = await misbehaving(
    async (_, context) => {
      context.signal.addEventListener('abort', () => reasons.push(context.signal.reason?.name))
      await delay(250)
      await context.publish(heard, { n: 1 }).catch((error) => late.push(error.message))
    },
    { deadlineMs: 100 },
  )
  expect(letter).toMatchObject({ attempts: 4, failure: { category: 'timeout' } })
  await until(() => late.length === 4)
  expect(late[0]).toMatch(/After the handler ended publish was called/)
  expect(reasons).toEqual(Array(4).fill('TimeoutError'))
  expect(await published(spine)).toEqual([])
})

it('gives every handler the event as it was said: a handler that changes it fails alone', async () => {
  const { letter } = await misbehaving((event) => {
    event.data.tags.push('changed')
  })
  expect(letter).toMatchObject({ attempts: 3, failure: { category: 'processing', name: 'TypeError' } })
})

it('refuses invalid data that a handler publishes, awaited or not', async () => {
  for (const wait of [true, false]) {
    const { spine, letter } = await misbehaving(async (_, context) => {
      const answer = context.publish(heard, { n: -1 })
      void context.publish(heard, { n: 1 })
      if (wait) await answer
    })
    expect(letter).toMatchObject({ attempts: 1, failure: { category: 'validation', code: 'EVENT_INVALID' } })
    expect(await published(spine)).toEqual([])
  }
})

it('does not try again what can only be refused: a call with a part that does not fit', async () => {
  const other = await running(defineApp({ name: 'other', events: [told] }), freshSchema())
  const { letter } = await misbehaving(() => other.operator().events({ limit: 0 }))
  expect(letter).toMatchObject({ attempts: 1, failure: { category: 'validation', code: 'REQUEST_INVALID' } })
})

it('records what is published without awaiting, large bodies too, and nothing after the end', async () => {
  const late: Promise<unknown>[] = []
  const { spine, letters } = await misbehaving((_, context) => {
    void context.publish(heard, { n: 1, text: 'x'.repeat(100_000) })
    void context.publish(heard, { n: 2 })
    // While the large body is still on its way to the object store, and long after.
    setImmediate(() => late.push(context.publish(heard, { n: 3 })))
    setTimeout(() => void context.publish(heard, { n: 4 }), 200)
  })
  expect(letters).toEqual([])
  expect((await Promise.allSettled(late)).map(({ status }) => status)).toEqual(['rejected'])
  await until(() => logged.filter((line) => line.includes('After the handler ended')).length >= 2)
  const events = await published(spine)
  expect(events.map(({ data }) => (data as { n: number }).n).sort()).toEqual([1, 2])
  expect(JSON.stringify(events.map(({ data }) => data))).toContain('x'.repeat(100_000))
})

it('takes at most 1,000 events of one handler, and then none of them', async () => {
  const { spine, letter } = await misbehaving((_, context) => {
    for (let n = 0; n < 1_001; n++) void context.publish(heard, { n })
  })
  expect(letter).toMatchObject({ attempts: 3, failure: { category: 'processing' } })
  expect(letter?.failure.message).toContain('at most 1000')
  expect(await published(spine)).toEqual([])
})

it('kills the delivery alone that publishes under an id of another body', async () => {
  const shipped: number[] = []
  const ship = defineSubscription({
    name: 'ship',
    on: told,
    retry: fast,
    handle: async (event, context) => {
      await context.publish(
        heard,
        { n: event.data.n },
        { id: event.data.n === guilty ? 'taken' : `id-${event.data.n}` },
      )
    },
  })
  const again = defineSubscription({
    name: 'again',
    on: heard,
    handle: (event) => void shipped.push(event.data.n),
  })
  const spine = await running(defineApp({ name: 'tests', subscriptions: [ship, again] }), freshSchema())
  await spine.publish(heard, { n: 100 }, { id: 'taken' })
  await Promise.all(numbers.map((n) => spine.publish(told, { n })))
  await quiet(spine)
  const { items } = await spine.operator().deadLetters()
  expect(items).toMatchObject([
    { event: { data: { n: guilty } }, failure: { category: 'validation', name: 'IdempotencyConflict' } },
  ])
  expect(shipped.sort((a, b) => a - b)).toEqual([...numbers.filter((n) => n !== guilty), 100])
})
