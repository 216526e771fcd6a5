// The system that is crashed. Effects go into a table without a unique key, so that a second one shows; each handler
// tells the sink when it begins and how it ends.
import { setTimeout as delay } from 'node:timers/promises'
import {
  type App,
  defineApp,
  defineEvent,
  defineSubscription,
  type HandlerContext,
  PermanentError,
  retries,
  type TransactionContext,
  TransientError,
} from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { z } from 'zod'
import type { Bank, Booking } from './bank.js'
import { fateOf, type SubscriptionName, wordsOfDeath } from './fates.js'
import { isPurchase, isRefused } from './purchases.js'
import type { SinkClient } from './sink-client.js'

export const happened = defineEvent({
  type: 'crash.happened',
  schema: z.object({ n: z.number().int(), event: z.string(), key: z.string() }),
  key: ({ key }) => key,
})
export const echoed = defineEvent({
  type: 'crash.echoed',
  schema: z.object({ n: z.number().int(), event: z.string(), key: z.string() }),
})

export const bought = defineEvent({
  type: 'crash.bought',
  schema: z.object({ n: z.number().int(), event: z.string(), key: z.string() }),
})

/** Milliseconds of a lease: what a worker that is cut off may hold up its work. */
export const leaseMs: Readonly<Record<SubscriptionName, number>> = {
  plain: 5_000,
  ordered: 5_000,
  any: 5_000,
  echo: 35_000,
}
/** Those whose leases are short: who is away soon loses them. */
export const shortLeases: readonly SubscriptionName[] = ['plain', 'ordered', 'any']
const deadlineMs = 5_000

export const tables = (schema: string) => `
  CREATE TABLE ${schema}.effect (place bigserial PRIMARY KEY, subscription text, event text, run text, failed boolean);
  CREATE TABLE ${schema}.list (key text PRIMARY KEY, events text[]);
  CREATE TABLE ${schema}.money (event text, kind text, PRIMARY KEY (event, kind))`

const policies = { retry: retries.standard({ timeScale: 0.01 }), deadlineMs } as const
const handlerMs = 8
/** Longer than what a consumer waits for a slow head of line before it goes on without it. */
const slowMs = 120

interface Given {
  readonly data: { readonly n: number; readonly event: string; readonly key: string }
}

/** Where a handler leaves its traces. `sink` is missing where nothing is handled. */
interface Traces {
  readonly schema: string
  readonly sink: SinkClient | undefined
  readonly bank: Bank | undefined
}

/** `schema` is not used by who only publishes, and has no sink and no bank. */
export function crashedApp(schema: string, sink?: SinkClient, bank?: Bank): App {
  const traces = { schema, sink, bank }
  return defineApp({
    name: 'crash',
    subscriptions: [plain(traces), ordered(traces), any(traces), echo(traces)],
    workflows: [purchase(traces)],
  })
}

const plain = ({ sink }: Traces) =>
  defineSubscription({
    ...{ ...policies, name: 'plain', on: happened, priority: 'alarm', shards: 3, concurrency: 30 },
    handle: (event, context) =>
      told(sink, event, context, async () => {
        meets(event, context)
        await delay(event.data.n % 41 === 3 ? slowMs : handlerMs)
        await context.publish(echoed, event.data)
        if (isPurchase(event.data.n)) await context.publish(bought, event.data)
      }),
  })

const ordered = ({ schema, sink }: Traces) =>
  defineSubscription({
    ...{ ...policies, name: 'ordered', on: happened, priority: 'alarm', shards: 3, ordered: true },
    transact: (event, context) =>
      told(sink, event, context, (run) => effect(schema, event, context, run, listed(schema))),
  })

const any = ({ schema, sink }: Traces) =>
  defineSubscription({
    ...{ ...policies, name: 'any', on: happened, priority: 'alarm', shards: 3 },
    transact: (event, context) =>
      told(sink, event, context, (run) => effect(schema, event, context, run, '')),
  })

const echo = ({ schema, sink }: Traces) =>
  defineSubscription({
    ...{ ...policies, name: 'echo', on: echoed, shards: 2 },
    transact: (event, context) =>
      told(sink, event, context, (run) => effect(schema, event, context, run, '')),
  })

// A bank that is away is asked until it answers: only the shop may say no.
const patient = {
  attemptsMax: 100_000,
  processingAttemptsMax: 100_000,
  delayMs: () => 50 + Math.random() * 200,
}

const purchase = ({ bank }: Traces) =>
  workflow({
    name: 'purchase',
    on: { event: bought, id: ({ data }) => data.event },
    shards: 3,
    retry: patient,
    run: async (ctx, { n, event }: Given['data']) => {
      const book = (kind: Booking) => async () => {
        if (bank === undefined) throw new Error('Workflows run in workers alone')
        await bank.book(event, kind)
      }
      await ctx.step('charge', book('charge'), { undo: book('refund'), undoRetry: patient })
      if (n % 3 === 0) await ctx.sleep(200)
      await ctx.step('order', async () => {
        if (isRefused(n)) throw new PermanentError('the shop refuses it')
        await book('order')()
      })
    },
  })

/** `work`, with its beginning and its end told to the sink. */
async function told(
  sink: SinkClient | undefined,
  { data }: Given,
  { subscription, attempt }: HandlerContext,
  work: (run: string) => Promise<void>,
): Promise<void> {
  if (sink === undefined) throw new Error('Handlers run in workers alone')
  const run = await sink.begin(subscription, data.event, data.key, attempt)
  await work(run).catch(async (error: unknown) => {
    await sink.fail(run)
    throw error
  })
  await sink.end(run, subscription === 'ordered')
}

/** Throws where this attempt is to fail. */
function meets({ data }: Given, { subscription, attempt, round }: HandlerContext): void {
  const fate = fateOf(subscription as SubscriptionName, data.n)
  if (fate === 'dies' || (fate === 'dies once' && round === 0)) throw new PermanentError(wordsOfDeath[fate])
  if (fate === 'fails twice' && attempt < 3) throw new TransientError('at first')
}

/** What fails does so behind its effect, which must not stay. */
async function effect(schema: string, given: Given, context: TransactionContext, run: string, list: string) {
  const { tx, subscription } = context
  const { event, key } = given.data
  const insert = (failed: boolean) =>
    tx.query(
      `/* ${subscription} */ WITH own AS (
         INSERT INTO ${schema}.effect (subscription, event, run, failed) VALUES ($1, $2::text, $3, $4)
       )${list} SELECT $5::text`,
      [subscription, event, run, failed, key],
    )
  try {
    meets(given, context)
  } catch (error) {
    await insert(true)
    throw error
  }
  await insert(false)
}

/** The other half of an effect: the event at the end of its key's list. */
const listed = (schema: string) => `, listed AS (
         INSERT INTO ${schema}.list VALUES ($5::text, ARRAY[$2::text])
         ON CONFLICT (key) DO UPDATE SET events = list.events || excluded.events
       )`
