// Messages that say which order they belong to, in virtual time: whatever becomes of each, and of the database, they stand in the log in the
// order in which they were received.
import { EventspineError } from 'eventspine'
import type { Message, ReceivedMessage, SourceRun, Translation } from 'eventspine/source'
import { expect, it } from 'vitest'
import { type Random, seededRandom } from '../../src/kernel/index.js'
import type { Eventspine } from '../../src/runtime/eventspine.js'
import type { MemoryStore } from '../../src/store/memory/index.js'
import { message, noted, untilAborted, World } from './world.js'

const appendMs = 10
const pauseMs = 50
const inFlightMax = 100

const inOrder = (orderKey: string, n: number): ReceivedMessage => ({ ...message(n), orderKey })

/** A store whose appends take a while, and of which those fail that are asked for by number. */
function failing({ store, clock }: World, isFailing: (call: number) => boolean) {
  let calls = 0
  const through =
    (append: MemoryStore['append']): MemoryStore['append'] =>
    async (events) => {
      const fails = isFailing(calls++)
      await clock.sleep(appendMs)
      if (fails) throw new EventspineError('UNAVAILABLE', 'The database is away.')
      return append(events)
    }
  return { append: through(store.append), appendAll: through(store.appendAll) }
}

/** What was not taken is received again, in its order, once all are told. */
async function persistently(run: SourceRun, messages: readonly ReceivedMessage[]): Promise<void> {
  for (let open = messages; open.length > 0; await run.pause(pauseMs)) {
    const answers = await Promise.allSettled(open.map((each) => run.receive(each)))
    open = open.filter((_, index) => answers[index]?.status === 'rejected')
  }
}

/** Runs `work` as a source, to its end, and answers the numbers in the log. */
async function loggedBy(
  world: World,
  change: Partial<MemoryStore>,
  to: (message: Message) => Translation | Promise<Translation>,
  work: (run: SourceRun) => Promise<void>,
): Promise<readonly number[]> {
  let fault: unknown
  let isOver = false
  const spine = world.worker(
    async (run) => {
      await work(run).catch((error: unknown) => (fault = error))
      isOver = true
      await untilAborted(run)
    },
    { inFlightMax, change, to },
  )
  await world.ended(spine.start())
  await world.until(() => isOver)
  if (fault !== undefined) throw fault
  const numbers = await numbersIn(world, spine)
  await world.ended(spine.stop())
  return numbers
}

async function numbersIn(world: World, spine: Eventspine): Promise<readonly number[]> {
  // So that a tick has passed over all of them.
  await world.ended(world.clock.sleep(1_000))
  const { items } = await spine.operator().events({ type: noted.type, order: 'oldest', limit: 500 })
  return items.map(({ data }) => (data as { n: number }).n)
}

const plain = ({ json }: Message) => ({ event: noted, data: json() })

it('those behind one whose batch fails fail with it, and those of another order do not', async () => {
  const world = new World()
  const store = failing(world, (call) => call === 0)
  const numbers = await loggedBy(world, store, plain, async (run) => {
    const first = run.receive(inOrder('a', 0))
    await run.pause(appendMs / 2)
    const behind = [inOrder('a', 1), inOrder('b', 9), inOrder('a', 2)].map((each) => run.receive(each))
    const answers = await Promise.allSettled([first, ...behind])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'rejected'])
    await persistently(
      run,
      [0, 1, 2].map((n) => inOrder('a', n)),
    )
  })
  expect(numbers).toEqual([9, 0, 1, 2])
})

it('what is received while others hear of a fault does not overtake them', async () => {
  const world = new World()
  const store = failing(world, (call) => call === 0)
  const numbers = await loggedBy(world, store, plain, async (run) => {
    const first = run.receive(inOrder('a', 0))
    const early = first.catch(() => run.receive(inOrder('a', 1)))
    await expect(early).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await run.pause(0)
    await persistently(run, [inOrder('a', 0), inOrder('a', 1)])
  })
  expect(numbers).toEqual([0, 1])
})

it('what is wrong with a message, or of no interest, holds up none behind it', async () => {
  const world = new World()
  const to = (given: Message) => {
    const { n } = given.json() as { n: number }
    if (n === 0) throw new Error('no reading')
    return n === 1 ? null : plain(given)
  }
  const outcomes: string[] = []
  const numbers = await loggedBy(world, {}, to, async (run) => {
    const receipts = await Promise.all([0, 1, 2].map((n) => run.receive(inOrder('a', n))))
    outcomes.push(...receipts.map(({ outcome }) => outcome))
  })
  expect(outcomes).toEqual(['kept', 'ignored', 'published'])
  expect(numbers).toEqual([2])
})

// ── any mixture ──

const perOrder = 40
const failingCallsMax = 60
const waitMsMax = 30

/** By number, so that a repeat becomes the same: one event at once or late, two, none, or a fault. */
function mixed(world: World, random: Random) {
  const kinds = new Map<number, number>()
  const kindOf = (n: number) => {
    const kind = kinds.get(n) ?? random.next()
    kinds.set(n, kind)
    return kind
  }
  return {
    async late(given: Message, ms: number) {
      await world.clock.sleep(ms)
      return plain(given)
    },
    to(given: Message): Translation | Promise<Translation> {
      const kind = kindOf((given.json() as { n: number }).n)
      if (kind < 0.5) return plain(given)
      if (kind < 0.7) return this.late(given, random.next() * waitMsMax)
      if (kind < 0.9) return [plain(given), plain(given)]
      if (kind < 0.95) return null
      throw new Error('no reading')
    },
    /** How often a number stands in the log. */
    times: (n: number) => (kindOf(n) < 0.7 ? 1 : kindOf(n) < 0.9 ? 2 : 0),
  }
}

it.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'whatever they become, and whichever appends fail (%i)',
  async (seed) => {
    const world = new World()
    const random = seededRandom(seed)
    const translation = mixed(world, random)
    const store = failing(world, (call) => call < failingCallsMax && random.next() < 0.4)
    const orders = ['a', 'b', 'c'].map((key, place) => ({
      key,
      numbers: Array.from({ length: perOrder }, (_, n) => place * perOrder + n),
    }))
    const logged = await loggedBy(
      world,
      store,
      (given) => translation.to(given),
      async (run) => {
        await Promise.all(
          orders.map(({ key, numbers }) =>
            persistently(
              run,
              numbers.map((n) => inOrder(key, n)),
            ),
          ),
        )
      },
    )
    for (const { numbers } of orders)
      expect(logged.filter((n) => numbers.includes(n))).toEqual(
        numbers.flatMap((n) => Array.from({ length: translation.times(n) }, () => n)),
      )
  },
)
