// The system that is crashed. Effects go into a table without a unique key, so that a second one shows; each handler
// tells the sink when it begins and when it is through.
import { setTimeout as delay } from 'node:timers/promises'
import {
  type App,
  defineApp,
  defineEvent,
  defineSubscription,
  type HandlerContext,
  retries,
  type TransactionContext,
  TransientError,
} from 'eventspine'
import { z } from 'zod'
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

/** Those whose effects are in the database, in the order of the log where it says so. */
export const transactional = ['any', 'ordered', 'echo'] as const
export const subscriptions = ['plain', ...transactional] as const
export type SubscriptionName = (typeof subscriptions)[number]

/** Milliseconds of a lease: what a killed worker may hold up its work on another machine. */
export const leaseMs: Readonly<Record<SubscriptionName, number>> = {
  plain: 5_000,
  ordered: 5_000,
  any: 35_000,
  echo: 35_000,
}
/** Those whose leases are short: who is away soon loses them. */
export const shortLeases: readonly SubscriptionName[] = ['plain', 'ordered']
const deadlineMs = 5_000

export const tables = (schema: string) => `
  CREATE TABLE ${schema}.effect (place bigserial PRIMARY KEY, subscription text, event text, attempt int, run text, doomed boolean);
  CREATE TABLE ${schema}.list (key text PRIMARY KEY, events text[])`

const fast = retries.standard({ timeScale: 0.01 })
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
}

/** `schema` is not used by who only publishes, and has no sink. */
export function crashedApp(schema: string, sink: SinkClient | undefined): App {
  const traces = { schema, sink }
  return defineApp({
    name: 'crash',
    subscriptions: [plain(traces), ordered(traces), any(traces), echo(traces)],
  })
}

const plain = ({ sink }: Traces) =>
  defineSubscription({
    ...{ name: 'plain', on: happened, priority: 'alarm', shards: 2, retry: fast, deadlineMs },
    handle: (event, context) =>
      told(sink, event, context, async () => {
        if (fails(97, 5, event, context)) throw new TransientError('at first')
        await delay(event.data.n % 41 === 3 ? slowMs : handlerMs)
        await context.publish(echoed, event.data)
      }),
  })

const ordered = ({ schema, sink }: Traces) =>
  defineSubscription({
    ...{
      name: 'ordered',
      on: happened,
      priority: 'alarm',
      shards: 2,
      ordered: true,
      retry: fast,
      deadlineMs,
    },
    transact: (event, context) =>
      told(sink, event, context, async (run) => {
        await append(schema, event, context)
        await effect(schema, event, context, run, fails(83, 11, event, context))
      }),
  })

const any = ({ schema, sink }: Traces) =>
  defineSubscription({
    ...{ name: 'any', on: happened, shards: 2, retry: fast, deadlineMs },
    transact: (event, context) =>
      told(sink, event, context, (run) => effect(schema, event, context, run, fails(83, 7, event, context))),
  })

const echo = ({ schema, sink }: Traces) =>
  defineSubscription({
    ...{ name: 'echo', on: echoed, retry: fast, deadlineMs },
    transact: (event, context) =>
      told(sink, event, context, (run) => effect(schema, event, context, run, false)),
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
  await sink.end(run)
}

/** Some events fail at their first attempts. */
const fails = (every: number, remainder: number, { data }: Given, { attempt }: HandlerContext) =>
  data.n % every === remainder && attempt < 3

async function effect(
  schema: string,
  { data }: Given,
  context: TransactionContext,
  run: string,
  doomed: boolean,
) {
  await context.tx.query(
    `INSERT INTO ${schema}.effect (subscription, event, attempt, run, doomed) VALUES ($1, $2, $3, $4, $5)`,
    [context.subscription, data.event, context.attempt, run, doomed],
  )
  if (doomed) throw new TransientError('doomed')
}

const append = (schema: string, { data }: Given, { tx }: TransactionContext) =>
  tx.query(
    `INSERT INTO ${schema}.list VALUES ($1, ARRAY[$2])
     ON CONFLICT (key) DO UPDATE SET events = list.events || excluded.events`,
    [data.key, data.event],
  )
