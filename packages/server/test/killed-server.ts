// A process of the test that kills it: a server with a webhook, a route, and a schedule, over one schema. Says its address when it serves.
import { defineApp, defineEvent, Eventspine, jsonLogger } from 'eventspine'
import { httpRoute, standardWebhooks, webhook } from 'eventspine/source'
import { schedule } from 'eventspine/workflow'
import { z } from 'zod'
import { createServer } from '../src/index.js'

const variable = (name: string) => process.env[name] ?? ''
const counted = (type: string) =>
  defineEvent({ type: `ways.${type}`, schema: z.object({ n: z.int() }), key: ({ n }) => String(n % 10) })
const [published, hooked, routed] = [counted('published'), counted('hooked'), counted('routed')]
const ticked = defineEvent({ type: 'ways.ticked', schema: z.object({ at: z.string() }) })

const app = defineApp({
  name: 'ways-in',
  events: [published, hooked, routed, ticked],
  sources: [
    webhook({
      name: 'bank',
      verify: standardWebhooks({ secrets: [variable('SECRET')] }),
      to: (message) => ({ event: hooked, data: message.json() }),
    }),
    httpRoute({
      name: 'count',
      path: '/counts',
      access: 'open',
      body: z.object({ n: z.int() }),
      to: ({ body }) => ({ event: routed, data: body }),
    }),
  ],
  schedules: [
    schedule({
      name: 'each-second',
      cron: '* * * * * *',
      missed: 'all',
      event: ticked,
      data: ({ at }) => ({ at: at.toISOString() }),
    }),
  ],
})
const logger = jsonLogger('error', Date.now, (line) => process.stdout.write(line))
const spine = new Eventspine(app, {
  ...{ databaseUrl: variable('DATABASE_URL'), schema: variable('KILL_SCHEMA'), shutdownMs: 5_000, logger },
})
const server = createServer(spine, { port: 0, development: true, logger })
await spine.start()
process.stdout.write(`serves ${(await server.start()).url}\n`)
process.once('SIGTERM', async () => {
  await server.stop()
  await spine.stop()
})
