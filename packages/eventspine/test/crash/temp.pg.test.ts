import { defineApp, defineEvent, defineSubscription, retries, TransientError } from 'eventspine'
import { it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, sql } from '../support.js'
const moved = defineEvent({ type: 'tests.moved', schema: z.object({ key: z.string(), n: z.number() }), key: ({ key }) => key })
it.each(['transact', 'handle'] as const)('speed %s', { timeout: 100_000 }, async (kind) => {
  let runs = 0
  const f = async (event: any, context: any) => { runs++; if (event.data.n < 40 && context.attempt === 1) throw new TransientError('x') }
  const sub = kind === 'transact' ? defineSubscription({ name: 'ledger', on: moved, ordered: true, retry: retries.standard({ timeScale: 0.005 }), transact: f })
   : defineSubscription({ name: 'ledger', on: moved, ordered: true, retry: retries.standard({ timeScale: 0.005 }), handle: f })
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'orders', subscriptions: [sub] }), schema)
  await spine.operator().pause('ledger', 'a')
  for (let i = 0; i < 4; i++) await spine.publishMany(Array.from({ length: 500 }, (_, n) => ({ event: moved, data: { key: `k${n % 40}`, n: n + i * 500 } })))
  const t = performance.now()
  await spine.operator().resume('ledger', 'a')
  const timer = setInterval(async () => console.log(Math.round(performance.now() - t), runs, await sql(`SELECT state, deaths, attempt, count(*)::int, (min(due_at) - now())::text as due FROM ${schema}.delivery GROUP BY 1,2,3`)), 1000)
  await quiet(spine, 60_000).finally(() => clearInterval(timer))
  console.log(kind, performance.now() - t, runs)
})
