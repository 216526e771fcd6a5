// The systems that are crashed. Effects go into tables without a unique key, so that a second one shows.
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type App,
  defineApp,
  defineEvent,
  defineSubscription,
  retries,
  type TransactionContext,
  TransientError,
} from 'eventspine'
import { z } from 'zod'

export const happened = defineEvent({
  type: 'crash.happened',
  schema: z.object({ n: z.number().int(), key: z.string() }),
  key: ({ key }) => key,
})
export const echoed = defineEvent({ type: 'crash.echoed', schema: z.object({ n: z.number().int() }) })

/** Where a system leaves its traces. */
export interface Traces {
  readonly schema: string
  /** A file: one line for each run of a plain handler. */
  readonly sink: string
}

export const effectTable = (schema: string) =>
  `CREATE TABLE ${schema}.effect (place bigserial, subscription text, n int, key text, attempt int, pid int, doomed boolean)`

const fast = retries.standard({ timeScale: 0.01 })

type Happened = { readonly data: { readonly n: number; readonly key?: string } }

/** `doomed`: the attempt throws after it, so the effect must never be seen. */
async function effect(schema: string, { data }: Happened, context: TransactionContext, doomed: boolean) {
  await context.tx.query(
    `INSERT INTO ${schema}.effect (subscription, n, key, attempt, pid, doomed) VALUES ($1, $2, $3, $4, $5, $6)`,
    [context.subscription, data.n, data.key, context.attempt, process.pid, doomed],
  )
  if (doomed) throw new TransientError('doomed')
}

/** Everything at once, some of it failing at first. */
function ledger({ schema, sink }: Traces): App {
  const plain = defineSubscription({
    name: 'plain',
    on: happened,
    retry: fast,
    handle: async ({ data }, context) => {
      appendFileSync(sink, `${data.n}\n`)
      if (data.n % 97 === 5 && context.attempt === 1) throw new TransientError('at first')
      await context.publish(echoed, { n: data.n })
    },
  })
  const doomed = (remainder: number, { data }: Happened, attempt: number) =>
    data.n % 83 === remainder && attempt < 3
  return defineApp({
    name: 'crash',
    subscriptions: [
      plain,
      defineSubscription({
        name: 'echo',
        on: echoed,
        retry: fast,
        transact: (event, context) => effect(schema, event, context, false),
      }),
      defineSubscription({
        name: 'any',
        on: happened,
        retry: fast,
        transact: (event, context) => effect(schema, event, context, doomed(7, event, context.attempt)),
      }),
      defineSubscription({
        name: 'ordered',
        on: happened,
        retry: fast,
        ordered: true,
        transact: (event, context) => effect(schema, event, context, doomed(11, event, context.attempt)),
      }),
    ],
  })
}

/** Alarms, whose leases are short: a holder that is stopped loses them in seconds. */
function alarms({ schema, sink }: Traces): App {
  return defineApp({
    name: 'crash',
    subscriptions: [
      defineSubscription({
        name: 'plain',
        on: happened,
        priority: 'alarm',
        concurrency: 2,
        handle: async ({ data }) => {
          appendFileSync(sink, `${data.n}\n`)
          await delay(20)
        },
      }),
      defineSubscription({
        name: 'any',
        on: happened,
        priority: 'alarm',
        transact: async (event, context) => {
          await effect(schema, event, context, false)
          await delay(20)
        },
      }),
    ],
  })
}

/** One event ends the process that handles it, or blocks it for ever. */
const poisonous =
  (harm: () => void) =>
  ({ schema, sink }: Traces): App =>
    defineApp({
      name: 'crash',
      subscriptions: [
        defineSubscription({
          name: 'plain',
          on: happened,
          retry: fast,
          handle: async ({ data }) => {
            if (data.n === 7) harm()
            if (data.n === heldEvent) hold(sink)
            await delay(5)
            appendFileSync(sink, `${data.n}\n`)
          },
        }),
        defineSubscription({
          name: 'any',
          on: happened,
          retry: fast,
          transact: (event, context) => {
            if (event.data.n === 9) harm()
            return effect(schema, event, context, false)
          },
        }),
      ],
    })

/** Blocks its process until the file `<sink>.release` is there; the sink has its number from the beginning on. */
export const heldEvent = 1_000

function hold(sink: string): void {
  appendFileSync(sink, `${heldEvent}\n`)
  while (!existsSync(`${sink}.release`));
}

function block(): void {
  for (;;);
}

export const apps = {
  ledger,
  alarms,
  deadly: poisonous(() => process.kill(process.pid, 'SIGKILL')),
  blocking: poisonous(block),
} as const
