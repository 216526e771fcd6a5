// When a failed delivery runs again (I20), over many policies and failures in virtual time: never before it is due, at
// most a moment after, by its class's policy with the jitter in range, and no more often than it may.
import {
  defineApp,
  defineSubscription,
  Eventspine,
  ProcessingError,
  type RetryPolicy,
  retries,
  TransientError,
  ValidationError,
} from 'eventspine'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { silentLogger } from '../../src/observe/log.js'
import { createMemoryClaims, createMemoryStore } from '../../src/store/memory/index.js'
import { happened } from '../crash/apps.js'

const day = 86_400_000
const week = 7 * day
/** After it is due, while there is room. */
const lateMsMax = 400
/** Moments since 1970 are doubles: a fraction of a microsecond gets lost. */
const roundingMs = 0.01
const runs = 40

type Kind = 'standard' | 'alarm' | 'queue'
type Category = 'transient' | 'processing' | 'unknown' | 'validation'

/** The handler takes `takesMs` and throws at its first `times` attempts, so that it may ask for a pause. */
interface Failing {
  readonly times: number
  readonly category: Category
  readonly askedMs: number
  readonly takesMs: number
}

interface Plan {
  readonly kind: Kind
  readonly scale: number
  readonly attemptsMax: number
  readonly processingAttemptsMax: number
  readonly seed: number
  readonly failing: readonly Failing[]
}

const plans: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom<Kind>('standard', 'alarm', 'queue'),
  scale: fc.constantFrom(0.1, 0.01, 0.003),
  attemptsMax: fc.integer({ min: 1, max: 8 }),
  processingAttemptsMax: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  failing: fc.array(
    fc.record({
      times: fc.integer({ min: 0, max: 9 }),
      category: fc.constantFrom<Category>('transient', 'processing', 'unknown', 'validation'),
      askedMs: fc.constantFrom(0, 0, 0, 700, 20_000),
      takesMs: fc.integer({ min: 0, max: 40 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
})

function thrown({ category, askedMs }: Failing): Error {
  if (category === 'validation') return new ValidationError('never')
  if (category === 'unknown') return new Error('who knows')
  const options = askedMs === 0 ? {} : { retryAfterMs: askedMs }
  return category === 'transient'
    ? new TransientError('later', options)
    : new ProcessingError('later', options)
}

// What the guide says of each class, in words of its own: the engine's formula is not asked.
function jitterOf({ kind, scale }: Plan, attempt: number): readonly [number, number] {
  const doubled = 2 ** (attempt - 1)
  if (kind === 'standard') return [0, Math.min(300_000, 1_000 * doubled) * scale]
  if (kind === 'alarm') return [0, Math.min(5_000, 40 * doubled) * scale]
  const base = Math.min(300, doubled) * 1_000
  return [base * scale, Math.min(900_000, base + 300_000) * scale]
}

function allowedOf({ attemptsMax, processingAttemptsMax }: Plan, { category }: Failing): number {
  if (category === 'validation') return 1
  return category === 'processing' ? Math.min(processingAttemptsMax, attemptsMax) : attemptsMax
}

interface Ran {
  readonly attempt: number
  readonly startedMs: number
  endedMs: number
  /** What the policy said after it failed. */
  saidMs: number | undefined
}

/** One run of the real engine over the memory store: every attempt of every event, by number. */
async function simulated(plan: Plan) {
  const clock = new VirtualClock()
  const random = seededRandom(plan.seed)
  const ran = plan.failing.map((): Ran[] => [])
  let newest: Ran | undefined
  const policy: RetryPolicy = retries[plan.kind]({ ...plan, timeScale: plan.scale })
  const noted: RetryPolicy = {
    ...policy,
    delayMs: (attempt, chance) => {
      const said = policy.delayMs(attempt, chance)
      // One handler at a time: the newest attempt is the one that just failed.
      if (newest !== undefined) newest.saidMs = said
      return said
    },
  }
  const handle = async (
    { data: { n } }: { readonly data: { readonly n: number } },
    { attempt }: { readonly attempt: number },
  ) => {
    const failing = plan.failing[n] as Failing
    newest = { attempt, startedMs: clock.monotonic(), endedMs: Number.NaN, saidMs: undefined }
    ran[n]?.push(newest)
    await clock.sleep(failing.takesMs)
    newest.endedMs = clock.monotonic()
    if (attempt <= failing.times) throw thrown(failing)
  }
  const subscription = defineSubscription({
    name: 'timed',
    on: happened,
    retry: noted,
    concurrency: 1,
    handle,
  })
  const store = createMemoryStore({ clock, random, idempotencyWindowMs: day })
  const spine = new Eventspine(
    defineApp({ name: 'timed', subscriptions: [subscription] }),
    { databaseUrl: 'memory:', stalledMs: 0, logger: silentLogger },
    { clock, random, storeOf: () => ({ store, claim: createMemoryClaims(clock) }) },
  )
  const drive = async (work: Promise<unknown>) => {
    let ended = false
    const done = work.finally(() => {
      ended = true
    })
    await clock.runUntil(() => ended, day)
    await done
  }
  await drive(spine.start())
  for (const n of plan.failing.keys()) await drive(spine.publish(happened, { n, key: 'k' }))
  const wanted = plan.failing.reduce(
    (sum, failing) => sum + Math.min(failing.times + 1, allowedOf(plan, failing)),
    0,
  )
  await clock.runUntil(() => ran.flat().length >= wanted, week)
  await clock.advance(60_000)
  const [books] = (await spine.operator().doctor()).subscriptions
  await drive(spine.stop())
  return { ran, books }
}

function checkTiming(plan: Plan, failing: Failing, attempts: readonly Ran[]): void {
  expect(attempts.map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: Math.min(failing.times + 1, allowedOf(plan, failing)) }, (_, index) => index + 1),
  )
  attempts.slice(1).forEach((next, index) => {
    const before = attempts[index] as Ran
    const [least, most] = jitterOf(plan, before.attempt)
    expect(before.saidMs).toBeGreaterThanOrEqual(least - roundingMs)
    expect(before.saidMs).toBeLessThanOrEqual(most + roundingMs)
    const asked = failing.category === 'unknown' ? 0 : failing.askedMs
    const dueMs = before.endedMs + Math.max(before.saidMs ?? Number.NaN, asked)
    expect(next.startedMs).toBeGreaterThanOrEqual(dueMs - roundingMs)
    expect(next.startedMs).toBeLessThanOrEqual(dueMs + lateMsMax)
  })
}

it('starts no attempt before it is due, nor long after, by the policy of its class (I20)', {
  timeout: 120_000,
}, async () => {
  let waited = 0
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { ran, books } = await simulated(plan)
      plan.failing.forEach((failing, n) => checkTiming(plan, failing, ran[n] ?? []))
      waited += ran.flat().filter(({ attempt }) => attempt > 1).length
      const dead = plan.failing.filter((failing) => failing.times >= allowedOf(plan, failing)).length
      expect(books).toMatchObject({ matched: plan.failing.length, dead, retrying: 0, balanced: true })
    }),
    { numRuns: runs },
  )
  expect(waited, 'there must have been something to wait for').toBeGreaterThan(runs / 2)
})
